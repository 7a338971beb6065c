"""The newest values of what alerts watch, from a snapshot of the market and from live prices."""

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite, nan

from usufruct.analytics.alert_model import Measure
from usufruct.analytics.live import LiveMedian, LiveTable
from usufruct.analytics.snapshot import DAY, HOUR, SeriesTable, Snapshot, utc_text

_FIELDS = {
    Measure.TRADER_GRADE: ("trader-grades", "trader"),
    Measure.INVESTOR_GRADE: ("investor-grades", "investor"),
    Measure.GRADE: ("tm-grade-history", "overall"),
    Measure.SIGNAL: ("trading-signals", "signal"),
}


@dataclass(frozen=True, slots=True)
class LivePrices:
    """Live prices at one moment, `now` in seconds since 1970."""

    table: LiveTable
    now: int


LiveSource = Callable[[], LivePrices | None]
"""Returns the newest live prices; None where no exchange is followed."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The value of a measure, and the time that it is of: the start of a bar, or when a live price was made."""

    value: float
    as_of: str


class MeasuredAssets:
    """The newest measures of a snapshot's assets; live prices of another kind, simulated or real, do not count."""

    def __init__(self, snapshot: Snapshot, live: LivePrices | None = None) -> None:
        self.snapshot = snapshot
        self.columns = {asset.id: column for column, asset in enumerate(snapshot.assets)}
        self._live = live if live is not None and live.table.synthetic == snapshot.synthetic else None

    def value(self, measure: Measure, asset: str) -> float | None:
        """Return the newest value of a measure; None where it is not known."""
        reading = self.reading(measure, asset)
        return None if reading is None else reading.value

    def reading(self, measure: Measure, asset: str) -> Reading | None:
        """Return the newest value of a measure with its time; None where it is not known.

        A price is the live one while it is not stale. A stale one is newer than the bars for a while: the price is not
        known then, because going back to an older bar would leave and reach a threshold without any trade.
        """
        column = self.columns.get(asset)
        if column is None:
            return None
        live = self._median(asset) if measure is Measure.PRICE else None
        if live is not None and self._live is not None:
            if not self._live.table.is_stale(live, self._live.now):
                return Reading(live.price, utc_text(int(live.at)))
            if live.at >= self._bars_end:
                return None
        value = self._value(measure, column)
        as_of = utc_text(max(self.snapshot.last_day, self.snapshot.last_hour))
        return Reading(value, as_of) if isfinite(value) else None

    @property
    def _bars_end(self) -> int:
        """When the last bar ended."""
        last_hour = self.snapshot.last_hour
        return max(self.snapshot.last_day + DAY, last_hour + HOUR if last_hour else 0)

    def _median(self, asset: str) -> LiveMedian | None:
        return None if self._live is None else self._live.table.medians.get(asset)

    def _value(self, measure: Measure, column: int) -> float:
        if measure in _FIELDS:
            table, field = _FIELDS[measure]
            return float(self.snapshot.series[table].fields[field][-1, column])
        now = self._close(column, 0)
        if measure is Measure.PRICE:
            return now
        before = self._close(column, 24)
        return (now / before - 1.0) * 100.0 if before > 0 else nan

    def _close(self, column: int, hours_ago: int) -> float:
        """Return a price of the hourly bars where there are any, or else of the daily ones."""
        hourly = self.snapshot.series.get("hourly-ohlcv")
        if hourly is not None and self.snapshot.last_hour >= self.snapshot.last_day:
            row = (self.snapshot.last_hour - hourly.start) // HOUR - hours_ago
            if row >= 0 and isfinite(found := _at(hourly, row, column)):
                return found
        daily = self.snapshot.series["daily-ohlcv"]
        row = daily.length - 1 - hours_ago // 24
        return _at(daily, row, column) if row >= 0 else nan


def _at(table: SeriesTable, row: int, column: int) -> float:
    return float(table.fields["close"][row, column])
