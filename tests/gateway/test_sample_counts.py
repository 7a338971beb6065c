"""Free calls are counted exactly: by every replica together, in any order, for a visitor and for all of a day."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from tests.support.fake_clock import FakeClock
from tests.support.gateway_server import CARD, PAY_TO
from usufruct.assets import FreeSample, PricePeriod, plain_listing_id
from usufruct.core import AssetId
from usufruct.gateway import FreeSamples, ServedListing
from usufruct.gateway.errors import SampleNotOffered, SamplesAllGiven, SampleUsedUp
from usufruct.gateway.quality.store import DAY
from usufruct.gateway.samples.service import as_sample
from usufruct.store import Stamp, open_database

SECRET = b"a secret of thirty-two bytes ...."
HAMLET = ServedListing(
    name="hamlet",
    operation="chat",
    pay_to=PAY_TO,
    id=plain_listing_id("hamlet", PAY_TO),
    prices=(PricePeriod(CARD, 0),),
    sample=FreeSample(calls_per_visitor=3, calls_per_day=7, output_per_call=16),
)
NETWORKS = (None, "192.0.2.1", "192.0.2.2", "2001:db8::/64")


def replica(database, clock=None) -> FreeSamples:
    return FreeSamples(database, Stamp(SECRET, "visitors"), clock or FakeClock())


async def take(samples, network, listing=HAMLET) -> str:
    try:
        await samples.take(listing, network)
    except (SampleUsedUp, SamplesAllGiven) as refusal:
        return refusal.code
    return ""


async def test_two_replicas_and_a_race_never_give_more(database, database_url):
    other = open_database(database_url)
    clock = FakeClock()
    replicas = [replica(database, clock), replica(other, clock)]
    asked = [(replicas[at % 2], NETWORKS[at % 4]) for at in range(32)]
    answers = await asyncio.gather(*(take(samples, network) for samples, network in asked))
    given = [network for (_, network), answer in zip(asked, answers, strict=True) if not answer]
    assert len(given) == 7
    assert max(map(given.count, NETWORKS)) <= 3
    assert await replicas[1].given_today(HAMLET.id) == 7
    await other.close()


@pytest.mark.parametrize("end", ["gives_back", "keeps"])
async def test_calls_given_back_in_a_race_are_given_again(database, database_url, end):
    other = open_database(database_url)
    replicas = [replica(database), replica(other)]

    async def visit(at: int) -> int:
        samples = replicas[at % 2]
        with suppress(SampleUsedUp, SamplesAllGiven):
            taken = await samples.take(HAMLET, NETWORKS[at % 4])
            if end == "gives_back":
                await samples.give_back(taken)
            return 1
        return 0

    had = sum(await asyncio.gather(*map(visit, range(24))))
    left = 0 if end == "gives_back" else 7
    assert await replicas[0].given_today(HAMLET.id) == left
    assert had >= 7
    await other.close()


NUMBERS = count(1)


@pytest.fixture
def one_database(databases) -> str:
    return databases.migrated("sqlite")


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["take", "give_back", "midnight", "terms"]), st.sampled_from(NETWORKS), st.integers(1, 9)
    ),
    max_size=40,
)


@given(ACTS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_counts_are_those_of_a_model(one_database, acts):
    async def check() -> None:
        database = open_database(one_database)
        clock, listing = FakeClock(), replace(HAMLET, id=AssetId(next(NUMBERS)))
        samples = replica(database, clock)
        model: dict[object, int] = {}
        held = []
        for act, network, number in acts:
            if act == "midnight":
                clock.advance(DAY)
                model.clear()
                held.clear()
                await samples.forget()
            elif act == "terms":
                listing = replace(listing, sample=FreeSample(number, number + 2, 16))
            elif act == "give_back" and held:
                taken, whose = held.pop()
                await samples.give_back(taken)
                model[whose] -= 1
            elif act == "take":
                terms, own, together = listing.sample, model.get(network, 0), sum(model.values())
                expected = (
                    "sample_used_up"
                    if own >= terms.calls_per_visitor
                    else "samples_all_given"
                    if together >= terms.calls_per_day
                    else ""
                )
                balance = await samples.balance(listing, network)
                assert balance.refusal == expected
                if expected:
                    assert (await take(samples, network, listing), balance.left) == (expected, 0)
                else:
                    taken = await samples.take(listing, network)
                    assert taken.left == balance.left - 1
                    held.append((taken, network))
                    model[network] = own + 1
        assert await samples.given_today(listing.id) == sum(model.values())
        await database.close()

    asyncio.run(check())


async def test_a_new_day_begins_at_midnight_utc_and_old_counts_are_removed(database):
    clock = FakeClock(1_800_000_000 // DAY * DAY + DAY - 1)
    samples = replica(database, clock)
    assert [await take(samples, "192.0.2.1") for _ in range(4)] == ["", "", "", "sample_used_up"]
    assert (await samples.balance(HAMLET, "192.0.2.1")).renews_at == clock.now() + 1
    await samples.forget()
    assert await take(samples, "192.0.2.1") == "sample_used_up"
    clock.advance(1)
    assert await take(samples, "192.0.2.1") == ""
    await samples.forget()
    async with database.snapshot() as unit:
        [row] = await unit.rows(text("SELECT count(*), min(day) FROM sample_counts"))
    assert tuple(row) == (2, clock.now() // DAY)


async def test_no_row_tells_a_network_or_follows_it_to_another_day_or_service(database):
    clock = FakeClock()
    samples = replica(database, clock)
    other = replace(HAMLET, name="ophelia", id=plain_listing_id("ophelia", PAY_TO))
    for listing in (HAMLET, other):
        await samples.take(listing, "192.0.2.1")
    clock.advance(DAY)
    await samples.take(HAMLET, "192.0.2.1")
    async with database.snapshot() as unit:
        marks = [bytes(row.visitor) for row in await unit.rows(text("SELECT visitor FROM sample_counts"))]
    marks = [mark for mark in marks if mark]
    assert len(set(marks)) == 3
    assert all(len(mark) == 16 and b"192.0.2" not in mark for mark in marks)


async def test_one_service_takes_nothing_of_another(database):
    samples = replica(database)
    other = replace(HAMLET, name="ophelia", id=plain_listing_id("ophelia", PAY_TO))
    assert [await take(samples, None) for _ in range(4)][-1] == "sample_used_up"
    assert await take(samples, None, other) == ""
    assert (await samples.given_today(HAMLET.id), await samples.given_today(other.id)) == (3, 1)


async def test_what_is_not_offered_is_refused(database):
    paid = replace(HAMLET, sample=None)
    for refused in (replica(database).take(paid, None), replica(database).balance(paid, None)):
        with pytest.raises(SampleNotOffered):
            await refused
    with pytest.raises(SampleNotOffered):
        as_sample(paid)
