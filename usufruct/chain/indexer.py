"""Reads event logs in order, once each, and takes them back when the chain does.

A stream is a name, a filter and a handler. Logs are read range by range; the rows a handler writes and the checkpoint
they belong to are one database transaction, so that after any crash both are there or neither. A checkpoint keeps its
block's hash. When the chain no longer has that block, the newest checkpoint it still has is the fork point: the handler
forgets what came after it, in one transaction with the step back.

A node's logs may lag its head: it answers for its newest blocks as if they held none. So a checkpoint also keeps how
many logs its range had, and the ranges of the last `overlap_blocks` are read again with every new one, and after
1, 2, 4 ... 32 s when no block comes. A range that has more logs now than it had is a gap: the stream steps back to
before it, as for a reorganisation, and reads on from there. Fewer logs than a range had are a node that is behind.

Any contract can emit any event, so a handler decides for each log whether its emitter is ours; it is asked inside the
transaction, log by log, so that a contract registered by one log is known to the next.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from usufruct.chain.answers import Log
from usufruct.chain.client import ChainHead, Client, Topics
from usufruct.chain.rpc_errors import RpcRefused
from usufruct.chain.store import Checkpoint, checkpoint, checkpoints, forget_before, move, note_gap, stream_gaps
from usufruct.core import Address, Clock, Faulty, Hash32, Unavailable
from usufruct.store import ConstraintViolated, Database, Unit

_log = logging.getLogger(__name__)

_CHUNK = 50
_FIRST_RECHECK = 1.0
_LAST_RECHECK = 32.0
_SUCCESSES_TO_GROW = 20


class _StreamTaken(Exception):
    """Another process moved the stream on; its transaction stands, ours is undone."""


class LogHandler(Protocol):
    """What a package does with its logs. All three work inside the transaction that moves the checkpoint."""

    async def accepts(self, unit: Unit, log: Log) -> bool:
        """Tell whether the log's emitter is a contract that counts."""

    async def apply(self, unit: Unit, log: Log) -> None:
        """Take one log in."""

    async def rollback(self, unit: Unit, block: int) -> None:
        """Forget whatever came of logs in blocks after `block`."""


@dataclass(frozen=True, slots=True)
class Stream:
    """What to read.

    `first_block`: where reading begins. No `addresses`: any emitter. `confirmations`: how many blocks must follow a
    block before it is read; 0 reads at once and relies on `rollback`. `range_blocks`: the most blocks read at a time.
    `overlap_blocks`: for how many blocks a node's logs may lag its head; so many are read again and again.
    """

    name: str
    handler: LogHandler
    first_block: int = 0
    addresses: Sequence[Address] = ()
    topics: Topics = ()
    confirmations: int = 0
    range_blocks: int = 2000
    overlap_blocks: int = 64


class Indexer:
    """Reads one stream; several processes may, and one of them gets ahead at a time.

    `horizon_blocks`: how far back checkpoints are kept, hence how deep a reorganisation may be. `alone`: there is one
    node only, as on a devnet: a chain that is shorter than what was read has gone back, the node is not behind.
    """

    def __init__(
        self,
        client: Client,
        database: Database,
        stream: Stream,
        *,
        horizon_blocks: int = 2000,
        alone: bool = False,
        clock: Clock | None = None,
        head: ChainHead | None = None,
    ) -> None:
        self._client = client
        self._database = database
        self._stream = stream
        self._horizon = horizon_blocks
        self._alone = alone
        self._head = head or ChainHead(client, 0.0, clock)
        self._idle: tuple[Checkpoint, Hash32] | None = None  # where nothing was to do, and the head's hash then
        self._clock = clock or Clock()
        self._range = stream.range_blocks
        self._successes = 0
        self._sure = -1  # up to this block everything was read when it was older than the overlap
        self._recheck_at = float("-inf")
        self._recheck_after = _FIRST_RECHECK

    async def catch_up(self) -> None:
        """Read everything there is to read now."""
        while await self.step():
            pass

    async def position(self) -> Checkpoint | None:
        """Return how far the stream was read."""
        return await checkpoint(self._database, self._stream.name)

    async def behind(self) -> int:
        """Return how many blocks there are on the chain that were not read yet, unripe ones included."""
        point = await self.position()
        return max(0, await self._client.block_number() - (point.block if point else 0))

    async def gaps(self) -> int:
        """Return how often the node had hidden logs of this stream."""
        return sum(found.times for found in await stream_gaps(self._database) if found.stream == self._stream.name)

    async def step(self) -> bool:
        """Read one range, or take one step back; False when there is nothing to do now.

        Raises:
            Faulty: when no block the stream was read by is on the chain any more.
            Unavailable: when the node has fewer logs than it had; nothing was read.
        """
        old = await self.position()
        try:
            if old is None:
                return await self._begin()
            newest_header = await self._head.latest()
            head, idle = newest_header.number, (old, newest_header.hash)
            if idle == self._idle:
                return await self._recheck(old, head)
            if await self._gone(old, head):
                fork = await self._fork(old)
                _log.warning("stream %s goes back from block %d to %d", self._stream.name, old.block, fork.block)
                await self._step_back(old, fork)
                return True
            newest = head - self._stream.confirmations
            first, last = old.block + 1, self._end(old.block, newest)
            if first <= last:
                return await self._read(old, first, last, sure=last <= newest - self._stream.overlap_blocks)
            self._idle = idle
            return await self._recheck(old, head)
        except _StreamTaken:
            return True

    def _end(self, read: int, newest: int) -> int:
        """Return the end of the next range: no range reaches from before the overlap into it."""
        settled = newest - self._stream.overlap_blocks
        return min(read + self._range, settled if read < settled else newest)

    async def _begin(self) -> bool:
        """Put the first checkpoint on the block before the first to read; block 0 holds no logs."""
        start = await self._client.header(max(self._stream.first_block, 1) - 1)
        if start is None:
            return False
        try:
            async with self._database.transaction() as unit:
                await self._move(unit, None, Checkpoint(start.number, start.hash))
        except ConstraintViolated:
            raise _StreamTaken from None
        return True

    async def _gone(self, point: Checkpoint, head: int) -> bool:
        """Tell whether the chain has another block in the checkpoint's place.

        A chain that is shorter than that may be a node that is behind: then an older checkpoint decides.
        """
        if head < point.block:
            if self._alone:
                return True
            older = [each for each in await self._checkpoints() if each.block <= head]
            if not older:
                return False
            point = older[0]
        header = await self._client.header(point.block)
        return header is not None and header.hash != point.hash

    async def _recheck(self, old: Checkpoint, head: int) -> bool:
        """Read the newest ranges again when it is time to; tells whether logs came that were hidden."""
        if head < old.block or self._clock.monotonic() < self._recheck_at:
            return False
        gap = await self._gap(old, await self._window(old))
        self._recheck_at = self._clock.monotonic() + self._recheck_after
        if self._recheck_after > _LAST_RECHECK:
            self._recheck_at = float("inf")
        self._recheck_after *= 2
        return gap

    async def _read(self, old: Checkpoint, first: int, last: int, *, sure: bool) -> bool:
        """Read a range, make sure that the chain stayed the same meanwhile, and hand its logs on."""
        window = await self._window(old)
        ends = [old.block, last]
        before = await self._client.headers(ends)
        logs = await self._logs(window[-1].block + 1, last)
        after = await self._client.headers(ends)
        end = after[1]
        if end is None or before != after or after[0] is None or after[0].hash != old.hash:
            return True
        if any(log.block_number == last and log.block_hash != end.hash for log in logs):
            return True
        if await self._gap(old, window, logs):
            return True
        new = [log for log in logs if log.block_number >= first]
        handler = self._stream.handler
        async with self._database.transaction() as unit:
            await self._move(unit, old, Checkpoint(end.number, end.hash, len(new)))
            for log in new:
                if await handler.accepts(unit, log):
                    await handler.apply(unit, log)
            await forget_before(unit, self._stream.name, last - self._horizon)
        self._sure = last if sure else self._sure
        self._recheck_after = _FIRST_RECHECK
        self._recheck_at = self._clock.monotonic() + _FIRST_RECHECK
        return True

    async def _window(self, old: Checkpoint) -> list[Checkpoint]:
        """Return the checkpoints to compare, newest first; the last one is where their ranges begin."""
        enough = max(self._sure, old.block - self._stream.overlap_blocks)
        found: list[Checkpoint] = []
        for point in await self._checkpoints():
            found.append(point)
            if point.block <= enough or point.logs is None:
                break
        if not found or found[0].block != old.block:
            raise _StreamTaken
        return found

    async def _gap(self, old: Checkpoint, window: Sequence[Checkpoint], logs: Sequence[Log] | None = None) -> bool:
        """Compare ranges with how many logs they had, and step back before the first that has more.

        Raises:
            Unavailable: when one has fewer.
        """
        if len(window) < 2:
            return False
        if logs is None:
            logs = await self._logs(window[-1].block + 1, old.block)
        start = window[-1]
        for end in reversed(window[:-1]):
            found = sum(start.block < log.block_number <= end.block for log in logs)
            if end.logs is not None and found != end.logs:
                return await self._differs(old, start, end, found)
            start = end
        return False

    async def _differs(self, old: Checkpoint, start: Checkpoint, end: Checkpoint, found: int) -> bool:
        """Step back before a range that has more logs than it had; False when the chain was reorganised meanwhile."""
        name, before = self._stream.name, end.logs or 0
        if await newest_on_chain(self._client, [old]) is None:
            return False
        if found < before:
            message = (
                f"the node has {found} logs of stream {name} up to block {end.block}, it had {before}: its logs are "
                "behind. Nothing is read until it has caught up; set chain.rpc_url to another node if it does not"
            )
            raise Unavailable(message, code="node_lags", stream=name, block=end.block)
        _log.warning("stream %s: the node had hidden %d logs up to block %d", name, found - before, end.block)
        await self._step_back(old, start, gap_at=await self._database.now())
        return True

    async def _logs(self, first: int, last: int) -> list[Log]:
        """Return the logs of a range; asks for less at a time when the node finds it too large."""
        found: list[Log] = []
        while first <= last:
            end = min(last, first + self._range - 1)
            try:
                found += await self._client.logs(
                    first, end, addresses=self._stream.addresses, topics=self._stream.topics
                )
            except RpcRefused:
                if first == end:
                    raise
                self._range, self._successes = (end - first + 1) // 2, 0
                continue
            first, self._successes = end + 1, self._successes + 1
            if self._successes >= _SUCCESSES_TO_GROW:
                self._range, self._successes = min(self._stream.range_blocks, self._range * 2), 0
        return found

    async def _fork(self, old: Checkpoint) -> Checkpoint:
        """Return the newest checkpoint that the chain still has."""
        fork = await newest_on_chain(self._client, await self._checkpoints())
        if fork is None:
            message = (
                f"chain has no block that stream {self._stream.name} was read by, the newest being {old.block}; was "
                "the chain reset? Its rows must go and be read again from the start"
            )
            raise Faulty(message, code="reorg_too_deep", stream=self._stream.name, block=old.block)
        return fork

    async def _step_back(self, old: Checkpoint, to: Checkpoint, gap_at: int | None = None) -> None:
        """Move the checkpoint back and have the handler forget what came after it."""
        async with self._database.transaction() as unit:
            await self._move(unit, old, to)
            if gap_at is not None:
                await note_gap(unit, self._stream.name, gap_at)
            await self._stream.handler.rollback(unit, to.block)
        self._sure = min(self._sure, to.block)

    async def _checkpoints(self) -> Sequence[Checkpoint]:
        return await checkpoints(self._database, self._stream.name)

    async def _move(self, unit: Unit, old: Checkpoint | None, new: Checkpoint) -> None:
        if not await move(unit, self._stream.name, old, new):
            raise _StreamTaken


async def newest_on_chain(client: Client, points: Sequence[Checkpoint]) -> Checkpoint | None:
    """Return the first of some checkpoints, given newest first, that the chain still has."""
    for start in range(0, len(points), _CHUNK):
        chunk = points[start : start + _CHUNK]
        for point, header in zip(chunk, await client.headers([p.block for p in chunk]), strict=True):
            if header is not None and header.hash == point.hash:
                return point
    return None
