"""A paid call's fee reaches the stakers when the week is over, to the unit; the keeper's step can be taken again."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import command_line
from tests.support.devnet import Devnet
from tests.support.devnet_template import DevnetTemplate
from tests.support.staked_economy import ANN, BEN, DOLLAR, TOKEN, Economy
from usufruct.app import DEVNET_FEE_BPS, Installation
from usufruct.chain import ChainAccess, fee_sink_of
from usufruct.chain.contracts.asset_registry import AssetRegistry
from usufruct.chain.contracts.exchange import Exchange
from usufruct.chain.contracts.fee_splitter import FeeSplitter
from usufruct.chain.contracts.platform_timelock import PlatformTimelock
from usufruct.chain.contracts.platform_token import PlatformToken
from usufruct.chain.contracts.test_dollar import TestDollar
from usufruct.chain.contracts.vote_escrow import VoteEscrow
from usufruct.chain.keys import DEVNET_ADDRESSES
from usufruct.core import Address, checksum
from usufruct.core.diagnostics import Verdict
from usufruct.staking.fee_keeper import check_fees
from usufruct.staking.lock_model import WEEK_SECONDS

pytestmark = pytest.mark.anvil

FEE = DOLLAR * DEVNET_FEE_BPS // 10_000


@pytest.fixture
def economy(devnet_template: DevnetTemplate, tmp_path: Path) -> Iterator[Economy]:
    with devnet_template.copy(tmp_path) as anvil:
        yield Economy(tmp_path, anvil.url)


async def keep_fees(installation: Installation) -> int:
    """Take a worker's step, wait until what it sent is mined, and return how many transactions that was."""
    job = next(job for job in installation.jobs() if job.name == "fees")
    sent = await job.step()
    assert isinstance(sent, int)
    outbox = next(job for job in installation.jobs() if job.name == "outbox")
    await outbox.step()
    return sent


def sell_one_call(economy: Economy, upstream: str) -> None:
    """Register a service with shares, and have a call for a dollar paid out to them."""
    commands, holder = economy.commands, checksum(command_line.SOMEBODY.address)
    card = ("--input", "0.5", "--output", "2", "--context", "8192", "--wallet", "5")
    commands.json("asset", "register", "shared", *card, "--owner", f"{holder}:20")
    service = ("--upstream", upstream, "--model", "librarian", "--name", "shared", "--asset", "shared")
    asset = int(commands.json("sell", "--no-up", *service)["asset"], 16)

    async def paid(installation: Installation) -> None:
        key = await command_line.paying_key(installation)
        await command_line.charge(installation, key, asset, DOLLAR)

    commands.inside(paid)
    commands.json("claim", "run", "--everything")


def test_the_fee_of_a_paid_call_is_divided_among_the_stakers(economy: Economy, librarian_url: str):
    commands = economy.commands
    economy.stake("lock", "520", "--weeks", "52", wallet=ANN)
    economy.stake("lock", "520", "--weeks", "26", wallet=BEN)
    economy.pass_weeks(1)
    assert commands.inside(keep_fees) == 1, "closes the week that is over"
    sell_one_call(economy, librarian_url)
    assert commands.inside(keep_fees) == 0, "25,000 units are not worth a transaction in the middle of a week"

    now = economy.of(ANN).now
    economy.pass_time(WEEK_SECONDS - now % WEEK_SECONDS - 1_800)
    assert commands.inside(keep_fees) == 1, "nor are they late for their week"
    assert commands.inside(keep_fees) == 0
    assert commands.json("stake", "terms")["revenue_this_week"] == "0.025 tUSD"
    economy.pass_time(3_600)
    assert economy.stake("distribute", wallet=7)["transactions"]
    assert economy.stake("distribute", wallet=7)["transactions"] == []
    assert commands.inside(keep_fees) == 0

    paid = [economy.stake("claim", wallet=wallet)["revenue"] for wallet in (ANN, BEN)]
    assert paid == ["0.016666 tUSD", "0.008333 tUSD"]
    assert economy.held_by_escrow() == (1_040 * TOKEN, FEE - 16_666 - 8_333)


def test_fees_of_trades_reach_stakers_and_treasury_to_the_unit(devnet_template: DevnetTemplate, tmp_path: Path):
    """What waits in the exchange: dollars for the stakers; platform tokens and coin for the treasury, the timelock."""
    with devnet_template.copy(tmp_path) as anvil:
        economy = Economy(tmp_path, anvil.url, governance_quorum_floor=20_000_000)
        economy.stake("lock", "520", "--weeks", "52", wallet=ANN)
        economy.pass_weeks(1)
        assert economy.commands.inside(keep_fees) == 1, "closes the week that is over"

        async def books(chain: ChainAccess) -> dict[str, tuple[int, int, int]]:
            client, at = chain.client, chain.deployments.address
            dollar, token = TestDollar(at(TestDollar), client), PlatformToken(at(PlatformToken), client)
            places = {each.__name__: at(each) for each in (Exchange, FeeSplitter, PlatformTimelock)}
            places |= {"escrow": at(VoteEscrow), "operator": fee_sink_of(chain.config)}
            return {
                name: (await dollar.balance_of(place), await token.balance_of(place), await client.balance(place))
                for name, place in places.items()
            }

        async def trade(chain: ChainAccess) -> None:
            devnet, at = Devnet(chain.client), chain.deployments.address
            await devnet.send_as(DEVNET_ADDRESSES[0], TestDollar(at(TestDollar)).mint(at(Exchange), 7_000_001))
            await devnet.send_as(
                DEVNET_ADDRESSES[ANN], PlatformToken(at(PlatformToken)).transfer(at(Exchange), TOKEN + 3)
            )
            await devnet.set_balance(at(Exchange), 10**18 + 5)

        async def sinks(chain: ChainAccess) -> set[Address]:
            client, at = chain.client, chain.deployments.address
            assert await FeeSplitter(at(FeeSplitter), client).treasury() == at(PlatformTimelock) == chain.treasury
            of_services = await AssetRegistry(at(AssetRegistry), client).fee_sink()
            return {of_services, (await Exchange(at(Exchange), client).protocol_fee()).sink, at(FeeSplitter)}

        assert len(economy.inside(sinks)) == 1
        before = economy.inside(books)
        supply = 10_000_000_000 * TOKEN
        assert before["PlatformTimelock"][1] == supply * 3 // 10, "what was allocated to no account"
        economy.inside(trade)
        assert economy.commands.inside(keep_fees) == 3
        assert economy.commands.inside(keep_fees) == 0
        assert economy.stake("distribute", wallet=7)["transactions"] == []
        after = economy.inside(books)
        moved = {name: tuple(now - then for now, then in zip(after[name], before[name], strict=True)) for name in after}
        assert moved == {
            "Exchange": (0, 0, 0),
            "FeeSplitter": (0, 0, 0),
            "PlatformTimelock": (0, TOKEN + 3, 10**18 + 5),
            "escrow": (7_000_001, 0, 0),
            "operator": (0, 0, 0),
        }
        assert economy.commands.json("stake", "terms")["revenue_this_week"] == "7.000001 tUSD"


def test_the_doctor_names_a_fee_that_goes_elsewhere_and_a_week_that_stays_open(economy: Economy):
    found = json.loads(economy.commands.run("doctor", "--json").stdout)
    assert {each["verdict"] for each in found if each["subject"] in ("fees", "weeks")} == {"ok"}
    economy.pass_time(WEEK_SECONDS + 90_000)
    economy.commands.json("registry", "fee-sink", checksum(command_line.SOMEBODY.address))
    economy.inside(_take_exchange)

    async def asked(chain: ChainAccess) -> list[tuple[str, Verdict]]:  # the doctor asks no more on a chain weeks ahead
        return [(finding.subject, finding.verdict) async for finding in check_fees(chain)]

    found = economy.inside(asked)
    assert found == [("fees", Verdict.PROBLEM), ("fees of trades", Verdict.PROBLEM), ("weeks", Verdict.PROBLEM)]


async def _take_exchange(chain: ChainAccess) -> None:
    """Have the exchange's fees go to another account, as its owner may."""
    exchange = Exchange(chain.deployments.address(Exchange), chain.client)
    call = exchange.set_fee(command_line.SOMEBODY.address, 250)
    await Devnet(chain.client).send_as(await exchange.owner(), call)
