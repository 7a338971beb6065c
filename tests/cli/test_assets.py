"""`usufruct asset`, `shares` and `pass` against one devnet; each test has a service of its own name."""

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson
import pytest

from tests.support.devnet import Devnet
from tests.support.devnet_template import DevnetTemplate
from usufruct.chain import open_chain
from usufruct.chain.contracts.test_dollar import TestDollar
from usufruct.chain.keys import DEVNET_ADDRESSES, devnet_signer, write_keystore
from usufruct.cli import main
from usufruct.config import Config, load_config, process_environment
from usufruct.core import checksum

pytestmark = pytest.mark.anvil

OWNER, BUYER, ANN = "4", "5", "6"
ANN_ADDRESS = checksum(DEVNET_ADDRESSES[6])
METER = checksum(DEVNET_ADDRESSES[8])


@pytest.fixture(scope="module")
def config(devnet_template: DevnetTemplate, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Config]:
    folder = tmp_path_factory.mktemp("installation")
    with devnet_template.copy(folder) as anvil:
        yield load_config(
            {
                "USUFRUCT_CHAIN_RPC_URL": anvil.url,
                "USUFRUCT_CHAIN_POLL_MILLISECONDS": "20",
                "USUFRUCT_CHAIN_NODE_SECONDS": "60",
                "USUFRUCT_DATA_FOLDER": str(folder),
                "USUFRUCT_KEYS_FOLDER": str(folder / "keys"),
            }
        )


@dataclass(frozen=True)
class Ended:
    code: int
    output: str
    errors: str

    @property
    def json(self) -> Any:
        assert self.code == 0, self.errors
        return orjson.loads(self.output)

    def refused(self, code: str, *words: str) -> None:
        """Fail unless it ended with one line on standard error that has the code and the words."""
        assert self.code == 1
        assert self.output == ""
        (line,) = self.errors.strip().splitlines()
        assert line.startswith(f"error {code}: ")
        for word in words:
            assert word in line


Run = Callable[..., Ended]


@pytest.fixture
def run(config: Config, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command in this process, as the console script does."""
    for name, value in process_environment(config).items():
        monkeypatch.setenv(name, value)

    def run(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["usufruct", *arguments])
        try:
            main()
            code = 0
        except SystemExit as ended:
            code = int(ended.code or 0)
        output, errors = capsys.readouterr()
        return Ended(code, output, errors)

    return run


def register(run: Run, name: str, *options: str) -> Any:
    prices = ("--input", "0.5", "--output", "2", "--call", "0.0001", "--context", "8192")
    return run("asset", "register", name, *prices, "--meter", METER, "--wallet", OWNER, *options, "--json").json


def mint(config: Config, to: str, amount: int) -> None:
    async def work() -> None:
        async with open_chain(config) as chain:
            dollar = TestDollar(chain.deployments.address(TestDollar))
            sender = chain.sender(devnet_signer(9, chain.chain_id))
            await sender.execute(dollar.mint(to.lower(), amount), f"mint/{to}/{amount}")

    asyncio.run(work())


def pass_time(config: Config, seconds: int) -> None:
    async def work() -> None:
        async with open_chain(config) as chain:
            await Devnet(chain.client).pass_time(seconds)

    asyncio.run(work())


def test_a_service_is_registered_and_shown(run: Run):
    made = register(run, "shown", "--owner", f"{ANN_ADDRESS}:20.5", "--endpoint", "https://a.example/v1")
    assert made["owners"] == [{"holder": ANN_ADDRESS, "percent": "20.5"}]
    assert made["price"]["input_per_million"] == "0.5"
    shown = run("asset", "show", "shown", "--json").json
    assert (shown["id"], shown["shares"], shown["name"]) == (made["id"], made["shares"], "shown")
    assert (shown["symbol"], shown["kind"], shown["transfer_policy"]) == ("SHOWN", "model", "open")
    assert shown["price"] == made["price"]
    assert shown["announced_price"] is None
    assert shown["income"][1] == {"token": "tUSD", "gross": "0", "not_accrued": "0"}
    assert len(shown["id"]) == 34
    for given in (str(int(made["id"], 16)), hex(int(made["id"], 16))):
        assert run("asset", "show", given, "--json").json == shown
    assert made["shares"] in run("asset", "show", "shown").output


def test_a_card_has_a_unit_and_a_share_for_cached_input(run: Run):
    made = run(
        *("asset", "register", "painter", "--wallet", OWNER, "--input", "40000", "--call", "1000"),
        *("--cached-input", "12.5", "--unit", "image", "--json"),
    ).json
    assert (made["price"]["cached_input_percent"], made["price"]["unit"]) == ("12.5", "image")
    announced = run("asset", "price", "painter", "--unit", "step", "--cached-input", "0%", "--wallet", OWNER, "--json")
    assert (announced.json["price"]["cached_input_percent"], announced.json["price"]["unit"]) == ("0", "step")
    shown = run("asset", "show", "painter", "--json").json
    assert shown["price"] == made["price"]
    assert (shown["announced_price"]["unit"], shown["announced_price"]["per_call"]) == ("step", "1000")
    rows = {row["id"]: row for row in run("asset", "list", "--json").json}
    assert (rows[made["id"]]["cached_input_percent"], rows[made["id"]]["unit"]) == ("12.5", "image")
    run("asset", "price", "painter", "--cached-input", "101", "--wallet", OWNER).refused(
        "invalid_asset", "cached_input"
    )


def test_the_list_is_everybodys_or_mine(run: Run):
    made = register(run, "listed")
    theirs = run("asset", "register", "theirs", "--wallet", ANN, "--kind", "data", "--json").json
    rows = {row["id"]: row for row in run("asset", "list", "--json").json}
    assert rows[made["id"]]["state"] == "in service"
    assert rows[theirs["id"]]["kind"] == "data"
    mine = run("asset", "list", "--mine", "--wallet", ANN, "--json").json
    assert [row["name"] for row in mine] == ["theirs"]
    assert "theirs" in run("asset", "list").output


def test_a_name_is_taken_once(run: Run):
    made = register(run, "once")
    run("asset", "register", "once", "--wallet", OWNER).refused("asset_registered", made["id"])


def test_a_price_is_announced(run: Run, config: Config):
    register(run, "priced", "--notice", "2h")
    announced = run("asset", "price", "priced", "--input", "0.4", "--wallet", OWNER, "--json").json
    assert (announced["price"]["version"], announced["price"]["input_per_million"]) == (2, "0.4")
    assert announced["price"]["output_per_million"] == "2"
    assert announced["transaction"].startswith("0x")
    shown = run("asset", "show", "priced", "--json").json
    assert shown["price"]["version"] == 1
    assert shown["announced_price"] == announced["price"] | {"holds_from": announced["holds_from"]}
    pass_time(config, 7_201)
    assert run("asset", "show", "priced", "--json").json["price"]["version"] == 2


def test_retirement_is_announced_and_called_off(run: Run):
    register(run, "retiring")
    retired = run("asset", "retire", "retiring", "--wallet", OWNER, "--json").json
    assert retired["retires_at"].endswith("Z")
    (row,) = [row for row in run("asset", "list", "--json").json if row["name"] == "retiring"]
    assert row["state"] == f"retires {retired['retires_at']}"
    run("asset", "retire", "retiring", "--wallet", OWNER).refused("retirement_announced", retired["retires_at"])
    assert run("asset", "retire", "retiring", "--cancel", "--wallet", OWNER, "--json").json["retires_at"] is None
    run("asset", "retire", "retiring", "--cancel", "--wallet", OWNER).refused("no_retirement")


def test_shares_are_given_and_their_income_collected(run: Run, config: Config):
    made = register(run, "shared", "--owner", f"{ANN_ADDRESS}:20")
    moved = run("shares", "transfer", "shared", ANN_ADDRESS, "5000000", "--wallet", OWNER, "--json").json
    assert (moved["shares"], moved["to"]) == ("5000000", ANN_ADDRESS)
    assert run("shares", "holders", "shared", "--json").json == [
        {"holder": checksum(DEVNET_ADDRESSES[4]), "shares": "75000000", "percent": "75"},
        {"holder": ANN_ADDRESS, "shares": "25000000", "percent": "25"},
    ]
    assert run("shares", "collect", "shared", "--wallet", ANN, "--json").json == []
    mint(config, made["shares"], 1_000_000)
    pending = {row["token"]: row for row in run("shares", "pending", "shared", "--holder", ANN, "--json").json}
    assert pending["tUSD"] == {"token": "tUSD", "pending": "0.243749", "accrued": "0", "not_accrued": "0.243749"}
    (paid,) = run("shares", "collect", "shared", "--wallet", ANN, "--to", METER, "--json").json
    assert (paid["token"], paid["collected"], paid["to"]) == ("tUSD", "0.243749", METER)
    assert "nothing to collect" in run("shares", "collect", "shared", "--wallet", ANN).output
    shown = run("asset", "show", "shared", "--json").json
    assert shown["income"][1] == {"token": "tUSD", "gross": "1", "not_accrued": "0"}


def test_passes_are_sold_and_used(run: Run, config: Config):
    register(run, "prepaid")
    assert "no plan yet" in run("pass", "plan", "prepaid").output
    offer = ("--price", "9", "--credits", "10", "--expires", "365d", "--wallet", OWNER, "--json")
    plan = run("pass", "plan", "prepaid", *offer).json
    assert (plan["price"], plan["credits"], plan["about_calls"], plan["on_sale"]) == ("9", "10", 6250, True)
    assert [each["id"] for each in run("pass", "plan", "prepaid", "--json").json] == [plan["id"]]

    mint(config, checksum(DEVNET_ADDRESSES[5]), 20_000_000)
    ended = run("pass", "buy", "prepaid", "--packages", "2", "--wallet", BUYER, "--json")
    assert "at most 18 tUSD" in ended.errors
    assert (ended.json["credits"], ended.json["paid"], ended.json["about_calls"]) == ("20", "18", 12500)
    activated = run("pass", "activate", plan["id"], "5", "--wallet", BUYER, "--json").json
    assert (activated["activated"], activated["meter"]) == ("5", METER)
    (held,) = run("pass", "balance", "prepaid", "--holder", BUYER, "--json").json
    assert (held["circulating"], held["activated"], held["about_calls"]) == ("15", "5", 12500)
    assert held["circulating_refund_from"].endswith("Z")
    assert held["activated_refund_from"].endswith("Z")
    assert plan["id"] in run("pass", "balance", "--holder", BUYER).output
    poor = run("pass", "buy", "prepaid", "--wallet", BUYER)
    assert poor.errors.splitlines()[-1].startswith("error not_enough_money: ")


@pytest.mark.parametrize(
    ("code", "words", "arguments"),
    [
        ("unknown_asset", ["nothing", "asset list"], ["asset", "show", "nothing"]),
        ("unknown_asset", ["0000012"], ["shares", "holders", "0x12"]),
        ("invalid_asset_id", ["2**128"], ["asset", "show", str(1 << 129)]),
        ("invalid_asset", ["name", "numbers are ids"], ["asset", "register", "12", "--wallet", OWNER]),
        ("invalid_asset", ["symbol"], ["asset", "register", "a", "--symbol", "A B", "--wallet", OWNER]),
        ("invalid_asset", ["notice", "1 hour"], ["asset", "register", "a", "--notice", "59m", "--wallet", OWNER]),
        ("invalid_duration", ["soon"], ["asset", "register", "a", "--notice", "soon", "--wallet", OWNER]),
        ("invalid_asset", ["currency", "tUSD"], ["asset", "register", "a", "--currency", "EUR", "--wallet", OWNER]),
        ("invalid_amount", ["input", "1e3"], ["asset", "register", "a", "--input", "1e3", "--wallet", OWNER]),
        ("invalid_part", ["owner", "12.5"], ["asset", "register", "a", "--owner", "0x12", "--wallet", OWNER]),
        ("invalid_address", ["owner"], ["asset", "register", "a", "--owner", "0x12:5", "--wallet", OWNER]),
        (
            "invalid_asset",
            ["owners", "100 per cent", "100.1"],
            ["asset", "register", "a", "--owner", f"{ANN_ADDRESS}:100.1", "--wallet", OWNER],
        ),
        ("invalid_asset", ["resale"], ["asset", "register", "a", "--resale-royalty", "11", "--wallet", OWNER]),
        ("invalid_hash", ["salt"], ["asset", "register", "a", "--salt", "0x12", "--wallet", OWNER]),
        (
            "not_contract",
            [ANN_ADDRESS.lower()],
            ["asset", "register", "a", "--transfer-policy", ANN_ADDRESS, "-w", OWNER],
        ),
        ("keystore_missing", ["nobody"], ["asset", "register", "a", "--wallet", "nobody"]),
        ("keystore_missing", ["nobody"], ["asset", "list", "--mine", "--wallet", "nobody"]),
        ("not_title_holder", ["title"], ["asset", "price", "bad", "--call", "1", "--wallet", ANN]),
        ("not_title_holder", ["title"], ["asset", "retire", "bad", "--wallet", ANN]),
        ("not_title_holder", ["title"], ["pass", "plan", "bad", "--price", "1", "--credits", "1", "--wallet", ANN]),
        ("invalid_asset", ["differ"], ["asset", "price", "bad", "--call", "0.0001", "--wallet", OWNER]),
        ("not_enough_shares", ["holds 0"], ["shares", "transfer", "bad", METER, "1", "--wallet", ANN]),
        ("invalid_asset", ["above 0"], ["shares", "transfer", "bad", METER, "0", "--wallet", OWNER]),
        ("invalid_amount", ["0.0000001"], ["shares", "transfer", "bad", METER, "0.0000001", "--wallet", OWNER]),
        ("invalid_address", ["to"], ["shares", "collect", "bad", "--to", "0x1", "--wallet", OWNER]),
        ("unknown_plan", ["not one plan"], ["pass", "buy", "bad", "--wallet", BUYER]),
        ("unknown_plan", [hex(1 << 200)], ["pass", "activate", hex(1 << 200), "1", "--wallet", BUYER]),
    ],
)
def test_bad_input_is_one_line_with_its_code(run: Run, code: str, words: list[str], arguments: list[str]):
    if "bad" in arguments and run("asset", "show", "bad").code:
        register(run, "bad")
    run(*arguments).refused(code, *words)


def test_a_parent_is_named_by_asset(run: Run):
    parent = register(run, "parent")
    register(run, "child", "--parent", "parent:12.5")
    shown = run("asset", "show", "child", "--json").json
    assert shown["parents"] == [{"shares": parent["shares"], "royalty_bps": 1250}]


def test_a_wallet_is_found_by_name_without_its_password(run: Run, config: Config):
    config.keys.folder.mkdir(exist_ok=True)
    made = write_keystore(config.keys.folder / "cold.json", bytes(31) + b"\7", "secret", scrypt_n=2)
    register(run, "held", "--owner", f"{made}:1")
    pending = run("shares", "pending", "held", "--holder", "cold", "--json").json
    assert [row["pending"] for row in pending] == ["0", "0"]
    assert run("asset", "list", "--mine", "--wallet", "cold", "--json").json == []
    (config.keys.folder / "torn.json").write_text("{")
    run("shares", "pending", "held", "--holder", "torn").refused("invalid_key", "torn.json")


def test_missing_options_are_told(run: Run):
    assert run("asset", "list", "--mine").code == 2
    ended = run("pass", "plan", "bad", "--price", "9")
    assert ended.code == 2
    assert "--credits" in ended.errors


def test_open_shares_on_a_public_chain_come_with_a_warning(run: Run, config: Config, monkeypatch: pytest.MonkeyPatch):
    config.keys.folder.mkdir(exist_ok=True)
    write_keystore(config.keys.folder / "public.json", bytes(31) + b"\3", "secret", scrypt_n=2)
    for name, value in {"CHAIN_ID": "8453", "CHAIN_CONFIRMATIONS": "5", "DATA_SECRET": "s" * 32}.items():
        monkeypatch.setenv(f"USUFRUCT_{name}", value)
    monkeypatch.setenv("USUFRUCT_KEYS_PASSWORD", "secret")
    ended = run("asset", "register", "a", "--transfer-policy", "open", "--wallet", "public")
    assert "securities in many places" in ended.errors
    assert "error wrong_chain" in ended.errors


def test_a_process_of_its_own_says_the_same(config: Config):
    command = [sys.executable, "-m", "usufruct.cli", "asset", "show", "nothing"]
    environment = process_environment(config)
    ended = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=180, check=False)
    Ended(ended.returncode, ended.stdout, ended.stderr).refused("unknown_asset", "nothing")


@pytest.mark.parametrize(
    "command",
    [
        *(["asset", name] for name in ("register", "show", "list", "price", "retire")),
        *(["shares", name] for name in ("transfer", "holders", "pending", "collect")),
        *(["pass", name] for name in ("plan", "buy", "activate", "balance")),
    ],
)
def test_help_has_an_example(run: Run, command: list[str]):
    shown = run(*command, "--help")
    assert shown.code == 0
    assert f"Example: usufruct {' '.join(command)}" in " ".join(shown.output.split())
