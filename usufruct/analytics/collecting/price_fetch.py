"""One source of prices and one length of bars: when it is due, and the fetch of what is new.

When a bar has ended, its source is asked, some minutes later. An archive keeps when a source last gave all there was,
so that a worker that was away asks once for everything it missed.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Final

from usufruct.analytics.collecting.price_sources import MEDIAN, SourceOptions, source_of
from usufruct.analytics.collecting.source_list import PriceEntry, SourceList
from usufruct.config import Config
from usufruct.connectors.exchanges import UnlistedSymbol
from usufruct.connectors.prices import ImportReport, Interval, PriceArchive, Source, ingest
from usufruct.core import Clock

_DELAYS: Final = {Interval.DAY: timedelta(minutes=20), Interval.HOUR: timedelta(minutes=2)}
"""From the end of a bar until its source is asked: sources need a while, too."""

_AGAIN: Final = {Interval.DAY: timedelta(hours=1), Interval.HOUR: timedelta(minutes=10)}
"""Until a source that did not have the last bar yet is asked again."""

_LATE: Final = {Interval.DAY: timedelta(hours=36), Interval.HOUR: timedelta(hours=3)}
"""A source that did not give the last bar for so long is silent."""


@dataclass(slots=True)
class PriceFetch:
    """Fetches bars of one source into an archive."""

    name: str
    interval: Interval
    entry: PriceEntry
    sources: SourceList
    config: Config
    archive: PriceArchive
    clock: Clock
    _asked_at: datetime | None = field(default=None, init=False)

    @property
    def label(self) -> str:
        """What people call it: "kraken 1d"."""
        return f"{self.name} {self.interval.value}"

    @property
    def complete_at(self) -> datetime | None:
        """When the source last had given the bar that had ended then; None before the first time."""
        noted = self._notes().get(self._note)
        return datetime.fromisoformat(noted) if noted else None

    @property
    def is_due(self) -> bool:
        """Whether a bar has ended since the last complete fetch; a median is due when one of its venues has more."""
        if self._asked_at is not None and self._now() < self._asked_at + _AGAIN[self.interval]:
            return False
        complete = self.complete_at
        if self.name == MEDIAN:
            fetched = [self._fetched(each) for each in self._venues()]
            return len(fetched) > 1 and any(each and (not complete or each > complete) for each in fetched)
        return complete is None or complete < self._ended() + _DELAYS[self.interval] <= self._now()

    @property
    def is_silent(self) -> bool:
        """Whether the last complete fetch is too long ago."""
        complete = self.complete_at
        return complete is None or self._now() - complete > _LATE[self.interval]

    def run(self, progress: Callable[[int, int], None] = lambda done, total: None) -> ImportReport:
        """Fetch what is new, and note it when the last bar that has ended is there. Blocks; for no event loop.

        Raises:
            UnlistedSymbol: when the exchange does not trade one of its symbols; the others were read.
            UsufructError: as the source does; what was read before is kept.
        """
        now = self._now()
        try:
            report = ingest(self.archive, self._source(now.date()), clock=self.clock, progress=progress)
        except UnlistedSymbol:
            self._note_complete(now)
            raise
        self._note_complete(now)
        return report

    def _note_complete(self, asked_at: datetime) -> None:
        """Note when everything was read, if the last bar that has ended is there; otherwise ask again after a while."""
        if self.name == MEDIAN or self._has_last_bar():
            self._asked_at = None
            with self.archive.writing() as writer:
                writer.note(self._note, asked_at.isoformat())
        else:
            self._asked_at = asked_at

    @property
    def _note(self) -> str:
        return f"complete {self.name} {self.interval.value}"

    def _source(self, today: date) -> Source:
        entry, path = self.entry, self.sources.path(self.entry.table)
        first = entry.first or today - timedelta(days=364)
        venues = self._venues() if self.name == MEDIAN else ()
        chosen = SourceOptions(
            path, first, self.interval, venues, entry.at_par, entry.url, not entry.caps, entry.synthetic, self.clock
        )
        return source_of(self.name, chosen, self.config, self.archive)

    def _venues(self) -> Sequence[str]:
        """Return the venues of a median that the archive has: one that is away from the start stops no other."""
        known = {each.name for each in self.archive.sources()}
        return [each for each in self.entry.venues if each in known]

    def _fetched(self, venue: str) -> datetime | None:
        noted = self._notes().get(f"complete {venue} {self.interval.value}")
        return datetime.fromisoformat(noted) if noted else None

    def _notes(self) -> dict[str, str]:
        return dict(self.archive.manifest().notes)

    def _has_last_bar(self) -> bool:
        start = self._ended() - self.interval.step
        rows = self.archive.latest(self.interval, start, start)
        return self.name in rows["source"].to_list()

    def _ended(self) -> datetime:
        """Return when the last bar ended that has."""
        now, seconds = self._now(), int(self.interval.step.total_seconds())
        return datetime.fromtimestamp(int(now.timestamp()) // seconds * seconds, UTC)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self.clock.now(), UTC)


def price_fetches(sources: SourceList, config: Config, archive: PriceArchive, clock: Clock) -> Iterator[PriceFetch]:
    """Yield what the list wants fetched; medians after their venues."""
    for name, entry in sorted(sources.prices.items(), key=lambda each: each[0] == MEDIAN):
        for interval in entry.bars:
            yield PriceFetch(name, interval, entry, sources, config, archive, clock)
