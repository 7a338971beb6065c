"""The configuration: one frozen, typed object from a TOML file and the environment, and the only reader of both.

The key `url` of the section `[database]` is `database.url` in messages and `USUFRUCT_DATABASE_URL` in the environment,
which wins over the file. `USUFRUCT_CONFIG` names the file; without it none is read, and everything fits a devnet on
this machine. `USUFRUCT_TEST_*` belongs to the test suite and is ignored.
"""

import difflib
import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import platformdirs

from usufruct.core import Invalid, address, parse_units_up

__all__ = [
    "DEVNET_CHAIN_ID",
    "ChainConfig",
    "ClaimsConfig",
    "Config",
    "DataConfig",
    "DatabaseConfig",
    "GatewayConfig",
    "InvalidSetting",
    "KeysConfig",
    "LedgerConfig",
    "MetricsConfig",
    "RefundsConfig",
    "Secret",
    "UnknownSetting",
    "check_operator",
    "load_config",
    "process_environment",
    "show_config",
    "write_settings",
]

DEVNET_CHAIN_ID = 31337

_PREFIX = "USUFRUCT_"
_FILE = "USUFRUCT_CONFIG"
_TESTS = "USUFRUCT_TEST_"
_SECRET_CHARACTERS = 32
_AMOUNTS = ("claims.threshold", "claims.daily_cap", "refunds.least", "gateway.least_deposit")
"""Settings in whole units of the payment token, decimal text: what they are in atomic units depends on the token."""
_RANGES = {
    "chain.id": (1, (1 << 53) - 1),
    "chain.poll_milliseconds": (1, 3_600_000),
    "chain.confirmations": (1, 10_000),
    "ledger.lease_seconds": (1, 86_400),
    "ledger.answer_hours": (1, 87_600),
    "refunds.cooling_seconds": (0, 30 * 86_400),
    "gateway.port": (0, 65_535),
    "gateway.keep_alive_seconds": (1, 3_600),
    "gateway.drain_seconds": (0, 3_600),
    "gateway.drain_lead_seconds": (0, 300),
    "metrics.gateway_port": (0, 65_535),
    "metrics.worker_port": (0, 65_535),
}


class UnknownSetting(Invalid):
    """A section or key that no version of this package reads: most likely a typing error."""

    code = "unknown_setting"


class InvalidSetting(Invalid):
    """A value of the wrong type, or one that cannot work."""

    code = "invalid_setting"


class Secret:
    """Text that must not be printed: `reveal()` is the only way to it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return "***" if self._text else "(none)"


@dataclass(frozen=True, slots=True)
class DataConfig:
    """Where this installation keeps its files, and the secret that what it stores is sealed under.

    `secret` protects session keys, stored answers and upstreams' keys; a devnet needs none.
    """

    folder: Path = field(default_factory=lambda: platformdirs.user_data_path("usufruct"))
    secret: Secret = field(default_factory=lambda: Secret(""))


@dataclass(frozen=True, slots=True)
class DatabaseConfig:
    """Which database; empty: `usufruct.db` in the data folder."""

    url: str = ""


@dataclass(frozen=True, slots=True)
class ChainConfig:
    """Which chain, the node that speaks for it, and how often to look whether a transaction was mined.

    `confirmations`: from which block on, counted from its own, a deposit or claim counts; more than 1 off devnets.
    `token`: address of the dollar that is charged in; empty: a devnet's test dollar. `fee_sink`: address that gets the
    protocol fee and whatever reaches the till without a payee; empty: an account of the devnet.
    """

    rpc_url: str = "http://127.0.0.1:8545"
    id: int = DEVNET_CHAIN_ID
    poll_milliseconds: int = 500
    confirmations: int = 1
    token: str = ""
    fee_sink: str = ""


@dataclass(frozen=True, slots=True)
class ClaimsConfig:
    """When a worker claims, and what a payee gets of it; whole units of the token.

    A channel that owes `threshold` does not wait to grow old. `daily_cap` is the most that the till pays one payee in a
    day, as `deploy` sets it; `usufruct till cap` changes it later. `address` is the claim key's, for machines without
    the key: gateways.
    """

    threshold: str = "1"
    daily_cap: str = "1000"
    address: str = ""


@dataclass(frozen=True, slots=True)
class RefundsConfig:
    """Refunds: on request not within `cooling_seconds` of a deposit or refund that the operator paid gas for.

    `least`, in whole units of the token, is the smallest amount worth its gas.
    """

    cooling_seconds: int = 86_400
    least: str = "0.01"


@dataclass(frozen=True, slots=True)
class LedgerConfig:
    """How the call ledger behaves.

    `lease_seconds`: how long a call belongs to a replica that gives no sign of life. `answer_hours`: how long a stored
    answer is replayed.
    """

    lease_seconds: int = 30
    answer_hours: int = 24


@dataclass(frozen=True, slots=True)
class KeysConfig:
    """Where the keystore files of the roles are, `<role>.json` each, and their password."""

    folder: Path = field(default_factory=lambda: platformdirs.user_config_path("usufruct") / "keys")
    password: Secret = field(default_factory=lambda: Secret(""))


@dataclass(frozen=True, slots=True)
class GatewayConfig:
    """Where the gateway listens, how it treats connections, and how it stops.

    `port`: 0 takes a free one. `least_deposit`: the smallest deposit it pays gas for, in whole units of the token.
    `keep_alive_seconds`: how long an idle connection stays open; longer than clients and proxies keep theirs.
    `drain_seconds`: on SIGTERM, how long running calls may go on before they are cut and charged for what was
    delivered. `drain_lead_seconds`: before that, how long the gateway still takes calls while `/readyz` answers 503, so
    that a load balancer can turn to other gateways.
    `cors_origins`: web pages that may call from a browser, as origins with spaces between (`https://app.example`);
    `*`: any, empty: none. Calls are paid by headers that a page must hold itself, never by cookies.
    """

    host: str = "127.0.0.1"
    port: int = 8402
    least_deposit: str = "0.1"
    keep_alive_seconds: int = 75
    drain_seconds: int = 30
    drain_lead_seconds: int = 0
    cors_origins: str = "*"

    @property
    def longest_drain(self) -> int:
        """How many seconds pass at most from SIGTERM until running calls are cut."""
        return self.drain_lead_seconds + self.drain_seconds


@dataclass(frozen=True, slots=True)
class MetricsConfig:
    """Where the numbers of a gateway and of a worker are read by HTTP (`/metrics`), by operators only; port 0: nowhere.

    Whoever reaches it learns what everybody spends here together: no strangers' business.
    """

    host: str = "127.0.0.1"
    gateway_port: int = 0
    worker_port: int = 0


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that can be configured; made by `load_config`."""

    data: DataConfig = field(default_factory=DataConfig)
    database: DatabaseConfig = field(default_factory=DatabaseConfig)
    chain: ChainConfig = field(default_factory=ChainConfig)
    ledger: LedgerConfig = field(default_factory=LedgerConfig)
    claims: ClaimsConfig = field(default_factory=ClaimsConfig)
    refunds: RefundsConfig = field(default_factory=RefundsConfig)
    keys: KeysConfig = field(default_factory=KeysConfig)
    gateway: GatewayConfig = field(default_factory=GatewayConfig)
    metrics: MetricsConfig = field(default_factory=MetricsConfig)


def load_config(environment: Mapping[str, str] | None = None, file: Path | None = None) -> Config:
    """Read the file, then the environment over it (this process's, unless another is given).

    Raises:
        UnknownSetting: for a section, key or variable that is not ours; names the nearest that is.
        InvalidSetting: for a value of the wrong type, or a missing file.
    """
    variables = os.environ if environment is None else environment  # noqa: TID251 - the one place
    if file is None and _FILE in variables:
        file = Path(variables[_FILE])
    values = _from_file(file) if file else {}
    values |= _from_environment(variables)
    return _checked(Config(**{f.name: _section(f.name, cast(Any, f.type), values) for f in fields(Config)}))


def check_operator(config: Config) -> None:
    """Refuse what nobody should run an installation with, though a wallet's commands may do without it.

    Raises:
        InvalidSetting: on a public chain without a secret or with a short one, or with too few confirmations.
    """
    if config.chain.id == DEVNET_CHAIN_ID:
        return
    if len(config.data.secret.reveal()) < _SECRET_CHARACTERS:
        raise InvalidSetting(
            f"data.secret is needed on chain {config.chain.id}: set it to {_SECRET_CHARACTERS} random characters "
            "or more",
            key="data.secret",
        )
    if config.chain.confirmations < 2:
        raise InvalidSetting(
            f"chain.confirmations must be at least 2 on chain {config.chain.id}: a deposit that a reorganisation takes "
            "back is served for nothing; set it to how deep this chain's blocks are taken back",
            key="chain.confirmations",
        )


def show_config(config: Config) -> dict[str, dict[str, str]]:
    """Return every setting as text, by section; secrets and passwords in URLs as `***`."""
    return {
        section.name: {
            key.name: _redacted(getattr(getattr(config, section.name), key.name))
            for key in fields(cast(Any, section.type))
        }
        for section in fields(Config)
    }


def process_environment(config: Config) -> dict[str, str]:
    """Return this process's environment with `config` written over it, for a process that shall use the same."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(_PREFIX)}  # noqa: TID251 - passed on
    for section in fields(Config):
        for key in fields(cast(Any, section.type)):
            value = getattr(getattr(config, section.name), key.name)
            text = value.reveal() if isinstance(value, Secret) else str(value)
            own[f"{_PREFIX}{section.name}_{key.name}".upper()] = text
    return own


def write_settings(config: Config, path: Path) -> None:
    """Write a configuration to a TOML file that only its owner may read; secrets are left out."""
    lines: list[str] = []
    for section in fields(Config):
        lines.append(f"[{section.name}]")
        for key in fields(cast(Any, section.type)):
            value = getattr(getattr(config, section.name), key.name)
            if not isinstance(value, Secret):  # a JSON string is a TOML string too
                lines.append(f"{key.name} = {value if isinstance(value, int) else json.dumps(str(value))}")
    path.touch(0o600)
    path.write_text("\n".join(lines) + "\n", "utf-8")


def _known() -> dict[str, Field[Any]]:
    return {f"{s.name}.{k.name}": k for s in fields(Config) for k in fields(cast(Any, s.type))}


def _from_file(path: Path) -> dict[str, Any]:
    try:
        tree = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise InvalidSetting(f"the configuration file {path} cannot be read: {error.strerror}") from error
    except tomllib.TOMLDecodeError as error:
        raise InvalidSetting(f"the configuration file {path} is no TOML: {error}") from error
    values: dict[str, Any] = {}
    for section, keys in tree.items():
        if not isinstance(keys, dict):
            raise UnknownSetting(f"{section} in {path} stands outside a section; {_nearest(section)}", key=section)
        for key, value in keys.items():
            name = f"{section}.{key}"
            if name not in _known():
                raise UnknownSetting(f"{name} in {path} is no setting; {_nearest(name)}", key=name)
            values[name] = value
    return values


def _from_environment(variables: Mapping[str, str]) -> dict[str, Any]:
    names = {_PREFIX + name.replace(".", "_").upper(): name for name in _known()}
    values: dict[str, Any] = {}
    for variable, value in variables.items():
        if not variable.startswith(_PREFIX) or variable == _FILE or variable.startswith(_TESTS):
            continue
        if variable not in names:
            near = difflib.get_close_matches(variable, names, 1, 0.0)[0]
            raise UnknownSetting(f"{variable} is no setting; the nearest is {near}", key=variable, nearest=near)
        values[names[variable]] = value
    return values


def _nearest(name: str) -> str:
    return f"the nearest is {difflib.get_close_matches(name, _known(), 1, 0.0)[0]}"


def _section(name: str, kind: Any, values: Mapping[str, Any]) -> Any:
    given = {k: f"{name}.{k.name}" for k in fields(kind) if f"{name}.{k.name}" in values}
    return kind(**{k.name: _parsed(full, cast(Any, k.type), values[full]) for k, full in given.items()})


def _parsed(name: str, kind: type, value: Any) -> Any:
    """Turn a TOML value or a variable's text into the field's type; errors do not repeat it: it may be secret."""
    if kind is int and isinstance(value, str) and value.strip().isdigit():
        return int(value)
    if kind in (Path, Secret) and isinstance(value, str):
        return kind(value)
    if isinstance(value, kind) and not isinstance(value, bool):
        return value
    expected = "a whole number" if kind is int else "text in quotes"
    raise InvalidSetting(f"{name} must be {expected}, not {type(value).__name__}", key=name)


def _checked(config: Config) -> Config:
    for name, (least, most) in _RANGES.items():
        section, key = name.split(".")
        if not least <= getattr(getattr(config, section), key) <= most:
            raise InvalidSetting(f"{name} must be from {least} to {most}", key=name)
    for name in _AMOUNTS:
        section, key = name.split(".")
        if not parse_units_up(getattr(getattr(config, section), key), 0, name):
            raise InvalidSetting(f"{name} must be above 0, in whole units of the token, such as 0.1", key=name)
    for name in ("token", "fee_sink"):
        if getattr(config.chain, name):
            address(getattr(config.chain, name), f"chain.{name}")
    if not config.database.url:
        url = f"sqlite:///{config.data.folder / 'usufruct.db'}"
        config = replace(config, database=DatabaseConfig(url))
    return config


def _redacted(value: object) -> str:
    """Hide passwords in URLs, and the paths of web addresses: node providers put their keys there."""
    if not isinstance(value, str) or "://" not in value:
        return str(value)
    url = urlsplit(value)
    host = url.netloc.rpartition("@")[2]
    user = f"{url.username}:***@" if url.password else ""
    if url.scheme.startswith(("http", "ws")):
        return f"{url.scheme}://{user}{host}" + ("/***" if url.path.strip("/") or url.query else "")
    return value.replace(url.netloc, user + host, 1) if user else value
