"""A reader's copy of rows: fresh within seconds, at once after a change of one's own, and no row is read twice."""

import asyncio
import time

import pytest

from tests.support.fake_clock import FakeClock
from usufruct.core import Clock, Unavailable
from usufruct.store.row_cache import FLOOR_SECONDS, FRESH_SECONDS, RowCache, next_revision


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def reads():
    return []


@pytest.fixture
def cache(database, clock, reads):
    async def read(unit, revision):
        reads.append(revision)

    return RowCache(database, clock, "listings", read)


async def change(database) -> int:
    async with database.transaction() as unit:
        return await next_revision(unit, "listings")


async def test_rows_are_read_first_and_then_when_they_changed(cache, clock, reads, database):
    await cache.refresh()
    await cache.refresh()
    assert reads == [-1]
    assert await change(database) == 1
    await cache.refresh()
    assert reads == [-1], "it was looked a moment ago"
    clock.advance(FRESH_SECONDS)
    await cache.refresh()
    assert reads == [-1, 0]
    clock.advance(FRESH_SECONDS)
    await cache.refresh()
    assert reads == [-1, 0], "nothing changed"


async def test_a_change_of_ones_own_is_read_at_once(cache, clock, reads, database):
    await cache.refresh()
    await change(database)
    cache.expire()
    await cache.refresh()
    assert reads == [-1, 0]


async def test_a_row_that_is_missed_is_looked_for_whenever_the_last_read_was(database, reads, cache, clock):
    await cache.refresh()
    await change(database)
    await cache.refresh_missing()
    assert reads == [-1, 0]


async def test_many_who_miss_rows_wait_and_read_seldom(database):
    reads = []

    async def read(unit, revision):
        reads.append(revision)

    cache = RowCache(database, Clock(), "listings", read)
    began = time.monotonic()
    for _ in range(3):
        await change(database)
        await asyncio.gather(*(cache.refresh_missing() for _ in range(50)))
    assert reads == [-1, 1, 2], "each change is seen, by one read for all"
    assert time.monotonic() - began >= 2 * FLOOR_SECONDS


async def test_who_waited_for_a_read_that_failed_is_told(database, clock):
    async def read(unit, revision):
        await asyncio.sleep(0)
        raise Unavailable("the database is gone")

    cache = RowCache(database, clock, "listings", read)
    ends = await asyncio.gather(*(cache.refresh_missing() for _ in range(3)), return_exceptions=True)
    assert [type(each) for each in ends] == [Unavailable] * 3


async def test_a_miss_during_a_read_reads_again(database, clock):
    began, go_on, seen = asyncio.Event(), asyncio.Event(), []

    async def read(unit, revision):
        seen.append(revision)
        began.set()
        await go_on.wait()

    cache = RowCache(database, clock, "listings", read)
    first = asyncio.create_task(cache.refresh())
    await began.wait()  # what is added from here on is not in this read
    missing = asyncio.create_task(cache.refresh_missing())
    await change(database)
    go_on.set()
    await asyncio.gather(first, missing)
    assert seen == [-1, 0]


async def test_many_readers_at_once_read_once(cache, reads):
    await asyncio.gather(*(cache.refresh() for _ in range(20)))
    assert reads == [-1]


async def test_a_change_during_a_read_is_read_again(database, clock):
    reads = []

    async def read(unit, revision):
        reads.append(revision)
        if len(reads) == 1:
            cache.expire()

    cache = RowCache(database, clock, "listings", read)
    await cache.refresh()
    await change(database)
    await cache.refresh()
    assert reads == [-1, 0]


async def test_revisions_of_two_kinds_are_counted_apart(database):
    assert [await change(database), await change(database)] == [1, 2]
    async with database.transaction() as unit:
        assert await next_revision(unit, "upstreams") == 1
