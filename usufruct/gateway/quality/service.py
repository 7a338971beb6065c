"""Measured quality: calls are noted in memory, written by a job of the gateway, and summarized by one of the worker."""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence

from usufruct.core import AssetId, Clock
from usufruct.gateway.quality.store import (
    DAY,
    HOUR,
    REVISION,
    add_tallies,
    changed_assets,
    days_since,
    forget_tallies,
    income_since,
    put_summaries,
    summaries_of,
    summarized_assets,
    tallies_since,
)
from usufruct.gateway.quality.summary import DAYS, Summary, summarize
from usufruct.gateway.quality.tally import EVERY_SERVICE, CallCounts, Outcome, Tally, Times, outcome_of
from usufruct.payments.ledger import Bill
from usufruct.store import ConstraintViolated, Database, RowCache, next_revision

FLUSH_SECONDS, SUMMARY_SECONDS = 15.0, 60.0

_MOST_NOTES = 200_000
"""Calls that are noted between two flushes, at most: the oldest go first where no job takes them."""

_AT_ONCE = 100
"""Services in one transaction, which then stays short."""

_COMMITTED_SECONDS = 120
"""Within which a tally that was changed can be read."""

_TRIES = 3


class ServiceQuality:
    """What calls tell about services. A call is noted by one append; everything else is done by jobs."""

    def __init__(self, database: Database, clock: Clock | None = None) -> None:
        """Keep tallies in `database`."""
        self._database = database
        self._rows = RowCache(database, clock or Clock(), REVISION)
        self._notes: deque[tuple[AssetId, Outcome, Times | None, Bill | None]] = deque(maxlen=_MOST_NOTES)
        self._tallies: dict[AssetId, Tally] = {}
        self._summarized_at = 0
        self._all_at = 0

    def charged(self, asset: AssetId, fault: BaseException | None, times: Times, bill: Bill) -> None:
        """Note a call that was charged; `fault`: why its answer is not whole."""
        outcome = Outcome.ANSWERED if fault is None else outcome_of(fault, started=True)
        self._notes.append((asset, outcome, times, bill))

    def released(self, asset: AssetId, fault: BaseException, *, started: bool) -> None:
        """Note a call that was let in and charged nothing."""
        self._notes.append((asset, outcome_of(fault, started=started), None, None))

    async def flush(self) -> None:
        """Write what was noted since the last time; what cannot be written now is kept for the next.

        Raises:
            DatabaseUnavailable: when the database does not answer.
        """
        await self._count()
        while self._tallies:
            assets = sorted(self._tallies)[:_AT_ONCE]
            taken = {asset: self._tallies.pop(asset) for asset in assets}
            try:
                await self._add(taken)
            except BaseException:
                for asset, tally in taken.items():
                    self._tallies.setdefault(asset, Tally()).merge(tally)
                raise

    async def _count(self) -> None:
        """Count the notes, some at a time: running calls must not wait for it."""
        while self._notes:
            for _ in range(min(len(self._notes), _AT_ONCE)):
                asset, outcome, times, bill = self._notes.popleft()
                for counted in (asset, EVERY_SERVICE):
                    self._tallies.setdefault(counted, Tally()).add(outcome, times, bill)
            await asyncio.sleep(0)

    async def _add(self, tallies: Mapping[AssetId, Tally]) -> None:
        for tried in range(_TRIES):
            now = await self._database.now()
            try:
                async with self._database.transaction() as unit:
                    await add_tallies(unit, tallies, HOUR, now)
                    await add_tallies(unit, tallies, DAY, now)
                    await next_revision(unit, REVISION)
                self._rows.expire()
                return
            except ConstraintViolated:  # another replica began the same hour just now
                if tried == _TRIES - 1:
                    raise

    async def summarize(self) -> None:
        """Bring the summaries up to date: of services that were called, and every hour of all.

        Raises:
            DatabaseUnavailable: when the database does not answer.
        """
        now = await self._database.now()
        whole = now - now % HOUR > self._all_at
        async with self._database.snapshot() as unit:
            since = 0 if not self._summarized_at else self._summarized_at - _COMMITTED_SECONDS
            assets = {*await changed_assets(unit, since), *(await summarized_assets(unit) if whole else ())}
        ordered = sorted(assets)
        for at in range(0, len(ordered), _AT_ONCE):
            await self._summarize(ordered[at : at + _AT_ONCE], now)
        if whole:
            async with self._database.transaction() as unit:
                await forget_tallies(unit, now)
            self._all_at = now
        self._summarized_at = now

    async def _summarize(self, assets: Sequence[AssetId], now: int) -> None:
        hour, day = now - now % HOUR - 23 * HOUR, now - now % DAY - (DAYS[1] - 1) * DAY
        async with self._database.snapshot() as unit:
            found = await tallies_since(unit, assets, hour, day)
        summaries = {
            asset: [summarize(days, tally) for days, tally in zip(DAYS, tallies, strict=True)]
            for asset, tallies in found.items()
        }
        async with self._database.transaction() as unit:
            await put_summaries(unit, summaries)
        self._rows.expire()

    async def revision(self) -> int:
        """Return what differs whenever something that was measured does."""
        return await self._rows.refresh()

    async def of(self, asset: AssetId) -> tuple[Summary, Summary]:
        """Return what holds about a service over 24 hours and over 30 days."""
        found = await summaries_of(self._database, asset)
        return found.get(DAYS[0], Summary(DAYS[0])), found.get(DAYS[1], Summary(DAYS[1]))

    async def income_of(self, asset: AssetId, day: int) -> dict[int, int]:
        """Return what a service was paid on each day from `day` on that had calls, by the day's start."""
        return await income_since(self._database, asset, day)

    async def last_hours(self) -> dict[AssetId, tuple[int, int]]:
        """Return how many calls servers answered and failed in this hour of the clock and the one before, by service.

        A service that was not called is missing.
        """
        now = await self._database.now()
        hour = now - now % HOUR - HOUR
        async with self._database.snapshot() as unit:
            called = set(await changed_assets(unit, hour)) - {EVERY_SERVICE}
            found = await tallies_since(unit, sorted(called), hour, now + DAY)
        return {asset: (hours.answered, hours.failed + hours.broken) for asset, (hours, _) in found.items()}

    async def days_of(self, assets: Sequence[AssetId], day: int) -> dict[AssetId, list[tuple[int, CallCounts]]]:
        """Return what was counted of some services on each day from `day` on that had calls, with the day's start.

        `EVERY_SERVICE` may be among the services.
        """
        return await days_since(self._database, assets, day)
