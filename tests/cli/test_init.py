"""`usufruct init` on chains like public ones: own id, no rich accounts, real waiting; killed at each step."""

import asyncio
import configparser
import json
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.devnet import Devnet, devnet_client
from usufruct.chain import Sender, toolchain
from usufruct.chain.contracts.test_dollar import TestDollar
from usufruct.chain.contracts.till import PayeeKind, Till
from usufruct.chain.contracts.wrapped_native import WrappedNative
from usufruct.chain.deployment import Deployments, DeploySite, Setup, public_contracts
from usufruct.chain.escrow import SETTLEMENT
from usufruct.chain.keys import KeySigner
from usufruct.cli.support.known_chains import KNOWN_CHAINS
from usufruct.cli.support.progress import qr_lines
from usufruct.config import load_config
from usufruct.core import ZERO_ADDRESS, Address, ChainId, checksum
from usufruct.core.networks import REHEARSAL_CHAIN_ID
from usufruct.store import migrate, open_database

pytestmark = pytest.mark.anvil

BASE_SEPOLIA = ChainId(84532)
PAYEE = checksum(Address("0x" + "77" * 20))
SEND = re.compile(r"Send (\S+) of the chain's coin to (0x[0-9a-fA-F]{40})")


@dataclass(frozen=True)
class PublicChain:
    """A node without rich accounts, on which x402's escrow and a dollar are."""

    url: str
    dollar: str
    wrapped: str
    options: tuple[str, ...]


async def _furnish(url: str, folder: Path) -> tuple[str, str]:
    database = open_database(f"sqlite:///{folder / 'stranger.db'}")
    await migrate(database)
    async with devnet_client(url) as client:
        chain_id = ChainId(await client.chain_id())
        stranger = KeySigner(secrets.token_bytes(32))
        await Devnet(client).set_balance(stranger.address, 10**20)
        sender = Sender(client, stranger, database, chain_id, poll_seconds=0.05)
        none = ZERO_ADDRESS
        setup = Setup(none, none, none, 0, wrapped_native=none, token=none, claim_key=none, treasury=none)
        site = DeploySite(client, sender, Deployments(chain_id, {}), setup)
        for step in public_contracts(site):
            await step.take()
        wrapped, dollar = map(site.deployments.address, (WrappedNative, TestDollar))
    await database.close()
    return checksum(wrapped), checksum(dollar)


@pytest.fixture(scope="module")
def chain(cli_world, tmp_path_factory) -> Iterator[PublicChain]:
    folder, port = tmp_path_factory.mktemp("public"), cli_world.free_port()
    command = [toolchain.find("anvil"), "--port", str(port), "--chain-id", str(BASE_SEPOLIA), "--accounts", "0"]
    with subprocess.Popen([*command, "--block-time", "0.1", "--silent"], stdout=subprocess.DEVNULL) as node:
        url = f"http://127.0.0.1:{port}"
        asyncio.run(_answers(url))
        wrapped, dollar = asyncio.run(_furnish(url, folder))
        options = ("--rpc", url, "--token", dollar, "--wrapped-native", wrapped, "--pay-to", PAYEE, "--yes", "--json")
        yield PublicChain(url, dollar, wrapped, options)
        node.terminate()


async def _answers(url: str) -> None:
    async with devnet_client(url) as client:
        for _ in range(200):
            try:
                await client.chain_id()
            except Exception:
                await asyncio.sleep(0.05)
            else:
                return


@pytest.fixture
def own(tmp_path) -> dict[str, str]:
    """The environment of a user who never used this program."""
    folders = {"HOME": tmp_path, "XDG_CONFIG_HOME": tmp_path / "config", "XDG_DATA_HOME": tmp_path / "data"}
    return {name: str(value) for name, value in folders.items()}


@pytest.fixture
def newcomer(cli_world, own) -> Any:
    """That user's commands, run in this process."""
    return cli_world.Commands(own)


@contextmanager
def _started(cli_world: Any, own: dict[str, str], *arguments: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-m", "usufruct.cli", "init", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=cli_world.process_environment(own),
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _read_until(process: subprocess.Popen[str], words: str) -> str:
    """Read what the command tells people, up to the line with `words`."""
    told = ""
    for line in process.stderr:
        told += line
        if words in line:
            return told
    raise AssertionError(f"{words!r} was never said: {told}")


def _give(url: str, address: str, coins: str) -> None:
    async def give() -> None:
        async with devnet_client(url) as client:
            await Devnet(client).set_balance(Address(address.lower()), int(float(coins) * 10**18) + 10**13)

    asyncio.run(give())


def _config_file(own: dict[str, str]) -> Path:
    return Path(own["XDG_CONFIG_HOME"]) / "usufruct" / "config.toml"


def _nonce(url: str, address: str) -> int:
    async def ask() -> int:
        async with devnet_client(url) as client:
            return await client.nonce(Address(address.lower()))

    return asyncio.run(ask())


def test_it_waits_for_gas_money_and_ends_ready_to_sell(chain, cli_world, newcomer, own):
    with _started(cli_world, own, *chain.options) as process:
        coins, owner = SEND.search(_read_until(process, "Send ")).groups()
        assert process.poll() is None
        _give(chain.url, owner, coins)
        answer, told = process.communicate(timeout=240)
    assert process.returncode == 0, told
    facts = json.loads(answer)
    assert facts["ready"]
    assert facts["problems"] == []
    assert facts["keys"]["owner"] == owner
    assert _config_file(own).stat().st_mode & 0o777 == 0o600

    config = load_config({}, _config_file(own))
    assert (config.chain.id, checksum(config.chain.token)) == (BASE_SEPOLIA, chain.dollar)
    assert checksum(config.chain.fee_sink) == PAYEE
    assert len(config.data.secret.reveal()) >= 32
    keystores = [json.loads(path.read_text()) for path in config.keys.folder.glob("*.json")]
    assert {each["crypto"]["kdfparams"]["n"] for each in keystores} == {4_096}  # under a password that nobody can guess

    async def check() -> None:
        async with devnet_client(chain.url) as client:
            till = Till(Deployments.read(config.data.folder, BASE_SEPOLIA).address(Till), client)
            assert await till.claim_keys(Address(facts["keys"]["claim"].lower()))
            assert await till.payees(Address(PAYEE.lower())) is PayeeKind.PLAIN
            for role in ("claim", "relayer"):
                assert await client.balance(Address(facts["keys"][role].lower()))

    asyncio.run(check())

    sent = _nonce(chain.url, owner)
    assert newcomer.json("init", "--yes") == facts | {"fund": {"address": owner, "missing_wei": "0"}}
    assert _nonce(chain.url, owner) == sent  # nothing is sent twice


def test_killed_at_every_step_it_goes_on_where_it_was(chain, cli_world, newcomer, own):
    owner = ""
    for last_words in ("wrote ", "2. Keys", "Send ", "To be sent", "done deploying", "done sending"):
        with _started(cli_world, own, *chain.options) as process:
            told = _read_until(process, last_words)
        if found := SEND.search(told):
            coins, address = found.groups()
            assert owner in ("", address)  # the keys stay the same
            owner = address
            _give(chain.url, owner, coins)
    facts = newcomer.json("init", "--yes")
    assert facts["ready"]
    assert facts["keys"]["owner"] == owner
    # three contracts, four settings, two supplies, and at most one setting sent again by each run that was killed
    assert 9 <= _nonce(chain.url, owner) <= 11


def test_without_waiting_it_says_how_to_go_on(chain, newcomer):
    done = newcomer.run("init", *chain.options, "--no-wait")
    assert done.exit_code == 0, done.stderr
    facts = json.loads(done.stdout)
    assert not facts["ready"]
    assert int(facts["fund"]["missing_wei"]) > 0
    assert "usufruct init" in done.stderr


def test_another_installation_begins_in_the_file_that_is_named(chain, cli_world, own, tmp_path):
    file = tmp_path / "another" / "settings.toml"
    commands = cli_world.Commands(own | {"USUFRUCT_CONFIG": str(file)})
    assert commands.json("init", *chain.options, "--no-wait")["configuration"] == str(file)
    assert load_config({}, file).data.secret
    assert not _config_file(own).exists()


def test_a_rehearsal_needs_no_money_of_the_user(cli_world, newcomer, own, tmp_path):
    port = cli_world.free_port()
    command = [toolchain.find("anvil"), "--port", str(port), "--chain-id", str(REHEARSAL_CHAIN_ID), "--accounts", "0"]
    with subprocess.Popen([*command, "--block-time", "0.1", "--silent"], stdout=subprocess.DEVNULL) as node:
        asyncio.run(_answers(f"http://127.0.0.1:{port}"))
        unit, caddy = tmp_path / "usufruct.service", tmp_path / "Caddyfile"
        files = ("--systemd", str(unit), "--caddy", str(caddy), "--domain", "ai.example.org")
        done = newcomer.run(
            "init", "--rehearse", "--rpc", f"http://127.0.0.1:{port}", "--pay-to", PAYEE, "--yes", *files
        )
        assert done.exit_code == 0, done.output
        assert "usufruct sell --upstream" in done.stdout
        read = configparser.ConfigParser(interpolation=None)
        read.read_string(unit.read_text())
        assert read["Service"]["Environment"] == f'"USUFRUCT_CONFIG={_config_file(own)}"'
        assert read["Service"]["ExecStart"].endswith(" up")
        assert 'public_url = "https://ai.example.org"' in _config_file(own).read_text()
        assert caddy.read_text().startswith("ai.example.org {\n\treverse_proxy 127.0.0.1:8402 {")
        node.terminate()


@pytest.mark.parametrize(
    ("change", "code", "named"),
    [
        ({"--pay-to": None}, "missing_choice", "--pay-to"),
        ({"--pay-to": "0x9965507D1a55bcC2695C58ba16FB37d819B0A4dd"}, "address_mistyped", "--pay-to"),
        ({"--token": SETTLEMENT}, "token_unsuitable", "ERC-20"),
        ({"--token": "WRAPPED"}, "token_unsuitable", "EIP-3009"),
        ({"--chain": "bose"}, "unknown_chain", "base (8453)"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_written(chain, newcomer, own, change, code, named):
    options = dict(zip(chain.options[:-2:2], chain.options[1:-2:2], strict=True)) | change
    options = {name: chain.wrapped if value == "WRAPPED" else value for name, value in options.items()}
    given = [part for name, value in options.items() if value is not None for part in (name, value)]
    refusal = newcomer.refused("init", *given, "--yes", "--json")
    assert refusal.code == code
    assert named in refusal.message
    assert not list(_config_file(own).parent.glob("*"))


def test_other_options_than_the_first_time_are_refused(chain, newcomer):
    newcomer.json("init", *chain.options, "--no-wait")
    other = checksum(Address("0x" + "88" * 20))
    refusal = newcomer.refused("init", "--pay-to", other)
    assert refusal.code == "configuration_differs"
    assert PAYEE in refusal.message
    assert other in refusal.message


def test_a_devnet_needs_no_init(commands, newcomer):
    assert "usufruct up" in newcomer.refused("init", "--rpc", commands.config.chain.rpc_url, "--pay-to", PAYEE).message


def test_known_chains_are_told_apart_and_written_right():
    assert len({each.id for each in KNOWN_CHAINS}) == len({each.name for each in KNOWN_CHAINS}) == len(KNOWN_CHAINS)
    for each in KNOWN_CHAINS:
        assert each.token == checksum(Address(each.token.lower()))
        assert each.wrapped_native == checksum(Address(each.wrapped_native.lower()))
        assert each.confirmations >= 2
        assert each.rpc_url.startswith("https://")


def test_an_address_is_drawn_as_a_code_that_fits_a_terminal():
    lines = qr_lines(f"ethereum:{PAYEE}@8453?value=1000000000000000")
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 120
