"""What an alert watches, and when it holds; pure rules."""

from dataclasses import dataclass
from enum import StrEnum
from math import isfinite

from usufruct.analytics.snapshot import HOUR, SeriesTable, Snapshot, utc_text
from usufruct.core import Address, Conflict, Invalid, NotFound


class InvalidAlert(Invalid, code="invalid_alert"):
    """No alert can be this."""


class UnknownMarketAsset(NotFound, code="unknown_market_asset"):
    """No asset of the market data has this id."""


class AlertNotFound(NotFound, code="alert_not_found"):
    """The person has no such alert."""


class TooManyAlerts(Conflict, code="too_many_alerts"):
    """A person has as many alerts as there may be."""


class Measure(StrEnum):
    """What is compared with the threshold. `CHANGE`: of the price in 24 hours, in per cent; `SIGNAL`: 1, 0 or -1."""

    PRICE = "price"
    CHANGE = "change_24h"
    TRADER_GRADE = "trader_grade"
    INVESTOR_GRADE = "investor_grade"
    GRADE = "grade"
    SIGNAL = "signal"


class Direction(StrEnum):
    """On which side of the threshold an alert holds; the threshold itself is on both."""

    ABOVE = "above"
    BELOW = "below"


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert of a person: it holds while the measure of the asset is on the side `direction` of the threshold."""

    id: str
    person: Address
    asset: str
    measure: Measure
    direction: Direction
    threshold: float
    created_at: int

    def holds(self, value: float) -> bool:
        """Return whether a value is on the alert's side of the threshold."""
        return value >= self.threshold if self.direction is Direction.ABOVE else value <= self.threshold


@dataclass(frozen=True, slots=True)
class AlertPolicy:
    """Bounds on alerts."""

    most_of_person: int = 50
    most: int = 1_000_000


_FIELDS = {
    Measure.TRADER_GRADE: ("trader-grades", "trader"),
    Measure.INVESTOR_GRADE: ("investor-grades", "investor"),
    Measure.GRADE: ("tm-grade-history", "overall"),
    Measure.SIGNAL: ("trading-signals", "signal"),
}
_BOUNDS = {Measure.SIGNAL: (-1.0, 1.0), Measure.CHANGE: (-100.0, 1e9), Measure.PRICE: (0.0, 1e15)}
_GRADES = (0.0, 100.0)


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
        return now if measure is Measure.PRICE else (now / self._close(column, 24) - 1.0) * 100.0

    def _close(self, column: int, hours_ago: int) -> float:
        """Return a price of the hourly bars where there are any, or else of the daily ones."""
        hourly = self.snapshot.series.get("hourly-ohlcv")
        if hourly is not None and self.snapshot.last_hour >= self.snapshot.last_day:
            row = (self.snapshot.last_hour - hourly.start) // HOUR - hours_ago
            if row >= 0 and isfinite(found := _at(hourly, row, column)):
                return found
        daily = self.snapshot.series["daily-ohlcv"]
        row = daily.length - 1 - hours_ago // 24
        return _at(daily, row, column) if row >= 0 else float("nan")


def check_alert(measure: str, direction: str, threshold: float) -> tuple[Measure, Direction]:
    """Return the measure and the side of an alert.

    Raises:
        InvalidAlert: names the field, its value, and what there is to choose from.
    """
    if measure not in set(Measure):
        raise InvalidAlert(f"measure is {measure[:40]!r}; choose of {', '.join(Measure)}", field="measure")
    if direction not in set(Direction):
        raise InvalidAlert(f"direction is {direction[:40]!r}; choose of {', '.join(Direction)}", field="direction")
    least, most = _BOUNDS.get(Measure(measure), _GRADES)
    if not least <= threshold <= most:
        message = f"threshold is {threshold:g}; {measure} is from {least:g} to {most:g}"
        raise InvalidAlert(message, field="threshold")
    return Measure(measure), Direction(direction)


def _at(table: SeriesTable, row: int, column: int) -> float:
    return float(table.fields["close"][row, column])
