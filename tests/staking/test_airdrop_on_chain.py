"""A list becomes a file, and the contract on a devnet pays the file's proofs; the remainder goes to the treasury."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.staking.airdrop_samples import CAP, sample_entries, write_csv
from tests.support import command_line
from tests.support.devnet import Devnet
from tests.support.devnet_template import DevnetTemplate
from tests.support.waiting import until
from usufruct.app import set_up_devnet
from usufruct.chain import Call, Client, State, open_chain, open_node
from usufruct.chain.contracts.airdrop import Airdrop, AlreadyClaimed
from usufruct.chain.contracts.platform_token import PlatformToken
from usufruct.chain.contracts.vote_escrow import LockView, VoteEscrow
from usufruct.chain.deployment import address_of, deployment_of
from usufruct.chain.keys import DEVNET_ADDRESSES, Role, signer_of
from usufruct.config import Config, DatabaseConfig, load_config
from usufruct.core import Address, format_units
from usufruct.staking import AirdropFile, Airdrops, build_airdrop
from usufruct.staking.airdrop_terms import NotAnAirdrop, read_terms

pytestmark = pytest.mark.anvil

STRANGER, TREASURY = Address("0x" + "5e" * 20), Address("0x" + "7e" * 20)
NO_ESCROW = Address("0x" + "0" * 40)
ENTRIES = sample_entries(20)
DAYS, WEEK = 30 * 86_400, 7 * 86_400


@pytest.fixture
def own(devnet_template: DevnetTemplate, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Settings of an installation with a platform token, on a devnet that runs."""
    with devnet_template.copy(tmp_path) as anvil:
        names = {"USUFRUCT_PLATFORM_TOKEN_NAME": "Example", "USUFRUCT_PLATFORM_TOKEN_SYMBOL": "EXM"}
        yield command_line.settings(tmp_path, anvil.url) | names


@pytest.fixture
def config(own: dict[str, str]) -> Config:
    return load_config(own)


async def send(client: Client, sender: Address, call: Call) -> None:
    """Send a call as any address, and wait until it is mined."""
    devnet = Devnet(client)
    await devnet.set_balance(sender, 10**18)
    sent = await devnet.send_as(sender, call)
    await until(lambda: client.receipt(sent))


def test_commands_deploy_fund_and_claim(config: Config, own: dict[str, str], tmp_path: Path):
    commands = command_line.Commands(own)
    place = asyncio.run(set_up_devnet(config)).address(PlatformToken)
    write_csv(tmp_path, ENTRIES)
    file = commands.json("airdrop", "build", str(tmp_path / "holders.csv"), "--cap", "1000000")["file"]
    owner = str(DEVNET_ADDRESSES.index(signer_of(Role.OWNER, config).address))
    until = (datetime.now(UTC) + timedelta(days=300)).date().isoformat()
    deploying = ("airdrop", "deploy", file, "--until", until, "--wallet", owner)
    deployed = commands.json(*deploying)
    assert commands.json(*deploying) == deployed

    account, amount = ENTRIES[0]
    claiming = ("airdrop", "claim", account, "--file", file, "--contract", deployed["contract"], "--wallet", "7")
    claimed = commands.json(*claiming)
    assert commands.json(*claiming)["transaction"] == claimed["transaction"]

    async def held() -> tuple[int, int]:
        async with open_node(config) as client:
            token = PlatformToken(place, client)
            left = await token.balance_of(Address(deployed["contract"].lower()))
            return await token.balance_of(Address(account)), left

    assert commands.json(*deploying) == deployed  # and does not fund what was claimed again
    assert asyncio.run(held()) == (amount, sum(each for _, each in ENTRIES[1:]))
    write_csv(tmp_path, ENTRIES[1:])
    other = commands.json("airdrop", "build", str(tmp_path / "holders.csv"), "--cap", "1000000", "--out", file + "2")
    refused = commands.refused(
        *("airdrop", "claim", ENTRIES[1][0], "--file", other["file"], "--contract", deployed["contract"], "-w", "7")
    )
    assert refused.code == "other_airdrop"
    assert commands.refused(*deploying[:4], "tomorrow", *deploying[5:]).code == "invalid_day"

    sweeping = ("airdrop", "sweep", deployed["contract"], "--wallet", "7")
    assert commands.refused(*sweeping).code == "claims_running"

    async def end() -> int:
        async with open_node(config) as client:
            await Devnet(client).pass_time(301 * 86_400)
            token = PlatformToken(place, client)
            return await token.balance_of(Address(deployed["treasury"].lower()))

    before = asyncio.run(end())
    swept = commands.json(*sweeping)
    rest = sum(each for _, each in ENTRIES[1:])
    assert (swept["treasury"], swept["swept"]) == (deployed["treasury"], format_units(rest, 18))
    assert asyncio.run(end()) - before == rest
    assert commands.json(*sweeping) == {**swept, "swept": "0", "transaction": None}


def test_an_entry_is_claimed_into_a_lock(config: Config, own: dict[str, str], tmp_path: Path):
    commands, account = command_line.Commands(own), DEVNET_ADDRESSES[7]
    escrow = asyncio.run(set_up_devnet(config)).address(VoteEscrow)
    write_csv(tmp_path, [(account, 5 * 10**18), *ENTRIES])
    file = commands.json("airdrop", "build", str(tmp_path / "holders.csv"), "--cap", "1000000")["file"]
    owner = str(DEVNET_ADDRESSES.index(signer_of(Role.OWNER, config).address))
    until = (datetime.now(UTC) + timedelta(days=300)).date().isoformat()
    deploying = ("airdrop", "deploy", file, "--until", until, "--wallet", owner)
    for other in (STRANGER, asyncio.run(set_up_devnet(config)).address(PlatformToken)):
        assert commands.refused(*deploying, "--escrow", other).code == "not_an_escrow"
    deployed = commands.json(*deploying)
    assert (deployed["escrow"].lower(), deployed["may_lock"]) == (escrow, True)

    claiming = ("airdrop", "claim", account, "--file", file, "--contract", deployed["contract"], "--lock", "26")
    assert commands.refused(*claiming, "--wallet", "6").code == "not_own_entry"
    claimed = commands.json(*claiming, "--wallet", "7")
    assert (claimed["amount"], claimed["locked_weeks"]) == ("5", 26)

    async def locked() -> LockView:
        async with open_node(config) as client:
            return await VoteEscrow(escrow, client).lock_of(account)

    lock = asyncio.run(locked())
    assert (lock.amount, lock.renewal_weeks) == (5 * 10**18, 0)
    assert lock.ends_at % WEEK == 0


@pytest.fixture
def token(config: Config) -> Address:
    return asyncio.run(set_up_devnet(config)).address(PlatformToken)


@pytest.mark.usefixtures("token")
def test_a_stranger_who_deploys_first_changes_nothing(config: Config, tmp_path: Path):
    built = build_airdrop(write_csv(tmp_path, ENTRIES), tmp_path / "out", CAP)

    async def deploy() -> None:
        async with open_chain(config) as chain:
            owner, client = chain.sender(signer_of(Role.OWNER, config)), chain.client
            deadline = (await client.head()).timestamp + DAYS
            token = chain.deployments.address(PlatformToken)
            creation = Airdrop.deploy(token, built.root, deadline, TREASURY, NO_ESCROW)
            await send(client, STRANGER, deployment_of(Airdrop, creation))
            with AirdropFile(built.path) as file:
                for _ in range(2):
                    place = await Airdrops(chain).deploy(owner, file, deadline, TREASURY, NO_ESCROW)
                    assert place == address_of(Airdrop, creation)
            assert await PlatformToken(token, client).balance_of(place) == built.total

    asyncio.run(deploy())


@pytest.mark.usefixtures("token")
def test_a_strangers_deployment_in_the_same_block_changes_nothing(config: Config, tmp_path: Path):
    built = build_airdrop(write_csv(tmp_path, ENTRIES), tmp_path / "out", CAP)

    async def deploy() -> None:
        async with open_chain(config) as chain:
            owner, client = chain.sender(signer_of(Role.OWNER, config)), chain.client
            devnet, token = Devnet(client), PlatformToken(chain.deployments.address(PlatformToken), client)
            deadline = (await client.head()).timestamp + DAYS
            creation = Airdrop.deploy(token.address, built.root, deadline, TREASURY, NO_ESCROW)
            await devnet.set_balance(STRANGER, 10**18)
            await devnet.set_automine(on=False)
            first = await devnet.send_as(STRANGER, deployment_of(Airdrop, creation))
            with AirdropFile(built.path) as file:
                deploying = asyncio.create_task(Airdrops(chain).deploy(owner, file, deadline, TREASURY, NO_ESCROW))
                await until(owner.waiting)
                await devnet.set_automine(on=True)
                await devnet.mine()
                place = await deploying
            receipt = await client.receipt(first)
            assert receipt is not None
            assert receipt.succeeded
            assert (await owner.find(f"airdrop/deploy/{place}")).state is State.REVERTED
            assert await token.balance_of(place) == built.total

    asyncio.run(deploy())


@pytest.mark.usefixtures("token")
def test_an_airdrop_is_funded_once_whichever_database_knows_it(config: Config, tmp_path: Path):
    built = build_airdrop(write_csv(tmp_path, ENTRIES), tmp_path / "out", CAP)
    other = replace(config, database=DatabaseConfig(f"sqlite:///{tmp_path / 'other.db'}"))
    account, amount = ENTRIES[0]

    async def deploy(config: Config, deadline: int) -> int:
        async with open_chain(config) as chain:
            owner = chain.sender(signer_of(Role.OWNER, config))
            with AirdropFile(built.path) as file:
                place = await Airdrops(chain).deploy(owner, file, deadline, TREASURY, NO_ESCROW)
                entry = file.entry_of(Address(account))
            drop = Airdrop(place, chain.client)
            if not await drop.is_claimed(entry.index):
                await send(chain.client, STRANGER, drop.claim(entry.index, entry.account, amount, entry.proof))
            return await PlatformToken(await drop.token(), chain.client).balance_of(place)

    async def now() -> int:
        async with open_node(config) as client:
            return (await client.head()).timestamp

    deadline = asyncio.run(now()) + DAYS
    assert asyncio.run(deploy(config, deadline)) == built.total - amount
    assert asyncio.run(deploy(other, deadline)) == built.total - amount


def test_terms_are_read_from_an_airdrop_alone(config: Config, token: Address):
    async def read() -> None:
        async with open_node(config) as client:
            for place in (token, STRANGER):
                with pytest.raises(NotAnAirdrop, match="give the address"):
                    await read_terms(client, place)

    asyncio.run(read())


def test_proofs_from_the_file_are_paid_and_the_rest_goes_to_the_treasury(config: Config, tmp_path: Path):
    built = build_airdrop(write_csv(tmp_path, ENTRIES), tmp_path / "out", CAP)
    place = asyncio.run(set_up_devnet(config)).address(PlatformToken)

    async def airdrop() -> None:
        async with open_node(config) as client:
            token = PlatformToken(place, client)
            creation = Airdrop.deploy(place, built.root, (await client.head()).timestamp + DAYS, TREASURY, NO_ESCROW)
            drop = Airdrop(address_of(Airdrop, creation), client)
            await send(client, STRANGER, deployment_of(Airdrop, creation))
            owner = signer_of(Role.OWNER, config).address
            await send(client, owner, token.fund_airdrop(drop.address, built.total + 5))

            with AirdropFile(built.path) as file:
                for account, amount in ENTRIES:
                    entry = file.entry_of(Address(account))
                    claim = drop.claim(entry.index, entry.account, entry.amount, entry.proof)
                    await send(client, STRANGER, claim)
                    assert await token.balance_of(Address(account)) == amount
                    assert await drop.is_claimed(entry.index)
            with pytest.raises(AlreadyClaimed):
                await client.call(claim, sender=STRANGER)

            await Devnet(client).pass_time(DAYS)
            await send(client, STRANGER, drop.sweep())
            assert await token.balance_of(TREASURY) == 5
            assert await token.balance_of(drop.address) == 0

    asyncio.run(airdrop())
