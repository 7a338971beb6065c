"""The page of locks shows visitors levels, what a lock would get and by which assumptions, and every week there was."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.devnet_template import DevnetTemplate
from tests.support.staked_economy import ANN, DOLLAR, TOKEN, Economy
from usufruct.app import open_installation
from usufruct.staking.lock_model import WEEK_SECONDS
from usufruct.staking.revenue_weeks import PAGE
from usufruct.staking.week_store import WeekEvent, put_week_event
from usufruct.store import Database

pytestmark = pytest.mark.anvil

LEVELS = ",".join(f"{100 * number}={2.5 * number}:{1 + number}" for number in range(1, 11))


@pytest.fixture
def economy(devnet_template: DevnetTemplate, tmp_path: Path) -> Iterator[Economy]:
    with devnet_template.copy(tmp_path) as anvil:
        yield Economy(tmp_path, anvil.url, levels=LEVELS)


def pages(economy: Economy, *paths: str) -> list[str]:
    """Return what a visitor reads, without markup and with single spaces."""

    async def read() -> list[str]:
        async with open_installation(economy.commands.config) as installation:
            transport = httpx.ASGITransport(installation.router())
            async with httpx.AsyncClient(transport=transport, base_url="http://test", timeout=60) as http:
                answers = [await http.get(path, headers={"accept": "text/html"}) for path in paths]
        assert [each.status_code for each in answers] == [200] * len(paths)
        return [each.text for each in answers]

    return [" ".join(re.sub("<[^>]*>", " ", each).split()) for each in asyncio.run(read())]


def test_visitors_see_levels_and_what_a_lock_would_get(economy: Economy):
    before, unknown = pages(economy, "/stake", "/stake?amount=100&weeks=52")
    assert "1 100 2.5 % 2 times" in before
    assert "10 1,000 25 % 11 times" in before
    assert "No week was divided yet" in unknown

    economy.stake("lock", "300", "--weeks", "52", wallet=ANN)
    economy.pass_weeks(1)
    economy.pay_revenue(4 * DOLLAR)
    economy.pass_weeks(1)
    economy.stake("distribute", wallet=7)
    shown, wrong, late = pages(
        economy, "/stake?amount=100.5&weeks=52", "/stake?amount=1.000&weeks=52", "/stake?amount=1&weeks=53"
    )
    assert "Score from" in shown
    income = 4 * DOLLAR * (201 * 52) // (201 * 52 + 600 * 50)
    assert f"about {income / DOLLAR}" in shown, "100.5 tokens for 52 weeks, beside 300 with 50 weeks left"
    assert "the mean of 1 week" in shown
    assert "Neither is promised" in shown
    assert "Income of all its weeks" in shown
    assert "Score from" not in wrong
    assert "Score from" not in late


async def fill(database: Database, weeks: int, last: int) -> None:
    """Store so many weeks that were divided, the last of which is `last`."""
    async with database.transaction() as unit:
        for passed in range(weeks):
            week = last - passed
            await put_week_event(
                unit, WeekEvent(1, passed, week, 1_000_000 + passed, 1_000_000 + passed, 0, 0, 52 * TOKEN)
            )


def test_every_week_is_listed_a_year_a_page(economy: Economy):
    now = economy.of(ANN).now // WEEK_SECONDS
    count = 2 * PAGE + 3
    economy.inside(lambda chain: fill(chain.database, count, now - 1))
    first, second, third = pages(
        economy, "/stake/weeks", f"/stake/weeks?after={now - PAGE}", f"/stake/weeks?after={now - 2 * PAGE}"
    )
    assert "Older weeks" in first
    assert "Newest weeks" not in first
    assert "Newest weeks Older weeks" in second
    assert "Older weeks" not in third
    assert [each.count("00:00 UTC") for each in (first, second, third)] == [PAGE, PAGE, 3]
    assert "1.000106 tUSD" in third, "the oldest"
