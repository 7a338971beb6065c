"""A list becomes a file, and the contract on a devnet pays the file's proofs; the remainder goes to the treasury."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.staking.airdrop_samples import CAP, sample_entries, write_csv
from tests.support import command_line
from tests.support.devnet import Devnet
from tests.support.devnet_template import DevnetTemplate
from tests.support.waiting import until
from usufruct.app import set_up_devnet
from usufruct.chain import Call, Client, open_node
from usufruct.chain.contracts.airdrop import Airdrop, AlreadyClaimed
from usufruct.chain.contracts.platform_token import PlatformToken
from usufruct.chain.contracts.vote_escrow import LockView, VoteEscrow
from usufruct.chain.deployment import address_of, deployment_of
from usufruct.chain.keys import DEVNET_ADDRESSES, Role, signer_of
from usufruct.config import Config, load_config
from usufruct.core import Address
from usufruct.staking import AirdropFile, build_airdrop

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


def test_an_entry_is_claimed_into_a_lock(config: Config, own: dict[str, str], tmp_path: Path):
    commands, account = command_line.Commands(own), DEVNET_ADDRESSES[7]
    escrow = asyncio.run(set_up_devnet(config)).address(VoteEscrow)
    write_csv(tmp_path, [(account, 5 * 10**18), *ENTRIES])
    file = commands.json("airdrop", "build", str(tmp_path / "holders.csv"), "--cap", "1000000")["file"]
    owner = str(DEVNET_ADDRESSES.index(signer_of(Role.OWNER, config).address))
    until = (datetime.now(UTC) + timedelta(days=300)).date().isoformat()
    deployed = commands.json("airdrop", "deploy", file, "--until", until, "--wallet", owner)
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
