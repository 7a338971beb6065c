"""Weeks of revenue follow the escrow's events: divided, carried, taken back by a reorganisation, read page by page."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from tests.support.devnet import Devnet
from tests.support.devnet_template import DevnetTemplate
from tests.support.hanging_node import hanging_node
from tests.support.staked_economy import ANN, BEN, DOLLAR, TOKEN, Economy
from usufruct.chain import ChainAccess, Client
from usufruct.chain.contracts.vote_escrow import VoteEscrow
from usufruct.chain.keys import DEVNET_ADDRESSES
from usufruct.staking import RevenueWeek, RevenueWeeks, Stakes
from usufruct.staking.lock_model import WEEK_SECONDS, end_after
from usufruct.staking.node_limit import NodeLimit
from usufruct.staking.revenue_weeks import WeeklyRevenue, weekly_revenue
from usufruct.staking.week_api import week_routes
from usufruct.staking.week_store import WeekEvent, forget_weeks_after, put_week_event, weeks_before
from usufruct.store import Database
from usufruct.web import Router

THOUSAND = 1_000 * TOKEN


@pytest.fixture
def economy(devnet_template: DevnetTemplate, tmp_path: Path) -> Iterator[Economy]:
    with devnet_template.copy(tmp_path) as anvil:
        yield Economy(tmp_path, anvil.url)


async def known(chain: ChainAccess) -> list[RevenueWeek]:
    weeks = RevenueWeeks(chain)
    await weeks.poll()
    return (await weeks.page())[0]


def pay_week(economy: Economy, amount: int) -> None:
    """Pay revenue in two parts, and let its week end and be closed."""
    economy.pay_revenue(amount - DOLLAR)
    economy.pay_revenue(DOLLAR)
    economy.pass_weeks(1)
    economy.stake("distribute", wallet=ANN)


@pytest.mark.anvil
def test_a_week_is_waiting_then_divided_or_carried(economy: Economy):
    pay_week(economy, 3 * DOLLAR)
    [carried] = economy.inside(known)
    assert (carried.booked, carried.paid, carried.carried) == (3 * DOLLAR, 0, 3 * DOLLAR), "no lock: all is carried"
    assert (carried.total_score, carried.paid_down(THOUSAND)) == (None, None)

    economy.stake("lock", "520", "--weeks", "52", wallet=ANN)
    economy.stake("lock", "520", "--weeks", "26", wallet=BEN)
    economy.pass_weeks(1)
    economy.stake("exit", wallet=BEN)
    pay_week(economy, 5 * DOLLAR)
    economy.pay_revenue(DOLLAR)
    waiting, divided, _ = economy.inside(known)
    assert divided.week == waiting.week - 1 == carried.week + 2, "a week without revenue is not listed"
    assert (divided.booked, divided.paid, divided.carried) == (5 * DOLLAR, 8 * DOLLAR, 0)
    assert (divided.total_score, divided.penalties) == (780 * TOKEN, 0)
    assert divided.starts_at == divided.week * WEEK_SECONDS
    assert divided.paid_down(THOUSAND) == 8 * DOLLAR * 1_000 // 780
    assert (waiting.booked, waiting.carried, waiting.total_score) == (DOLLAR, DOLLAR, None)

    economy.pass_weeks(1)
    economy.stake("distribute", wallet=ANN)
    newest, *_ = economy.commands.json("stake", "revenue")
    assert (newest["paid"], newest["penalties"], newest["total_score"]) == ("1 tUSD", "52 EXM", "510")
    assert newest["paid_per_1000"] == "1.960784 tUSD"
    assert economy.commands.json("stake", "revenue", "--after", str(waiting.week))[0]["week"] == divided.week


@pytest.mark.anvil
def test_a_week_that_a_reorganisation_takes_is_forgotten(economy: Economy):
    economy.stake("lock", "520", "--weeks", "52", wallet=ANN)
    economy.pass_weeks(1)
    economy.pay_revenue(DOLLAR)
    before = economy.inside(known)

    async def pay_and_lose(chain: ChainAccess) -> None:
        weeks, devnet = RevenueWeeks(chain), Devnet(chain.client)
        block = await chain.client.block_number()
        await devnet.pass_time(WEEK_SECONDS)
        escrow = VoteEscrow(chain.deployments.address(VoteEscrow))
        await devnet.send_as(DEVNET_ADDRESSES[0], escrow.roll(52))
        await weeks.poll()
        assert (await weeks.page())[0][0].paid == DOLLAR
        await devnet.reorganise(await chain.client.block_number() - block)
        await weeks.poll()
        assert (await weeks.page())[0] == before

    economy.inside(pay_and_lose)


@pytest.mark.anvil
def test_the_list_has_pages_and_is_read_while_the_node_hangs(economy: Economy):
    async def listed(chain: ChainAccess) -> None:
        weeks = RevenueWeeks(chain)
        await weeks.poll()
        async with chain.database.transaction() as unit:
            for week in range(2_000, 2_060):
                divided = WeekEvent(1, week, week, 5, 4, 0, 1, 52 * THOUSAND)
                await put_week_event(unit, divided)
        async with hanging_node(economy.commands.config.chain.rpc_url) as node, Client(node.url) as client:
            node.hang_on(b'"method"')
            hanging = replace(chain, client=client)
            routes = week_routes(Stakes(hanging), RevenueWeeks(hanging), NodeLimit(0.2))
            transport = httpx.ASGITransport(Router(routes))
            async with httpx.AsyncClient(transport=transport, base_url="http://test", timeout=120) as http:
                first = (await http.get("/v1/staking/weeks")).json()
                last = (await http.get("/v1/staking/weeks", params={"after": first["next"]})).json()
                refused = await http.get("/v1/staking/weeks", params={"after": "x"})
            assert node.hung
        found = [each["week"] for each in first["weeks"] + last["weeks"]]
        assert (found, last["next"]) == (list(range(2_059, 1_999, -1)), None)
        assert first["weeks"][0] == {
            "week": 2_059,
            "startsAt": 2_059 * WEEK_SECONDS,
            "booked": "5",
            "paid": "4",
            "penalties": "0",
            "carried": "1",
            "totalScore": str(THOUSAND),
            "paidPerThousand": "4",
        }
        assert (refused.status_code, refused.json()["error"]["param"]) == (400, "after")

    economy.inside(listed)


def test_the_mean_counts_weeks_without_revenue_and_none_before_the_first():
    def week(number: int, paid: int, divided: bool = True) -> RevenueWeek:
        return RevenueWeek(number, paid, paid if divided else 0, 0, 0, 52 if divided else None)

    assert weekly_revenue([]) is None
    assert weekly_revenue([week(9, 5, divided=False)]) is None
    assert weekly_revenue([week(7, 10)]) == WeeklyRevenue(10, 1, 8 * WEEK_SECONDS)
    assert weekly_revenue([week(8, 9, divided=False), week(7, 10), week(5, 2)]) == WeeklyRevenue(4, 3, 8 * WEEK_SECONDS)
    assert weekly_revenue([week(7, 10), week(6, 4), week(3, 90)]) == WeeklyRevenue(3, 4, 8 * WEEK_SECONDS)


@pytest.mark.anvil
def test_a_projection_is_of_the_last_weeks_and_the_locks_there_are(economy: Economy):
    economy.stake("lock", "520", "--weeks", "52", wallet=ANN)
    economy.pass_weeks(1)
    pay_week(economy, 4 * DOLLAR)

    async def projected(chain: ChainAccess) -> None:
        routes = week_routes(Stakes(chain), RevenueWeeks(chain), NodeLimit(60))
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(Router(routes)), base_url="http://test", timeout=120
        ) as http:
            wish = {"amount": str(500 * TOKEN), "weeks": "52"}
            found = (await http.get("/v1/staking/projection", params=wish)).json()
            refused = [
                (await http.get("/v1/staking/projection", params=wish | wrong)).json()["error"]["param"]
                for wrong in ({"weeks": "53"}, {"weeks": "0"}, {"amount": "-1"}, {"amount": "1.5"})
            ]
        now = (await chain.client.head()).timestamp
        assert (found["endsAt"], found["firstScore"]) == (end_after(52, now), str(500 * TOKEN))
        assert (found["weeklyRevenue"], found["countedWeeks"]) == (str(4 * DOLLAR), 1)
        assert found["weeklyIncome"] == str(2 * DOLLAR), "500 of 1,000: the other lock has 50 weeks left"
        assert refused == ["weeks", "weeks", "amount", "amount"]

    economy.inside(projected)


async def test_weeks_are_those_of_their_last_events(database: Database):
    events = [
        WeekEvent(10, 0, 7, booked=1, waiting=1),
        WeekEvent(10, 3, 7, booked=2, waiting=2),
        WeekEvent(12, 1, 7, booked=2, divided=2, weight=9),
        WeekEvent(12, 2, 8, booked=4, waiting=4),
    ]
    async with database.transaction() as unit:
        for each in events:
            await put_week_event(unit, each)
        assert await weeks_before(unit, None, 9) == [events[3], events[2]]
        assert await weeks_before(unit, 8, 9) == [events[2]]
        await forget_weeks_after(unit, 11)
        assert await weeks_before(unit, None, 9) == [events[1]]
