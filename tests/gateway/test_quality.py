"""Measured quality: counted from calls, merged by hour and day, shown with its sample, from enough calls on."""

import asyncio
from math import ceil

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.html_page import HtmlPage
from tests.support.ledger_samples import bill
from tests.support.recorded_schema import make_aged
from usufruct.connectors.openai import UpstreamDown, UpstreamOversized, UpstreamRejected, UpstreamSlow
from usufruct.core import AssetId
from usufruct.gateway.quality.histogram import Histogram
from usufruct.gateway.quality.service import ServiceQuality
from usufruct.gateway.quality.store import DAY, HOUR, add_tallies, days_since, forget_tallies, tallies_since
from usufruct.gateway.quality.summary import LEAST_SAMPLE, Summary, summarize
from usufruct.gateway.quality.tally import COUNTS, EVERY_SERVICE, Outcome, Tally, Times, outcome_of
from usufruct.payments.ledger import CallLost
from usufruct.store import Database, DatabaseUnavailable, migrate, open_database
from usufruct.web import ClientGone

ONE, TWO = AssetId(1), AssetId(2)
NOON = 1_800_000_000 - 1_800_000_000 % DAY + 12 * HOUR
VALUES = st.lists(st.floats(min_value=0.01, max_value=1e9), min_size=1, max_size=200)
HELLO = {"messages": [{"role": "user", "content": "What is the question?"}]}


def sample(charge: int = 5, output: int = 40, first: float | None = 0.25) -> Tally:
    """Return a tally of one whole answer."""
    tally = Tally()
    tally.add(Outcome.ANSWERED, Times(10.0, None if first is None else 10.0 + first, 12.0), bill(charge, output=output))
    return tally


@given(VALUES, VALUES)
def test_merged_histograms_are_the_histogram_of_all(some, others):
    merged = Histogram(some)
    merged.merge(Histogram(others))
    assert merged.counts == Histogram(some + others).counts
    assert Histogram.unpacked(merged.packed()).counts == merged.counts


@given(VALUES, st.sampled_from([0.05, 0.5, 0.95]))
def test_a_quantile_is_within_five_per_cent_of_the_exact_one(values, part):
    exact = sorted(values)[max(1, ceil(part * len(values))) - 1]
    assert Histogram(values).quantile(part) == pytest.approx(exact, rel=0.05)


def test_an_empty_histogram_has_no_quantile():
    assert Histogram().quantile(0.5) is None


@pytest.mark.parametrize(
    ("fault", "started", "outcome"),
    [
        (None, False, Outcome.ANSWERED),
        (ClientGone(), True, Outcome.LEFT),
        (UpstreamOversized("long"), True, Outcome.LEFT),
        (UpstreamSlow("slow", phase="total"), False, Outcome.LEFT),
        (UpstreamSlow("slow", phase="first_byte"), False, Outcome.FAILED),
        (UpstreamRejected("wrong"), False, Outcome.REFUSED),
        (UpstreamDown("away"), False, Outcome.FAILED),
        (UpstreamDown("away"), True, Outcome.BROKEN),
        (CallLost("lost"), True, Outcome.INTERRUPTED),
        (DatabaseUnavailable("away"), False, Outcome.INTERRUPTED),
        (asyncio.CancelledError(), False, Outcome.INTERRUPTED),
    ],
)
def test_an_end_counts_against_the_service_or_not(fault, started, outcome):
    assert outcome_of(fault, started=started) is outcome


def test_what_callers_bring_about_is_no_failure_of_the_service():
    tally = Tally()
    for outcome, times in [(Outcome.ANSWERED, 19), (Outcome.FAILED, 1), (Outcome.REFUSED, 50), (Outcome.LEFT, 50)]:
        for _ in range(times):
            tally.add(outcome)
    found = summarize(1, tally)
    assert (found.calls, found.tried, found.success) == (120, 20, 0.95)


def test_figures_of_few_calls_are_not_shown():
    tally = Tally()
    for _ in range(LEAST_SAMPLE - 1):
        tally.merge(sample())
    few = summarize(1, tally)
    assert (few.success, few.first_text.sample, few.first_text.median) == (None, LEAST_SAMPLE - 1, None)
    tally.merge(sample())
    enough = summarize(1, tally)
    assert enough.success == 1
    assert enough.first_text.median == pytest.approx(250, rel=0.05)
    assert enough.speed.median == pytest.approx(39 / 1.75, rel=0.05)


def test_speed_is_of_whole_streams_with_enough_text():
    short, broken, whole = sample(output=15), Tally(), sample(first=None)
    broken.add(Outcome.BROKEN, Times(0.0, 1.0, 2.0), bill(5))
    assert [each.speed.total for each in (short, broken, whole, sample())] == [0, 0, 0, 1]
    assert [each.whole.total for each in (short, broken, whole, sample())] == [0, 0, 1, 0]


async def test_tallies_add_up_by_hour_and_by_day_to_the_unit(database):
    large = 2**200 + 1
    async with database.transaction() as unit:
        for at in (NOON, NOON + 5, NOON + HOUR):
            for span in (HOUR, DAY):
                await add_tallies(unit, {ONE: sample(large), TWO: sample(3)}, span, at)
    async with database.snapshot() as unit:
        found = await tallies_since(unit, [ONE, TWO], NOON + HOUR, NOON - DAY)
    days = (await days_since(database, [ONE], NOON - DAY))[ONE]
    hour, month = found[ONE]
    assert (hour.income, month.income, found[TWO][1].income) == (large, 3 * large, 9)
    assert (hour.answered, month.answered, month.first_text.total) == (1, 3, 3)
    ((start, counted),) = days
    assert start == NOON - NOON % DAY
    assert [getattr(counted, name) for name in COUNTS] == [getattr(month, name) for name in COUNTS]


async def test_two_replicas_that_begin_an_hour_at_once_both_count(database_url):
    databases = [open_database(database_url) for _ in range(4)]
    replicas = [ServiceQuality(each) for each in databases]
    for each in replicas:
        for _ in range(5):
            each.charged(ONE, None, Times(0.0, 0.5, 2.0), bill(7))
    await asyncio.gather(*(each.flush() for each in replicas))
    await replicas[0].summarize()
    _, month = await replicas[1].of(ONE)
    assert (month.calls, month.income, month.success) == (20, 140, 1)
    for each in databases:
        await each.close()


async def test_what_could_not_be_written_is_written_later(database):
    quality = ServiceQuality(database)
    quality.charged(ONE, None, Times(0.0, 0.5, 2.0), bill(7))
    transaction = database.transaction

    def away():
        raise DatabaseUnavailable("away")

    database.transaction = away
    with pytest.raises(DatabaseUnavailable):
        await quality.flush()
    database.transaction = transaction
    quality.charged(ONE, None, Times(0.0, 0.5, 2.0), bill(7))
    await quality.flush()
    await quality.flush()
    ((_, tally),) = (await days_since(database, [ONE], 0))[ONE]
    assert (tally.answered, tally.income) == (2, 14)


async def test_all_services_together_are_counted_as_each_is(database):
    quality = ServiceQuality(database)
    for asset, charge in ((ONE, 7), (TWO, 5), (TWO, 1)):
        quality.charged(asset, None, Times(0.0, 0.5, 2.0), bill(charge))
    quality.released(ONE, CallLost("lost"), started=False)
    await quality.flush()
    days = await quality.days_of([ONE, TWO, EVERY_SERVICE], 0)
    counted = {asset: (tally.calls, tally.answered, tally.income) for asset, [(_, tally)] in days.items()}
    assert counted == {ONE: (2, 1, 7), TWO: (2, 2, 6), EVERY_SERVICE: (4, 3, 13)}
    assert set(await quality.last_hours()) == {ONE, TWO}


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_days_that_were_counted_before_there_were_totals_are_added_up(kind, databases):
    income = {NOON: 12, NOON - 3 * DAY: 5}

    async def check(database: Database) -> None:
        await database.run(lambda connection: make_aged(connection, "1024"))
        async with database.transaction() as unit:
            await add_tallies(unit, {ONE: sample(), TWO: sample(7)}, DAY, NOON)
            await add_tallies(unit, {ONE: sample()}, DAY, NOON - 3 * DAY)
            await add_tallies(unit, {ONE: sample()}, HOUR, NOON)
        await migrate(database)
        days = (await days_since(database, [EVERY_SERVICE], 0))[EVERY_SERVICE]
        assert {start: tally.income for start, tally in days} == {at - at % DAY: sum_ for at, sum_ in income.items()}
        assert [tally.answered for _, tally in days] == [1, 2]
        await database.close()

    asyncio.run(check(open_database(databases.empty(kind))))


async def test_a_service_that_is_no_longer_called_loses_its_figures(database):
    quality = ServiceQuality(database)
    long_ago = await database.now() - 40 * DAY
    async with database.transaction() as unit:
        for _ in range(LEAST_SAMPLE):
            await add_tallies(unit, {ONE: sample()}, DAY, long_ago)
            await add_tallies(unit, {TWO: sample()}, DAY, long_ago + 20 * DAY)
    await quality.summarize()
    assert await quality.of(ONE) == (Summary(1), Summary(30))
    day, month = await quality.of(TWO)
    assert (day.calls, month.calls) == (0, LEAST_SAMPLE)
    async with database.transaction() as unit:
        await forget_tallies(unit, await database.now() + 400 * DAY)
    assert await days_since(database, [TWO], 0) == {}


@pytest.fixture
async def site(world):
    async with httpx.AsyncClient(base_url=world.url.removesuffix("/v1"), timeout=60) as client:
        yield client


async def call(world, site, key, name: str, **more) -> httpx.Response:
    return await site.post(
        "/v1/chat/completions", json={"model": name} | HELLO | more, headers={"authorization": f"Bearer {key.text}"}
    )


async def test_calls_are_measured_and_shown_with_their_sample(world, site, upstream):
    hamlet = await world.asset("hamlet", upstream.url())
    await world.asset("broken/one", upstream.url("cut"))
    key = await world.key()
    for _ in range(LEAST_SAMPLE):
        assert (await call(world, site, key, "hamlet", stream=True)).status_code == 200
    assert (await call(world, site, key, "hamlet")).status_code == 200
    await call(world, site, key, "broken/one", stream=True)
    assert (await call(world, site, key, "broken/one")).status_code == 502
    await world.quiet(key)
    await world.gateway.quality.flush()
    await world.gateway.quality.summarize()

    bills = [each for each in await world.bills(key) if each.asset == hamlet.id]
    found = (await site.get("/v1/quality/hamlet")).json()
    assert (found["id"], found["least_sample"], [each["days"] for each in found["windows"]]) == ("hamlet", 20, [1, 30])
    for window in found["windows"]:
        assert (window["calls"], window["tried"], window["success"]) == (21, 21, 1)
        assert window["first_text_ms"]["sample"] == 20
        assert 0 < window["first_text_ms"]["median"] <= window["first_text_ms"]["p95"] < 60_000
        assert (window["whole_answer_ms"]["sample"], window["whole_answer_ms"]["median"]) == (1, None)
        assert window["income"] == str(sum(each.bill.charge for each in bills))
        assert window["output_tokens"] == sum(each.bill.usage.output_tokens for each in bills)
    cut = (await site.get("/v1/quality/broken/one")).json()["windows"][0]
    assert (cut["calls"], cut["tried"], cut["success"]) == (2, 2, None)
    page = HtmlPage((await site.get("/s/hamlet")).text)
    assert "of 21 calls" in page.texts["small"]
    unknown = await site.get("/v1/quality/nothing")
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "unknown_model")
