"""The worker's jobs: one for each venue, which follows its stream, and one that fixes and writes the prices.

A venue that is away is a job that fails: `doctor` and metrics name it, and the other venues' prices go on.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from usufruct.analytics.folder_turn import FolderTurn
from usufruct.analytics.live.fixing import LiveMedians
from usufruct.analytics.live.model import LiveTable
from usufruct.analytics.live.price_file import read_table, updated, write_table
from usufruct.connectors.exchanges import (
    LivePrice,
    SymbolTable,
    UnlistedSymbol,
    Venue,
    VenueSettings,
    VenueUnavailable,
    live_prices,
)
from usufruct.core import Clock
from usufruct.core.jobs import Job

_STEP_SECONDS: Final = 1.0

_log = logging.getLogger(__name__)


class VenueStream:
    """Follows the symbols of one venue in its own task; each step of the job checks that it runs."""

    def __init__(
        self,
        settings: VenueSettings,
        table: SymbolTable,
        hear: Callable[[LivePrice], None],
        turn: FolderTurn,
        clock: Clock,
        quiet_seconds: float,
    ) -> None:
        self._settings = settings
        self._table = table
        self._hear = hear
        self._turn = turn
        self._clock = clock
        self._quiet_seconds = quiet_seconds
        self._task: asyncio.Task[None] | None = None
        self._heard = 0.0

    async def step(self) -> None:
        """Start the stream if it does not run, and it is this process's turn.

        Raises:
            UsufructError: why the stream ended; the next step starts it again.
            VenueUnavailable: when it runs, and has sent nothing for too long.
        """
        if not self._turn.take():
            return
        if self._task is None:
            self._heard = self._heard or self._clock.monotonic()
            self._task = asyncio.create_task(self._follow())
        elif self._task.done():
            ended, self._task = self._task, None
            if not ended.cancelled():
                ended.result()
        quiet = self._clock.monotonic() - self._heard
        if quiet > self._quiet_seconds:
            name = self._settings.label
            raise VenueUnavailable(
                f"{name} has sent no price for {quiet:.0f} s; see whether it trades, and its log lines"
            )

    async def close(self) -> None:
        """End the stream."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await self._task
        self._turn.give_back()

    async def _follow(self) -> None:
        client = await asyncio.to_thread(Venue, self._settings, self._clock)  # ccxt takes seconds to load
        async with client as venue:
            symbols = await self._symbols(venue)
            async for price in live_prices(venue, symbols, self._table):
                self._heard = self._clock.monotonic()
                self._hear(price)

    async def _symbols(self, venue: Venue) -> list[str]:
        """Return what the table has of the venue today and the venue trades; one that it does not is logged."""
        today, name = datetime.fromtimestamp(self._clock.now(), UTC), self._settings.label
        wanted = [row.symbol for row in self._table.of(name) if row.covers(today)]
        listed = await venue.symbols()
        if strange := [each for each in wanted if each not in listed]:
            message = f"{name} does not trade {', '.join(strange)}; correct the table of symbols, or end their rows"
            if len(strange) == len(wanted):
                raise UnlistedSymbol(message)
            _log.warning("%s", message)
        return [each for each in wanted if each in listed]


class LivePublisher:
    """Writes the prices of all venues to the folder that gateways read, whenever one has changed."""

    def __init__(self, folder: Path, medians: LiveMedians, turn: FolderTurn, clock: Clock, blank: LiveTable) -> None:
        self._folder = folder
        self._medians = medians
        self._turn = turn
        self._clock = clock
        self._blank = blank
        self._table: LiveTable | None = None

    async def step(self) -> None:
        """Fix the prices, and write those that changed; the last price of an asset without a new one stays."""
        if not self._turn.take():
            self._table = None  # another worker writes: begin from its table when it is gone
            return
        now = self._clock.now()
        before = self._table or self._former()
        self._table = updated(before, self._medians.fix(now).items(), now)
        if self._table is not before:
            write_table(self._folder, self._table)

    def _former(self) -> LiveTable:
        """Return what an earlier worker wrote, by today's settings."""
        found = read_table(self._folder)
        if found is None:
            return self._blank
        kept = found.medians if found.synthetic == self._blank.synthetic else {}
        return replace(self._blank, version=found.version, medians=kept)


def live_jobs(
    folder: Path,
    venues: Sequence[VenueSettings],
    table: SymbolTable,
    at_par: frozenset[str],
    clock: Clock,
    blank: LiveTable,
) -> list[Job]:
    """Return the jobs that follow venues and write their prices; `blank` is the table before the first price.

    Raises:
        UnmappedAsset: when the table has no symbol of a venue.
        UnconvertedQuote: when a symbol's currency has no rate.
    """
    turn = FolderTurn(folder)
    medians = LiveMedians(table, [each.label for each in venues], at_par, blank.stale_after)
    publisher = LivePublisher(folder, medians, turn, clock, blank)
    streams = [VenueStream(each, table, medians.hear, turn, clock, blank.stale_after) for each in venues]
    return [
        *(
            Job(f"live-prices-{venue.label}", stream.step, _STEP_SECONDS, close=stream.close)
            for venue, stream in zip(venues, streams, strict=True)
        ),
        Job("live-prices", publisher.step, _STEP_SECONDS),
    ]
