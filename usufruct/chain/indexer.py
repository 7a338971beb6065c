"""Reads event logs in order, once each, and takes them back when the chain does.

A stream is a name, a filter and a handler. Logs are read range by range; the rows a handler writes and the checkpoint
they belong to are one database transaction, so that after any crash both are there or neither. A checkpoint keeps its
block's hash. When the chain no longer has that block, the newest checkpoint it still has is the fork point: the handler
forgets what came after it, in one transaction with the step back.

Anybody can emit any event, so a handler says for each log whether its emitter is one of ours; it is asked inside the
transaction, log by log, so that a contract registered by one log is known to the next.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from usufruct.chain.answers import Header
from usufruct.chain.binding import Log
from usufruct.chain.client import Client, Topics
from usufruct.chain.rpc_errors import RpcRefused
from usufruct.chain.store import Checkpoint, checkpoint, checkpoints, forget_before, move
from usufruct.core import Address, Conflict, Faulty, Unavailable
from usufruct.store import Database, Unit

_log = logging.getLogger(__name__)

_CHUNK = 50


class ReorgTooDeep(Faulty):
    """The chain has none of the blocks a stream was read by."""

    code = "reorg_too_deep"


class _StreamTaken(Conflict):
    """Another process moved the stream on; its transaction stands, ours is undone."""


class LogHandler(Protocol):
    """What a room does with its logs. All three work inside the transaction that moves the checkpoint."""

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
    block before it is read; 0 reads at once and relies on `rollback`, but where several nodes stand behind one address
    let a few follow, for one that is behind answers with fewer logs. `range_blocks`: the most blocks read at a time.
    """

    name: str
    handler: LogHandler
    first_block: int = 0
    addresses: Sequence[Address] = ()
    topics: Topics = ()
    confirmations: int = 0
    range_blocks: int = 2000


class Indexer:
    """Reads one stream; several processes may, and one of them gets ahead at a time.

    `horizon_blocks`: how far back checkpoints are kept, hence how deep a reorganisation may be.
    """

    def __init__(self, client: Client, database: Database, stream: Stream, *, horizon_blocks: int = 2000) -> None:
        self._client = client
        self._database = database
        self._stream = stream
        self._horizon = horizon_blocks
        self._range = stream.range_blocks

    async def run(self, poll_seconds: float = 1.0) -> None:
        """Read for ever; nodes and databases that do not answer are asked again."""
        while True:
            try:
                await self.catch_up()
            except (Unavailable, RpcRefused) as error:
                _log.warning("stream %s waits: %s", self._stream.name, error.message)
            await asyncio.sleep(poll_seconds)

    async def catch_up(self) -> None:
        """Read everything there is to read now."""
        while await self.step():
            pass

    async def position(self) -> Checkpoint | None:
        """Return how far the stream was read."""
        async with self._database.snapshot() as unit:
            return await checkpoint(unit, self._stream.name)

    async def behind(self) -> int:
        """Return how many blocks there are on the chain that were not read yet, unripe ones included."""
        point = await self.position()
        return max(0, await self._client.block_number() - (point.block if point else 0))

    async def step(self) -> bool:
        """Read one range, or take one step back; False when there is nothing to do now.

        Raises:
            ReorgTooDeep: when no block the stream was read by is on the chain any more.
        """
        old = await self.position()
        try:
            if old is None:
                return await self._begin()
            head = await self._client.block_number()
            if await self._gone(old, head):
                await self._step_back(old)
                return True
            first, last = old.block + 1, min(old.block + self._range, head - self._stream.confirmations)
            return first <= last and await self._read(old, first, last)
        except _StreamTaken:
            return True

    async def _begin(self) -> bool:
        """Put the first checkpoint on the block before the first to read; block 0 holds no logs."""
        start = await self._client.header(max(self._stream.first_block, 1) - 1)
        if start is None:
            return False
        async with self._database.transaction() as unit:
            await self._move(unit, None, _point(start))
        return True

    async def _gone(self, point: Checkpoint, head: int) -> bool:
        """Tell whether the chain has another block in the checkpoint's place.

        A chain that is shorter than that may be a node that is behind: then an older checkpoint decides.
        """
        if head < point.block:
            async with self._database.snapshot() as unit:
                older = [each for each in await checkpoints(unit, self._stream.name) if each.block <= head]
            if not older:
                return False
            point = older[0]
        header = await self._client.header(point.block)
        return header is not None and header.hash != point.hash

    async def _read(self, old: Checkpoint, first: int, last: int) -> bool:
        """Read a range, make sure that the chain stayed the same meanwhile, and hand its logs on."""
        ends = [old.block, last]
        before = await self._client.headers(ends)
        logs = await self._logs(first, last)
        after = await self._client.headers(ends)
        end = after[1]
        if logs is None or end is None or before != after or after[0] is None or after[0].hash != old.hash:
            return True
        if any(log.block_number == last and log.block_hash != end.hash for log in logs):
            return True
        handler = self._stream.handler
        async with self._database.transaction() as unit:
            await self._move(unit, old, _point(end))
            for log in logs:
                if await handler.accepts(unit, log):
                    await handler.apply(unit, log)
            await forget_before(unit, self._stream.name, last - self._horizon)
        return True

    async def _logs(self, first: int, last: int) -> list[Log] | None:
        """Ask for a range's logs; None when the node finds it too large, after which ranges are halved."""
        stream = self._stream
        try:
            logs = await self._client.logs(first, last, addresses=stream.addresses, topics=stream.topics)
        except RpcRefused:
            if first == last:
                raise
            self._range = (last - first + 1) // 2
            return None
        self._range = min(stream.range_blocks, self._range * 2)
        return logs

    async def _step_back(self, old: Checkpoint) -> None:
        async with self._database.snapshot() as unit:
            points = await checkpoints(unit, self._stream.name)
        fork = await self._newest_on_chain(points)
        if fork is None:
            raise ReorgTooDeep(
                f"chain has no block that stream {self._stream.name} was read by, the newest being {old.block}; was "
                "the chain reset? Its rows must go and be read again from the start",
                stream=self._stream.name,
                block=old.block,
            )
        _log.warning("stream %s goes back from block %d to %d", self._stream.name, old.block, fork.block)
        async with self._database.transaction() as unit:
            await self._move(unit, old, fork)
            await self._stream.handler.rollback(unit, fork.block)

    async def _newest_on_chain(self, points: Sequence[Checkpoint]) -> Checkpoint | None:
        for start in range(0, len(points), _CHUNK):
            chunk = points[start : start + _CHUNK]
            for point, header in zip(chunk, await self._client.headers([p.block for p in chunk]), strict=True):
                if header is not None and header.hash == point.hash:
                    return point
        return None

    async def _move(self, unit: Unit, old: Checkpoint | None, new: Checkpoint) -> None:
        if not await move(unit, self._stream.name, old, new):
            raise _StreamTaken(f"stream {self._stream.name} was moved by another process")


def _point(header: Header) -> Checkpoint:
    return Checkpoint(header.number, header.hash)
