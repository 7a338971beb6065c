"""Takes readings of channels into the ledger, and takes them back when their block is gone.

The ledger keeps the reading of the newest block, which is right as long as blocks stay. They do not always. So beside
each reading stands its block's hash, until that block is final; a block that is no longer the chain's is found by its
hash, whoever read it and whatever the event stream has or has not seen, and its readings are made again.
"""

import logging
from collections.abc import Iterable, Sequence
from contextlib import suppress

from usufruct.core import Hash32
from usufruct.payments.ledger import Account, AccountReading, AccountUnknown
from usufruct.payments.pricing import ChannelConfig, channel_id
from usufruct.payments.settlement.channel_reader import ChannelReader, Reader, Readings
from usufruct.payments.settlement.model import Counters, SettlementContext
from usufruct.payments.settlement.pass_reader import PassReader
from usufruct.payments.settlement.store import (
    ReadingRecord,
    find_watched,
    mark,
    note_reading,
    stale_channels,
    take_for_good,
    undo_batches,
    unread_channels,
    young_readings,
)

_log = logging.getLogger(__name__)

_MANY = 500
_SWEEP_PARTS = 10
"""How often in `sweep_seconds` it is looked for channels that were not read: many come due at different times."""


class AccountSync:
    """Keeps the ledger's channels as the chain has them."""

    def __init__(self, side: SettlementContext, counters: Counters | None = None) -> None:
        self._side = side
        self._reader = ChannelReader(side.client, side.escrow, side.confirmations)
        self._passes: PassReader | None = None
        if side.passes is not None:
            self._passes = PassReader(side.client, side.escrow, side.passes, side.confirmations)
        self._counters = counters or Counters()
        self._swept_at = 0

    async def open(self, config: ChannelConfig) -> Account:
        """Make a channel known to the ledger, as the chain has it now.

        Raises:
            ChannelRefused: when it does not meet the operator's terms.
            RpcUnavailable: when the node does not answer.
        """
        if not self._side.holds_credits(config):
            self._side.terms.check(config)
        head = await self._side.client.block_number()
        now = await self._side.database.now()
        async with self._side.database.transaction() as unit:
            await mark(unit, channel_id(self._side.escrow, config), head, now)
        return (await self.observe([config]))[0]

    async def peek(self, config: ChannelConfig) -> AccountReading:
        """Read a channel now, and note nothing."""
        return (await self._reader_of(config).read([config])).channels[0]

    async def observe(self, configs: Sequence[ChannelConfig]) -> list[Account]:
        """Read channels now and take the readings into the ledger."""
        found: list[Account] = []
        for kind in self._kinds(configs):
            readings = await self._read(self._reader_of(kind[0]), kind)
            found += [await self._side.ledger.observe(reading) for reading in readings.channels]
        return found

    async def above_chain(self, page: Sequence[Account]) -> list[tuple[Account, int]]:
        """Return the channels of a page with more money in the ledger than on the chain now, and the chain's number.

        Notes nothing.
        """
        held = {channel.reading.id: channel for channel in page if channel.reading.balance}
        found: list[tuple[Account, int]] = []
        for kind in self._kinds([channel.reading.config for channel in held.values()]):
            readings = (await self._reader_of(kind[0]).read(kind)).channels
            found += [(held[now.id], now.balance) for now in readings if now.balance < held[now.id].reading.balance]
        return found

    async def overstated(self, page: Sequence[Account]) -> list[tuple[Account, int]]:
        """Return the channels of a page with more claimed in the ledger than on the chain, and the chain's number."""
        known = {channel.reading.id: channel for channel in page}
        found: list[tuple[Account, int]] = []
        for kind in self._kinds([channel.reading.config for channel in page]):
            readings = (await self._reader_of(kind[0]).read(kind)).channels
            found += [
                (known[now.id], now.total_claimed)
                for now in readings
                if now.total_claimed < known[now.id].reading.total_claimed
            ]
        return found

    async def observe_after(self, config: ChannelConfig, block: int) -> AccountReading | None:
        """Read a channel as it is after `block`, and note it; None while that block does not count yet.

        The ledger is not told: it takes this reading together with the end of what happened in that block.
        """
        readings = await self._read(self._reader, [config])
        return readings.channels[0] if readings.block >= block else None

    async def refresh(self) -> int:
        """Read again what may have changed on the chain, and return how many channels that were.

        That is what an event was seen of, and what has unclaimed calls and was not read for `sweep_seconds`.
        """
        now, sweep = await self._side.database.now(), self._side.sweep_seconds
        async with self._side.database.snapshot() as unit:
            stale = await stale_channels(unit, _MANY)
            if now - self._swept_at >= sweep // _SWEEP_PARTS:
                stale += (unread := await unread_channels(unit, now - sweep, _MANY))
                self._swept_at = now if len(unread) < _MANY else self._swept_at
        known = await self._configs([watched.channel for watched in stale])
        if known:
            await self.observe(list(known.values()))
        return len(known)

    async def verify(self) -> int:
        """Look whether the blocks of young readings are still the chain's; return how many readings were not."""
        async with self._side.database.snapshot() as unit:
            young = await young_readings(unit, _MANY)
        if not young:
            return 0
        head = await self._side.client.block_number()
        gone = await self._gone(young)
        wrong = [watched.channel for watched in young if watched.channel in gone or await self._differs(watched)]
        for watched in young:
            final = watched.block is not None and head - watched.block >= self._side.final_blocks
            if final and watched.channel not in wrong:
                async with self._side.database.transaction() as unit:
                    await take_for_good(unit, watched)
        if configs := await self._configs(wrong):
            for kind in self._kinds(list(configs.values())):
                await self._read(self._reader_of(kind[0]), kind, frozenset(wrong))
        return len(wrong)

    async def _gone(self, young: Iterable[ReadingRecord]) -> frozenset[Hash32]:
        """Return the channels whose last reading is of a block that is not the chain's any more.

        A block that the node does not have may still come: the node is behind, or the chain is shorter for a moment.
        Where the node is alone it is gone.
        """
        read = {watched.channel: (watched.block, watched.hash) for watched in young}
        blocks = sorted({block for block, _ in read.values() if block is not None})
        headers = await self._side.client.headers(blocks) if blocks else []
        hashes = {header.number: header.hash for header in headers if header is not None}
        return frozenset(
            channel
            for channel, (block, was) in read.items()
            if block is not None and (hashes[block] != was if block in hashes else self._side.alone)
        )

    async def _differs(self, watched: ReadingRecord) -> bool:
        """Tell whether the ledger's reading is of another block than the one that is being verified."""
        try:
            channel = await self._side.ledger.account(watched.channel)
        except AccountUnknown:
            return False
        return channel.reading.block != watched.block

    def _kinds(self, configs: Sequence[ChannelConfig]) -> list[list[ChannelConfig]]:
        """Return the channels, then the accounts of pass credits, as far as there are any: each has its own reader."""
        channels = [config for config in configs if not self._side.holds_credits(config)]
        accounts = [config for config in configs if self._side.holds_credits(config)]
        return [kind for kind in (channels, accounts) if kind]

    def _reader_of(self, config: ChannelConfig) -> Reader:
        return self._passes if self._passes is not None and self._side.holds_credits(config) else self._reader

    async def _read(
        self, reader: Reader, configs: Sequence[ChannelConfig], wrong: frozenset[Hash32] = frozenset()
    ) -> Readings:
        """Read channels, and note their block before anybody is told: what is told can then be verified.

        Those whose last reading does not hold, because its block is gone or it is known to be `wrong`, are corrected.
        """
        ids = [channel_id(self._side.escrow, config) for config in configs]
        async with self._side.database.snapshot() as unit:
            before = await find_watched(unit, ids)
        readings = await reader.read(configs)
        wrong |= await self._gone(before.values()) | await self._above(readings)
        now = await self._side.database.now()
        async with self._side.database.transaction() as unit:
            for channel in ids:
                if channel not in before:
                    await mark(unit, channel, readings.block, now)
                known = before.get(channel) or ReadingRecord(channel, 1, readings.block, now, None, None)
                await note_reading(unit, known, readings.block, readings.hash, now)
        for reading in readings.channels:
            if reading.id in wrong:
                await self._correct(reading)
        return readings

    async def _above(self, readings: Readings) -> frozenset[Hash32]:
        """Return the channels that the ledger knows from a block above the chain's end: the only node has gone back."""
        found: set[Hash32] = set()
        for reading in readings.channels if self._side.alone else ():
            with suppress(AccountUnknown):
                if (await self._side.ledger.account(reading.id)).reading.block > reading.block:
                    found.add(reading.id)
        return frozenset(found)

    async def _correct(self, reading: AccountReading) -> None:
        try:
            before = await self._side.ledger.account(reading.id)
        except AccountUnknown:
            return
        after = await self._side.ledger.correct(reading)
        self._counters.corrected += 1
        _log.warning("channel %s: its reading of block %d did not hold", reading.id, before.reading.block)
        if after.total_split < before.total_split:
            async with self._side.database.transaction() as unit:
                undone = await undo_batches(unit, reading.id, after.total_split)
            _log.error("channel %s: the chain took back %d batches; they are made again", reading.id, undone)

    async def _configs(self, which: Sequence[Hash32]) -> dict[Hash32, ChannelConfig]:
        found = {}
        for channel in which:
            try:
                found[channel] = (await self._side.ledger.account(channel)).reading.config
            except AccountUnknown:
                continue
        return found
