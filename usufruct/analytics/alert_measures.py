"""The newest values of what alerts watch, from a snapshot of the market."""

from math import isfinite, nan

from usufruct.analytics.alert_model import Measure
from usufruct.analytics.snapshot import HOUR, SeriesTable, Snapshot, utc_text

_FIELDS = {
    Measure.TRADER_GRADE: ("trader-grades", "trader"),
    Measure.INVESTOR_GRADE: ("investor-grades", "investor"),
    Measure.GRADE: ("tm-grade-history", "overall"),
    Measure.SIGNAL: ("trading-signals", "signal"),
}


class MeasuredAssets:
    """The newest measures of a snapshot's assets."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.columns = {asset.id: column for column, asset in enumerate(snapshot.assets)}

    @property
    def as_of(self) -> str:
        """The time of the newest prices."""
        return utc_text(max(self.snapshot.last_day, self.snapshot.last_hour))

    def value(self, measure: Measure, asset: str) -> float | None:
        """Return the newest value of a measure; None where it is not known."""
        column = self.columns.get(asset)
        if column is None:
            return None
        value = self._value(measure, column)
        return value if isfinite(value) else None

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
