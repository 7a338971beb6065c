"""Reads that callers share: each gets what was stored when it asked or later, in as few reads as that takes."""

import asyncio

import pytest

from usufruct.store import SharedReads


class Rows:
    """Rows whose readers wait until `go` is set; `reads` holds the keys of each read."""

    def __init__(self) -> None:
        self.stored: dict[str, int] = {}
        self.reads: list[set[str]] = []
        self.go = asyncio.Event()
        self.failure: Exception | None = None

    async def read(self, keys):
        self.reads.append(set(keys))
        found = {key: self.stored[key] for key in keys if key in self.stored}
        await self.go.wait()
        if self.failure:
            raise self.failure
        return found


async def running(reads, *keys):
    """Start a call for each key, and let it run until it waits."""
    calls = [asyncio.create_task(reads.get(key)) for key in keys]
    for _ in range(4):
        await asyncio.sleep(0)
    return calls


async def test_calls_that_come_while_a_read_runs_share_the_next_one():
    rows = Rows()
    reads = SharedReads(rows.read)
    first = await running(reads, "a")
    rows.stored = {"a": 1, "b": 2}  # after the first read, before the calls that follow
    later = await running(reads, "a", "b", "c", "b")
    rows.go.set()
    assert await asyncio.gather(*first, *later) == [None, 1, 2, None, 2]
    assert rows.reads == [{"a"}, {"a", "b", "c"}]


async def test_calls_of_one_moment_are_one_read():
    rows = Rows()
    rows.stored = {"a": 1, "b": 2}
    rows.go.set()
    reads = SharedReads(rows.read)
    assert await asyncio.gather(*map(reads.get, "abab")) == [1, 2, 1, 2]
    assert rows.reads == [{"a", "b"}]
    assert await reads.get("a") == 1
    assert len(rows.reads) == 2


async def test_a_caller_that_leaves_takes_nothing_from_the_others():
    rows = Rows()
    rows.stored = {"a": 1}
    reads = SharedReads(rows.read)
    leaver, stayer = await running(reads, "a", "a")
    leaver.cancel()
    rows.go.set()
    assert await stayer == 1
    with pytest.raises(asyncio.CancelledError):
        await leaver


async def test_a_read_that_fails_fails_for_those_who_wait_and_not_for_the_next():
    rows = Rows()
    rows.stored = {"a": 1}
    rows.failure = RuntimeError("away")
    rows.go.set()
    reads = SharedReads(rows.read)
    assert [str(each) for each in await asyncio.gather(*map(reads.get, "aa"), return_exceptions=True)] == ["away"] * 2
    rows.failure = None
    assert await reads.get("a") == 1


async def test_the_number_of_keys_of_a_read_is_a_power_of_two():
    counts = []

    async def read(keys):
        counts.append(len(keys))
        return {key: key for key in keys}

    reads = SharedReads(read)
    for size in range(1, 10):
        assert await asyncio.gather(*map(reads.get, range(size))) == list(range(size))
    assert counts == [1, 2, 4, 4, 8, 8, 8, 8, 16]
