"""Governor and timelock are deployed as configured, and no role of any contract is held outside the published table."""

import asyncio
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from tests.support import command_line
from tests.support.devnet import Devnet
from tests.support.devnet_template import DevnetTemplate
from tests.support.powers import Power, read_powers
from usufruct.app import open_installation, set_up_devnet
from usufruct.chain import Client, fee_sink_of, keccak, open_chain, open_node
from usufruct.chain.contracts.airdrop import Airdrop
from usufruct.chain.contracts.asset_registry import AssetRegistry
from usufruct.chain.contracts.deal_room import DealRoom
from usufruct.chain.contracts.exchange import Exchange
from usufruct.chain.contracts.fee_splitter import FeeSplitter
from usufruct.chain.contracts.levels import Levels
from usufruct.chain.contracts.platform_governor import PlatformGovernor
from usufruct.chain.contracts.platform_timelock import PlatformTimelock
from usufruct.chain.contracts.platform_token import PlatformToken
from usufruct.chain.contracts.reinvestor import Reinvestor
from usufruct.chain.contracts.test_market import TestMarket
from usufruct.chain.contracts.test_price_feed import TestPriceFeed
from usufruct.chain.contracts.till import PayeeKind, Till
from usufruct.chain.contracts.vote_escrow import VoteEscrow
from usufruct.chain.deployment import Deployments, address_of, deployment_of
from usufruct.chain.keys import DEVNET_ADDRESSES, Role, claim_address, signer_of
from usufruct.config import Config, GovernanceConfig, InvalidSetting, load_config
from usufruct.core import DAY_SECONDS, ZERO_ADDRESS, Address, moment
from usufruct.governance import NOT_KNOWN, PUBLISHED, Powers, Proposals, governor_creation
from usufruct.governance.powers import Power as ShownPower

ROOT = Path(__file__).parents[2]
ANN, GUARDIAN = DEVNET_ADDRESSES[5], DEVNET_ADDRESSES[8]
FLOOR = 20_000_000
TOKEN = 10**18
LEVELS = ",".join(f"{1_000 * number}={number}:{number}" for number in range(1, 11))
HERE, THERE = Address("0x" + "11" * 20), Address("0x" + "22" * 20)


def published(column: str) -> set[Power]:
    """Return what the table of powers says in a column."""
    page = (ROOT / "docs" / "protocol" / "governance.md").read_text()
    lines = [line.strip("|").split("|") for line in page.partition("## Powers")[2].splitlines() if line[:1] == "|"]
    heads, _, *rows = [[cell.strip().strip("`") for cell in line] for line in lines]
    return {(row[0], row[1], row[heads.index(column)]) for row in rows}


def configured(folder: Path, url: str) -> Config:
    return load_config(own_settings(folder, url))


def own_settings(folder: Path, url: str) -> dict[str, str]:
    expires = datetime.now(UTC) + timedelta(days=300)
    return command_line.settings(
        folder,
        url,
        platform_token_name="Example",
        platform_token_symbol="EXM",
        platform_token_allocation=f"{ANN}=10",
        platform_token_levels=LEVELS,
        platform_token_reinvest_test_price="0.05",
        governance_quorum_floor=FLOOR,
        governance_guardian=GUARDIAN,
        governance_guardian_until=expires.date().isoformat(),
    )


def names_of(config: Config, deployments: Deployments) -> dict[Address, str]:
    return {
        ZERO_ADDRESS: "none",
        signer_of(Role.OWNER, config).address: "owner key",
        claim_address(config): "claim key",
        fee_sink_of(config): "fee account",
        GUARDIAN: "guardian",
        deployments.address(FeeSplitter): "fee splitter",
        deployments.address(PlatformGovernor): "governor",
        deployments.address(PlatformTimelock): "timelock",
        deployments.address(Reinvestor): "reinvestor",
        deployments.address(TestMarket): "market",
        deployments.address(TestPriceFeed): "price feed",
    }


async def shown(config: Config) -> set[Power]:
    """Return what the pages show as held as published, in the words of the table."""
    async with open_chain(config) as chain:
        found = await Powers(chain, Proposals(chain).indexer).all()
    return {(each.contract, each.role, each.name) for each in found if each.published}


async def strange(config: Config) -> list[Power]:
    """Return what the pages flag."""
    async with open_chain(config) as chain:
        found = await Powers(chain, Proposals(chain).indexer).all()
    return [(each.contract, each.role, each.holder) for each in found if not each.published]


async def of_reverting(config: Config, contract: str) -> list[ShownPower]:
    """Return what is shown of a contract's roles while it reverts whatever it is asked."""
    async with open_chain(config) as chain:
        place, devnet = chain.deployments.contracts[contract].address, Devnet(chain.client)
        code = await chain.client.code_at(place)
        await devnet.set_code(place, bytes.fromhex("5f5ffd"))
        found = await Powers(chain, Proposals(chain).indexer).all()
        await devnet.set_code(place, code)
    return [each for each in found if each.contract == contract]


async def decide(client: Client, deployments: Deployments) -> None:
    """Lock, propose that the timelock accepts what it is offered, vote, queue and execute."""
    devnet, governor = Devnet(client), PlatformGovernor(deployments.address(PlatformGovernor), client)
    token, escrow = (each(deployments.address(each), client) for each in (PlatformToken, VoteEscrow))
    await devnet.send_as(ANN, token.approve(escrow.address, 100 * FLOOR * TOKEN))
    await devnet.send_as(ANN, escrow.lock(2 * FLOOR * TOKEN, 52))
    await devnet.pass_time(8 * DAY_SECONDS)

    kinds = (AssetRegistry, DealRoom, Exchange, Levels, PlatformToken, Reinvestor, VoteEscrow)
    owned = [each(deployments.address(each), client) for each in kinds]
    calls = [each.accept_ownership() for each in owned]
    what = ([call.to for call in calls], [0] * len(calls), [call.data for call in calls])
    description = "Accept what the operator offers"
    digest = keccak(description.encode())
    proposal = await governor.hash_proposal(*what, digest)
    await devnet.send_as(ANN, governor.propose(*what, description))
    await devnet.pass_time(DAY_SECONDS + 1)
    await devnet.send_as(ANN, governor.cast_vote(proposal, 1))
    await devnet.pass_time(6 * DAY_SECONDS)
    await devnet.send_as(ANN, governor.queue(*what, digest))
    await devnet.pass_time(2 * DAY_SECONDS)
    await devnet.send_as(ANN, governor.execute(*what, digest, value=0))


async def airdrop_for(client: Client, deployments: Deployments, treasury: Address) -> Address:
    """Deploy an airdrop whose rest goes to an account."""
    deadline = (await client.head()).timestamp + 365 * DAY_SECONDS
    places = deployments.address(PlatformToken), deployments.address(VoteEscrow)
    creation = Airdrop.deploy(places[0], bytes(31) + b"\1", deadline, treasury, places[1])
    await Devnet(client).send_as(ANN, deployment_of(Airdrop, creation))
    return address_of(Airdrop, creation)


@pytest.mark.anvil
def test_no_role_is_held_outside_the_published_table(devnet_template: DevnetTemplate, tmp_path: Path):
    async def journey(config: Config) -> None:
        deployments = await set_up_devnet(config)
        names = names_of(config, deployments)
        async with open_node(config) as client:
            assert await read_powers(client, deployments, names) == published("after deployment")
            assert await shown(config) == published("after deployment")
            await decide(client, deployments)
            assert await read_powers(client, deployments, names) == published("after the first proposal")
            assert await shown(config) == published("after the first proposal")
            stranger = Address("0x" + "ab" * 20)
            timelock = PlatformTimelock(deployments.address(PlatformTimelock), client)
            await Devnet(client).set_balance(timelock.address, TOKEN)
            await Devnet(client).send_as(timelock.address, timelock.grant_role(keccak(b"EXECUTOR_ROLE"), stranger))
            assert await strange(config) == [("PlatformTimelock", "EXECUTOR_ROLE", stranger)]
            await Devnet(client).send_as(timelock.address, timelock.revoke_role(keccak(b"EXECUTOR_ROLE"), stranger))
            assert await strange(config) == []
            owner, escrow = signer_of(Role.OWNER, config).address, VoteEscrow(deployments.address(VoteEscrow), client)
            await Devnet(client).send_as(timelock.address, escrow.transfer_ownership(owner))
            assert await strange(config) == [("VoteEscrow", "pendingOwner", owner)]
            await Devnet(client).send_as(owner, escrow.accept_ownership())
            assert await strange(config) == [("VoteEscrow", "owner", owner)], "what the timelock had is the key's again"
            await Devnet(client).send_as(owner, escrow.transfer_ownership(timelock.address))
            back = [("VoteEscrow", "owner", owner), ("VoteEscrow", "pendingOwner", timelock.address)]
            assert await strange(config) == back, "it is not the offer of a deployment: the timelock had it before"
            await Devnet(client).send_as(timelock.address, escrow.accept_ownership())
            assert await strange(config) == []
            await Devnet(client).send_as(timelock.address, escrow.set_locker(stranger, allowed=True))
            assert await strange(config) == [("VoteEscrow", "lockers", stranger)]
            drops = [await airdrop_for(client, deployments, to) for to in (timelock.address, stranger)]
            for drop in drops:
                await Devnet(client).send_as(timelock.address, escrow.set_locker(drop, allowed=True))
            await Devnet(client).send_as(timelock.address, escrow.set_locker(stranger, allowed=False))
            served = ",".join(f"{number}.airdrop={drop}" for number, drop in enumerate(drops))
            platform_token = replace(config.platform_token, airdrops=served)
            told = await strange(replace(config, platform_token=platform_token))
            assert told == [("Airdrop", "treasury", stranger)], "its rest goes elsewhere; both may lock"
            for drop in drops:
                await Devnet(client).send_as(timelock.address, escrow.set_locker(drop, allowed=False))
            till = Till(deployments.address(Till), client)
            await Devnet(client).send_as(owner, till.set_payee(stranger, PayeeKind.PLAIN))
            assert await strange(config) == [("Till", "payees", stranger)]
            await Devnet(client).send_as(owner, till.set_payee(stranger, PayeeKind.NONE))
            reinvestor = Reinvestor(deployments.address(Reinvestor), client)
            venue = await reinvestor.venue()
            other = replace(venue, router=deployments.address(TestPriceFeed))
            await Devnet(client).send_as(timelock.address, reinvestor.set_venue(other))
            assert await strange(config) == [("Reinvestor", "venue.router", other.router)]
            await Devnet(client).send_as(timelock.address, reinvestor.set_venue(venue))
            exchange = Exchange(deployments.address(Exchange), client)
            for sender, call in (
                (timelock.address, exchange.transfer_ownership(owner)),
                (owner, exchange.accept_ownership()),
                (owner, exchange.transfer_ownership(timelock.address)),
            ):
                await Devnet(client).send_as(sender, call)
            back = [("Exchange", "owner", owner), ("Exchange", "pendingOwner", timelock.address)]
            assert await strange(config) == back
            await Devnet(client).send_as(timelock.address, exchange.accept_ownership())
            assert await strange(config) == []
            hidden = await of_reverting(config, Exchange.__name__)
            assert {"owner", "pendingOwner", "protocolFee"} <= {each.role for each in hidden}
            for each in hidden:
                assert (each.name, each.published) == (NOT_KNOWN, False), "it is no role without a holder"
        again = await set_up_devnet(config)  # and leaves what was decided as it is
        assert set(again.contracts) == set(deployments.contracts)
        async with open_node(config) as client:
            assert await read_powers(client, again, names) == published("after the first proposal")

    with devnet_template.copy(tmp_path) as anvil:
        asyncio.run(journey(configured(tmp_path, anvil.url)))


@pytest.mark.anvil
def test_the_guardian_and_its_date_are_shown_until_it_is_over(devnet_template: DevnetTemplate, tmp_path: Path):
    with devnet_template.copy(tmp_path) as anvil:
        config = configured(tmp_path, anvil.url)
        asyncio.run(set_up_devnet(config))
        until = datetime.fromisoformat(config.governance.guardian_until).replace(tzinfo=UTC)
        rows = command_line.Commands(own_settings(tmp_path, anvil.url)).json("gov", "powers")
        (row,) = [each for each in rows if (each["contract"], each["role"]) == ("PlatformGovernor", "guardian")]
        assert row["until"] == moment(int(until.timestamp()))

        async def shown() -> list[tuple[dict[str, object], str]]:
            found = []
            async with open_node(config) as client:
                for days in (0, 301):
                    await Devnet(client).pass_time(days * DAY_SECONDS)
                    async with open_installation(config) as installation:
                        transport = httpx.ASGITransport(installation.router())
                        async with httpx.AsyncClient(transport=transport, base_url="http://test", timeout=60) as http:
                            page = await http.get("/powers", headers={"accept": "text/html"})
                            found.append(((await http.get("/v1/powers")).json()["guardian"], page.text))
            return found

        (before, page_before), (after, page_after) = asyncio.run(shown())
    assert before == {"account": GUARDIAN, "until": int(until.timestamp()), "isOver": False}
    assert after == {**before, "isOver": True}
    assert "May cancel proposals until" in page_before
    assert "Its time was over on" in page_after


def test_what_pages_call_published_is_the_published_table():
    """Of each role, the holders of both columns; the guardian may be none."""
    table = published("after deployment") | published("after the first proposal")
    assert {(contract, role, name) for (contract, role), names in PUBLISHED.items() for name in names} == table


@pytest.mark.anvil
def test_the_governor_starts_with_the_configured_parameters(devnet_template: DevnetTemplate, tmp_path: Path):
    async def read(config: Config) -> list[object]:
        deployments = await set_up_devnet(config)
        async with open_node(config) as client:
            governor = PlatformGovernor(deployments.address(PlatformGovernor), client)
            timelock = PlatformTimelock(deployments.address(PlatformTimelock), client)
            return [
                await governor.token() == deployments.address(VoteEscrow),
                await governor.quorum_floor(),
                await governor.quorum_numerator(),
                await governor.proposal_threshold(),
                await governor.voting_delay(),
                await governor.voting_period(),
                await governor.late_quorum_vote_extension(),
                await timelock.get_min_delay(),
            ]

    with devnet_template.copy(tmp_path) as anvil:
        config = configured(tmp_path, anvil.url)
        settings = replace(config.governance, quorum_percent=20, voting_delay_hours=2, timelock_days=3)
        found = asyncio.run(read(replace(config, governance=settings)))
    day = DAY_SECONDS
    assert found == [True, FLOOR * TOKEN, 2_000, 1_000 * TOKEN, 7_200, 5 * day, 2 * day, 3 * day]


@pytest.mark.anvil
def test_without_a_floor_there_is_no_governor_and_without_a_token_no_floor(
    devnet_template: DevnetTemplate, tmp_path: Path
):
    with devnet_template.copy(tmp_path) as anvil:
        config = configured(tmp_path, anvil.url)
        deployments = asyncio.run(set_up_devnet(replace(config, governance=GovernanceConfig())))
        assert PlatformGovernor.__name__ not in deployments.contracts
        tokenless = replace(config, platform_token=replace(config.platform_token, name=""))
        with pytest.raises(InvalidSetting, match=r"platform_token\.name"):
            asyncio.run(set_up_devnet(tokenless))


@pytest.mark.parametrize("settings", [{"guardian": HERE}, {"guardian_until": "2027-12-31"}])
def test_a_guardian_and_its_date_are_set_together(settings: dict[str, str]):
    with pytest.raises(InvalidSetting, match=re.escape("governance.guardian_until")):
        governor_creation(GovernanceConfig("1", **settings), HERE, THERE)


@pytest.mark.parametrize("day", ["tomorrow", "2027-02-30", "1830000000"])
def test_a_date_that_is_none_is_refused(day: str):
    with pytest.raises(InvalidSetting, match=r"governance\.guardian_until"):
        load_config({"USUFRUCT_GOVERNANCE_GUARDIAN_UNTIL": day})
