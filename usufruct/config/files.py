"""The configuration from a TOML file and the environment, and back."""

import difflib
import json
import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from functools import cache
from pathlib import Path
from typing import Any, get_type_hints
from urllib.parse import urlsplit

import platformdirs
from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from usufruct.config.sections import Config, DatabaseConfig, MailConfig
from usufruct.config.values import InvalidSetting, Secret, UnknownSetting
from usufruct.core.files import replace_file
from usufruct.core.networks import is_devnet

_PREFIX = "USUFRUCT_"
_FILE = "USUFRUCT_CONFIG"
_TESTS = "USUFRUCT_TEST_"
_SECRET_CHARACTERS = 32
_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")

_RULES = {"string_type": "text in quotes", "path_type": "text in quotes"}

_NAMES = [(section, key.name) for section, kind in get_type_hints(Config).items() for key in fields(kind)]
_KNOWN = [f"{section}.{key}" for section, key in _NAMES]
_VARIABLES = {f"{_PREFIX}{section}_{key}".upper(): (section, key) for section, key in _NAMES}


def load_config(environment: Mapping[str, str] | None = None, file: Path | None = None) -> Config:
    """Read the file, then the environment over it (this process's, unless another is given).

    Raises:
        UnknownSetting: for a section, key or variable that is not ours; names the nearest that is.
        InvalidSetting: for a value of the wrong type or out of bounds, or a missing file.
    """
    variables = os.environ if environment is None else environment  # noqa: TID251 - the one place
    read = file or config_file(variables)
    values = _from_file(read) if file or variables.get(_FILE) or read.exists() else {}
    for (section, key), text in _from_environment(variables):
        values.setdefault(section, {})[key] = text
    try:
        config = _adapter().validate_python(values)
    except ValidationError as error:
        raise _invalid(error.errors(include_url=False)[0]) from None
    if not config.database.url:
        config = replace(config, database=DatabaseConfig(f"sqlite:///{config.data.folder / 'usufruct.db'}"))
    return config


def config_file(environment: Mapping[str, str] | None = None) -> Path:
    """Return the file that the configuration is read from: the one `USUFRUCT_CONFIG` names, or the user's."""
    variables = os.environ if environment is None else environment  # noqa: TID251 - the one place
    named = variables.get(_FILE)
    return Path(named) if named else platformdirs.user_config_path("usufruct") / "config.toml"


def user_folders(chain_id: int) -> tuple[Path, Path]:
    """Return where an installation on a public chain keeps data and keys: one folder each for a user and chain."""
    data, config = platformdirs.user_data_path("usufruct"), platformdirs.user_config_path("usufruct")
    return data / str(chain_id), config / f"keys-{chain_id}"


def check_operator(config: Config) -> None:
    """Refuse a configuration that is not safe for an operator; wallet commands work with it.

    Raises:
        InvalidSetting: on a public chain without a secret or with a short one, or with too few confirmations; for a
            mail server without a sender, or to which a password would travel in the clear.
    """
    _check_mail(config.mail)
    if is_devnet(config.chain.id):
        return
    if len(config.data.secret.reveal()) < _SECRET_CHARACTERS:
        raise InvalidSetting(
            f"data.secret is needed on chain {config.chain.id}: set it to {_SECRET_CHARACTERS} random characters "
            "or more",
            key="data.secret",
        )
    if config.chain.confirmations < 2:
        raise InvalidSetting(
            f"chain.confirmations must be at least 2 on chain {config.chain.id}: a deposit that a reorg takes back is "
            "served for nothing; set it to how deep this chain's reorgs go",
            key="chain.confirmations",
        )


def _check_mail(mail: MailConfig) -> None:
    if mail.host and not mail.sender:
        raise InvalidSetting(
            "mail.sender is empty: set it to the address that e-mails come from, such as Example <mail@example.org>",
            key="mail.sender",
        )
    if mail.security == "none" and mail.user and mail.host not in _THIS_MACHINE:
        raise InvalidSetting(
            f"mail.security is none: the password would travel to {mail.host} in the clear; set it to starttls or tls",
            key="mail.security",
        )


def show_config(config: Config) -> dict[str, dict[str, str]]:
    """Return every setting as text, by section; secrets and passwords in URLs as `***`."""
    shown: dict[str, dict[str, str]] = {}
    for section, key, value in _settings(config):
        shown.setdefault(section, {})[key] = _redacted(value)
    return shown


def setting_meanings() -> dict[str, str]:
    """Return what each setting means, by its full name."""
    hints = {section: get_type_hints(kind, include_extras=True) for section, kind in get_type_hints(Config).items()}
    return {
        f"{section}.{key}": next(each for each in hints[section][key].__metadata__ if isinstance(each, str))
        for section, key in _NAMES
    }


def process_environment(config: Config) -> dict[str, str]:
    """Return this process's environment with `config` written over it, for a process that shall use the same."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(_PREFIX)}  # noqa: TID251 - passed on
    for section, key, value in _settings(config):
        own[f"{_PREFIX}{section}_{key}".upper()] = value.reveal() if isinstance(value, Secret) else str(value)
    return own


def write_settings(config: Config, path: Path) -> None:
    """Write a configuration to a TOML file that only its owner may read; secrets are left out."""
    lines: list[str] = []
    for section, key, value in _settings(config):
        if f"[{section}]" not in lines:
            lines.append(f"[{section}]")
        if not isinstance(value, Secret):  # a JSON string is a TOML string too
            lines.append(f"{key} = {value if isinstance(value, int) else json.dumps(str(value))}")
    replace_file(path, "\n".join([*lines, ""]).encode(), 0o600)


@cache
def _adapter() -> TypeAdapter[Config]:
    return TypeAdapter(Config)


def _settings(config: Config) -> Iterator[tuple[str, str, Any]]:
    return ((section, key, getattr(getattr(config, section), key)) for section, key in _NAMES)


def _from_file(path: Path) -> dict[str, dict[str, Any]]:
    try:
        tree = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise InvalidSetting(f"the configuration file {path} cannot be read: {error.strerror}") from error
    except tomllib.TOMLDecodeError as error:
        raise InvalidSetting(f"the configuration file {path} is not valid TOML: {error}") from error
    for section, keys in tree.items():
        if not isinstance(keys, dict):
            near = _nearest(section, _KNOWN)
            raise UnknownSetting(f"{section} in {path} must be in a section; the nearest is {near}", key=section)
        for name in (f"{section}.{key}" for key in keys):
            if name not in _KNOWN:
                near = _nearest(name, _KNOWN)
                raise UnknownSetting(f"{name} in {path} is an unknown setting; the nearest is {near}", key=name)
    return tree


def _from_environment(variables: Mapping[str, str]) -> Iterator[tuple[tuple[str, str], str]]:
    for variable, text in variables.items():
        if not variable.startswith(_PREFIX) or variable == _FILE or variable.startswith(_TESTS):
            continue
        if variable not in _VARIABLES:
            near = _nearest(variable, list(_VARIABLES))
            raise UnknownSetting(f"{variable} is an unknown setting; the nearest is {near}", key=variable, nearest=near)
        yield _VARIABLES[variable], text


def _nearest(name: str, known: list[str]) -> str:
    return difflib.get_close_matches(name, known, 1, 0.0)[0]


def _invalid(fault: ErrorDetails) -> InvalidSetting:
    """Name the setting and what it must be; of the value only the type, unless its kind is never secret."""
    name = ".".join(map(str, fault["loc"]))
    context = fault.get("ctx", {})
    reason = context.get("error") or context.get("expected")
    rule = str(reason) if reason else f"{_RULES.get(fault['type'], fault['type'])}, not {type(fault['input']).__name__}"
    return InvalidSetting(f"{name} must be {rule}", key=name)


def _redacted(value: object) -> str:
    """Hide secrets, passwords in URLs, and the paths of web addresses: node providers put their keys there."""
    if isinstance(value, Secret):
        return "***" if value else "(none)"
    if not isinstance(value, str) or "://" not in value:
        return str(value)
    url = urlsplit(value)
    host = url.netloc.rpartition("@")[2]
    user = f"{url.username}:***@" if url.password else ""
    if url.scheme.startswith(("http", "ws")):
        return f"{url.scheme}://{user}{host}" + ("/***" if url.path.strip("/") or url.query else "")
    return value.replace(url.netloc, user + host, 1) if user else value
