"""Takes readings of accounts into the ledger, and takes them back when their block was reorganized away.

The ledger keeps the reading of the newest block, which is right while that block stays. So each reading's block hash is
kept until the block is final. A block that left the chain is found by its hash, whichever process read it and whatever
the event stream saw, and its accounts are read again.
"""

import logging
from collections.abc import Iterable, Sequence
from typing import TypeVar

from usufruct.core import Hash32
from usufruct.payments.ledger import Account, AccountIdentity, AccountKind, AccountReading, AccountUnknown
from usufruct.payments.pricing import ChannelConfig
from usufruct.payments.settlement import reading_store
from usufruct.payments.settlement.escrow_channels import EscrowChannels
from usufruct.payments.settlement.funding_source import Accounts, FundingSource, Readings
from usufruct.payments.settlement.model import SettlementContext
from usufruct.payments.settlement.pass_credits import PassCredits
from usufruct.payments.settlement.store import undo_batches

A = TypeVar("A", bound=Account | AccountIdentity)

_log = logging.getLogger(__name__)

_MANY = 500
_SWEEP_PARTS = 10
"""How often in `sweep_seconds` overdue accounts are looked for: they come due at different times."""


class AccountSync:
    """Keeps the ledger's accounts as the chain has them. The one place that chooses a funding source by their kind."""

    def __init__(self, context: SettlementContext) -> None:
        self.channels = EscrowChannels(context)
        self.credits = PassCredits(context)
        self._sources: dict[AccountKind, FundingSource] = {
            AccountKind.ESCROW_CHANNEL: self.channels,
            AccountKind.PASS_CREDITS: self.credits,
        }
        self._context = context
        self._swept_at = 0

    def source_of(self, kind: AccountKind) -> FundingSource:
        """Return the funding source of a kind of account."""
        return self._sources[kind]

    def by_source(self, accounts: Iterable[A]) -> list[tuple[FundingSource, list[A]]]:
        """Divide accounts by funding source; a source without any is left out."""
        found: dict[AccountKind, list[A]] = {}
        for account in accounts:
            found.setdefault(account.kind, []).append(account)
        return [(source, found[kind]) for kind, source in self._sources.items() if kind in found]

    async def open_channel(self, config: ChannelConfig) -> Account:
        """Make a channel known to the ledger, as the chain has it now.

        Raises:
            ChannelRefused: when it does not meet the operator's terms.
            RpcUnavailable: when the node does not answer.
        """
        return await self.open(await self.channels.register(config))

    async def open(self, account: AccountIdentity) -> Account:
        """Make an account known to the ledger whose funding source has registered it; raises as `observe`."""
        head = await self._context.client.block_number()
        now = await self._context.database.now()
        async with self._context.database.transaction() as unit:
            await reading_store.mark(unit, account.id, head, now)
        return (await self.observe([account]))[0]

    async def peek(self, account: Account) -> AccountReading:
        """Read an account now, and keep nothing of it."""
        return (await self.source_of(account.kind).observe([account])).accounts[0]

    async def observe(self, accounts: Accounts) -> list[Account]:
        """Read accounts now and take the readings into the ledger.

        Raises:
            RpcUnavailable: when the node does not answer.
        """
        found: list[Account] = []
        for source, some in self.by_source(accounts):
            for start in range(0, len(some), _MANY):
                readings = await self._read(source, some[start : start + _MANY])
                found += [await self._context.ledger.observe(reading) for reading in readings.accounts]
        return found

    async def compare(self, page: Sequence[Account]) -> list[tuple[Account, AccountReading]]:
        """Return each account of a page with the chain's reading of it now, and keep nothing of that."""
        known = {account.id: account for account in page}
        found: list[tuple[Account, AccountReading]] = []
        for source, some in self.by_source(page):
            found += [(known[reading.id], reading) for reading in (await source.observe(some)).accounts]
        return found

    async def observe_after(self, account: Account, block: int) -> AccountReading | None:
        """Read an account as it is after `block`, and note it; None while that block does not count yet.

        The ledger takes this reading later, together with the end of what happened in that block.
        """
        readings = await self._read(self.source_of(account.kind), [account])
        return readings.accounts[0] if readings.block >= block else None

    async def refresh(self) -> int:
        """Read again what may have changed on the chain, and return the number of accounts read.

        These are the accounts with a new event, and those with unclaimed calls not read for `sweep_seconds`.
        """
        now, sweep = await self._context.database.now(), self._context.sweep_seconds
        async with self._context.database.snapshot() as unit:
            stale = await reading_store.stale_readings(unit, _MANY)
            if now - self._swept_at >= sweep // _SWEEP_PARTS:
                stale += (overdue := await reading_store.overdue_readings(unit, now - sweep, _MANY))
                self._swept_at = now if len(overdue) < _MANY else self._swept_at
        known = await self._context.ledger.find_accounts(list({record.account for record in stale}))
        known_by_source = self.by_source(known.values())
        readable = [account for source, some in known_by_source for account in await source.readable(some)]
        return len(await self.observe(readable))

    async def verify(self) -> int:
        """Check that the blocks of unfinalized readings are still on the chain; return how many readings were not."""
        async with self._context.database.snapshot() as unit:
            young = await reading_store.unfinalized_readings(unit, _MANY)
        if not young:
            return 0
        head = await self._context.client.block_number()
        gone = await self._gone(young)
        known = await self._context.ledger.find_accounts([record.account for record in young])
        differing = {
            record.account
            for record in young
            if record.account in known and known[record.account].reading.block != record.block
        }
        wrong = gone | differing
        last = head - self._context.final_blocks
        final = [each for each in young if each.account not in wrong and each.block is not None and each.block <= last]
        if final:
            async with self._context.database.transaction() as unit:
                for record in final:
                    await reading_store.mark_final(unit, record)
        for source, some in self.by_source(account for account in known.values() if account.id in wrong):
            await self._read(source, some, wrong)
        return len(wrong)

    async def _gone(self, young: Iterable[reading_store.ReadingRecord]) -> frozenset[Hash32]:
        """Return the accounts whose last reading is of a block that left the chain.

        A block that the node does not have may still come: the node is behind, or the chain is shorter for a moment.
        Where the node is alone, the block is gone.
        """
        read = {record.account: (record.block, record.hash) for record in young}
        blocks = sorted({block for block, _ in read.values() if block is not None})
        headers = await self._context.client.headers(blocks) if blocks else []
        hashes = {header.number: header.hash for header in headers if header is not None}
        return frozenset(
            account
            for account, (block, was) in read.items()
            if block is not None and (hashes[block] != was if block in hashes else self._context.alone)
        )

    async def _read(
        self,
        source: FundingSource,
        accounts: Accounts,
        wrong: frozenset[Hash32] = frozenset(),
    ) -> Readings:
        """Read accounts, and note their block before the ledger gets the readings: so they can be verified.

        Accounts whose last reading does not hold, because its block is gone or it is in `wrong`, are corrected.
        """
        ids = [account.id for account in accounts]
        async with self._context.database.snapshot() as unit:
            before = await reading_store.find_readings(unit, ids)
        readings = await source.observe(accounts)
        wrong |= await self._gone(before.values()) | await self._above(readings)
        now = await self._context.database.now()
        async with self._context.database.transaction() as unit:
            for id_ in ids:
                if id_ not in before:
                    await reading_store.mark(unit, id_, readings.block, now)
                known = before.get(id_) or reading_store.ReadingRecord(id_, 1, readings.block, now, None, None)
                await reading_store.note_reading(unit, known, readings.block, readings.hash, now)
        for reading in readings.accounts:
            if reading.id in wrong:
                await self._correct(reading)
        return readings

    async def _above(self, readings: Readings) -> frozenset[Hash32]:
        """Return the accounts that the ledger read from a block above the chain's end: the only node has gone back."""
        if not self._context.alone:
            return frozenset()
        known = await self._context.ledger.find_accounts([reading.id for reading in readings.accounts])
        return frozenset(id_ for id_, account in known.items() if account.reading.block > readings.block)

    async def _correct(self, reading: AccountReading) -> None:
        try:
            before = await self._context.ledger.account(reading.id)
        except AccountUnknown:
            return
        after = await self._context.ledger.correct(reading)
        self._context.counters.corrected += 1
        _log.warning("account %s: its reading of block %d did not hold", reading.id, before.reading.block)
        if after.total_split < before.total_split:
            async with self._context.database.transaction() as unit:
                undone = await undo_batches(unit, reading.id, after.total_split)
            _log.error("account %s: the chain took back %d batches; they are made again", reading.id, undone)
