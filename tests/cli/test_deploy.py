"""Deploying to a public chain (here a node with such a chain's id): the plan, the owner's key, once and not again."""

import asyncio
import json
import secrets
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.support.deploying import setup_of
from tests.support.devnet import Devnet, devnet_client
from usufruct.chain import RpcUnavailable, Sender, toolchain
from usufruct.chain.contracts.asset_registry import AssetRegistry
from usufruct.chain.contracts.till import PayeeKind, Till
from usufruct.chain.deployment import Deployments, DeploySite, public_contracts
from usufruct.chain.escrow import COLLECTOR, SETTLEMENT
from usufruct.chain.keys import KeySigner, write_keystore
from usufruct.core import Address, ChainId, checksum
from usufruct.gateway import Operator
from usufruct.store import migrate, open_database

pytestmark = pytest.mark.anvil

BASE_SEPOLIA = ChainId(84532)
WRAPPED = Address("0x4200000000000000000000000000000000000006")
SINK = Address("0x" + "77" * 20)
PASSWORD = "a password for tests"
ETHER = 10**18


@pytest.fixture(scope="module")
def chain(cli_world, tmp_path_factory) -> Iterator[Any]:
    """Commands on a public chain with x402's settlement, wrapped ether and a dollar; `token` is the dollar."""
    folder, port = tmp_path_factory.mktemp("public"), cli_world.free_port()
    command = [toolchain.find("anvil"), "--port", str(port), "--chain-id", str(BASE_SEPOLIA), "--block-time", "0.05"]
    own = cli_world.settings(folder, f"http://127.0.0.1:{port}", chain_id=BASE_SEPOLIA, chain_confirmations=2)
    own |= {"USUFRUCT_DATA_SECRET": "s" * 32, "USUFRUCT_KEYS_PASSWORD": PASSWORD, "USUFRUCT_CHAIN_FEE_SINK": SINK}
    with subprocess.Popen([*command, "--silent"], stdout=subprocess.DEVNULL) as node:
        made = cli_world.Commands(own)
        made.token = asyncio.run(furnish(made, folder))
        yield made
        node.terminate()


@pytest.fixture
def public(chain, tmp_path) -> Any:
    """Commands of an installation of its own on that chain: no keys, nothing deployed."""
    folders = {"USUFRUCT_DATA_FOLDER": str(tmp_path), "USUFRUCT_KEYS_FOLDER": str(tmp_path / "keys")}
    return replace(chain, own=chain.own | folders)


@pytest.fixture
def keyed(public) -> Any:
    """The same with fresh keys of owner and claims, and money for the owner."""
    public.config.keys.folder.mkdir()
    asyncio.run(give(public, new_key(public, "owner"), ETHER))
    new_key(public, "claim")
    return public


@pytest.fixture
def deployed(keyed) -> Any:
    """The same, deployed."""
    keyed.json(*deploying(keyed, "--yes"))
    return keyed


def new_key(public: Any, role: str, secret: bytes = b"") -> Address:
    path = public.config.keys.folder / f"{role}.json"
    return write_keystore(path, secret or secrets.token_bytes(32), PASSWORD, scrypt_n=2)


async def furnish(commands: Any, folder: Any) -> Address:
    """Put on the chain what a public one has: the work of a stranger's key; and give our keys money."""
    database = open_database(f"sqlite:///{folder / 'stranger.db'}")
    await migrate(database)
    async with devnet_client(commands.config.chain.rpc_url) as client:
        for _ in range(200):
            try:
                await client.chain_id()
                break
            except RpcUnavailable:
                await asyncio.sleep(0.05)
        devnet, stranger = Devnet(client), KeySigner(bytes(31) + b"\x09")
        await devnet.set_balance(stranger.address, ETHER)
        sender = Sender(client, stranger, database, BASE_SEPOLIA, poll_seconds=0.03)
        site = DeploySite(client, sender, Deployments(BASE_SEPOLIA, {}), setup_of(stranger.address, SINK))
        for step in public_contracts(site):
            await step.take()
        found = site.deployments
        wrapped = found.contracts["WrappedNative"].address
        await devnet.set_code(WRAPPED, await client.code_at(wrapped))
    await database.close()
    return found.contracts["TestDollar"].address


async def give(commands: Any, account: Address, wei: int) -> None:
    async with devnet_client(commands.config.chain.rpc_url) as client:
        await Devnet(client).set_balance(account, wei)


def deploying(public: Any, *more: str) -> list[str]:
    return ["deploy", "--token", public.token, "--fee-bps", "250", *more]


def test_what_is_missing_is_asked_for_in_turn_and_then_it_is_deployed_once(public, cli_world):
    public.config.keys.folder.mkdir()
    missing = public.refused(*deploying(public, "--yes"))
    assert (missing.code, "usufruct wallet new owner" in missing.message) == ("keystore_missing", True)
    owner = new_key(public, "owner")
    assert "usufruct wallet new claim" in public.refused(*deploying(public, "--yes")).message
    claim = new_key(public, "claim")
    assert public.refused("deploy", "--yes").code == "missing_choice"
    assert public.refused(*deploying(public, "--wrapped-native", "0x" + "12" * 20)).code == "no_contract"
    assert public.refused(*deploying(public, "--yes")).code == "owner_unfunded"
    asyncio.run(give(public, owner, ETHER))
    assert public.refused(*deploying(public)).code == "not_confirmed"
    assert "usufruct deploy" in public.refused("up").message

    deployed = public.json(*deploying(public, "--yes"))

    assert deployed["chain_id"] == BASE_SEPOLIA
    registry, till = deployed["AssetRegistry"].lower(), deployed["Till"].lower()

    async def look() -> tuple[object, ...]:
        async with devnet_client(public.config.chain.rpc_url) as client:
            where = AssetRegistry(registry, client)
            return (
                await where.fee_bps(),
                await where.fee_sink(),
                await where.is_revenue_token(public.token),
                await where.is_revenue_token(WRAPPED),
                await Till(till, client).claim_keys(claim),
                await Till(till, client).payees(SINK),
                await Till(till, client).owner(),
                await client.nonce(owner),
            )

    before = asyncio.run(look())
    assert before == (250, SINK, True, True, True, PayeeKind.PLAIN, owner, 11)
    assert public.json(*deploying(public)) == deployed, "nothing is left to do, so nobody is asked"
    assert asyncio.run(look()) == before

    moved = public.refused("deploy", "--token", public.token, "--fee-bps", "100", "--yes")
    assert moved.code == "already_deployed"
    assert deployed["AssetRegistry"].lower() in moved.message


def test_the_plan_is_shown_and_confirmed_first(keyed, monkeypatch):
    monkeypatch.setattr("usufruct.cli.support.prompts.at_terminal", lambda: True)
    another = deploying(keyed, "--claim-key", checksum(Address("0x" + "3c" * 20)))
    declined = keyed.run(*another, typed="n\n")
    assert declined.exception.code == "not_confirmed"
    assert "deploy AssetRegistry" in declined.stdout
    assert "80,000" in declined.stdout
    confirmed = keyed.run(*another, typed="y\n")
    assert confirmed.exit_code == 0
    assert "80,000" not in keyed.run(*another).stdout


def test_nothing_is_handed_over_on_a_public_chain_before_somebody_says_yes(deployed):
    for command in (("till", "transfer", SINK), ("registry", "transfer", SINK), ("registry", "fee", "300")):
        assert deployed.refused(*command).code == "not_confirmed"
    shown = deployed.json("registry", "show")
    assert (shown["fee_bps"], shown["next_owner"]) == (250, None)
    assert deployed.json("registry", "fee", "260", "--yes")["fee_bps"] == 260
    assert deployed.json("registry", "fee", "250", "--yes")["changed"] is True


def test_the_installation_then_runs_on_it(deployed):
    assert "usufruct wallet new receipts" in deployed.refused("service", "list").message
    new_key(deployed, "receipts")
    unset = deployed.refused("service", "list")
    assert (unset.code, "chain.token" in unset.message) == ("invalid_setting", True)
    configured = replace(deployed, own=deployed.own | {"USUFRUCT_CHAIN_TOKEN": deployed.token})
    assert configured.json("service", "list") == []

    async def facts(installation):
        operator = installation.get(Operator)
        return operator.symbol, operator.decimals, operator.token

    assert configured.inside(facts) == ("tUSD", 6, deployed.token)


@pytest.mark.parametrize("place", [SETTLEMENT, COLLECTOR])
def test_a_chain_without_x402s_escrow_is_refused_before_any_plan(keyed, place):
    async def swap(code: bytes) -> bytes:
        async with devnet_client(keyed.config.chain.rpc_url) as client:
            before = await client.code_at(place)
            await Devnet(client).set_code(place, code)
            return before

    code = asyncio.run(swap(b""))
    try:
        done = keyed.run(*deploying(keyed, "--yes"))
        examined = json.loads(keyed.run("doctor", "--json").stdout)
    finally:
        asyncio.run(swap(code))
    assert done.exception.code == "escrow_missing"
    assert checksum(place) in done.exception.message
    assert "To be sent by" not in done.stdout + done.stderr
    assert any(each["verdict"] == "problem" and checksum(place) in each["says"] for each in examined)


def test_a_devnet_takes_no_choices(commands):
    assert commands.refused("deploy", "--token", "0x" + "11" * 20).code == "invalid"
    assert commands.json("deploy")["chain_id"] == 31337


def test_a_key_everybody_knows_is_refused_on_a_public_chain(deployed):
    known = bytes.fromhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")
    new_key(deployed, "receipts", known)
    configured = replace(deployed, own=deployed.own | {"USUFRUCT_CHAIN_TOKEN": deployed.token})
    assert configured.refused("service", "list").code == "devnet_key_refused"
