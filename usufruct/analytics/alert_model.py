"""What an alert watches, and when it holds; pure rules."""

from dataclasses import dataclass
from enum import StrEnum

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


_BOUNDS = {Measure.SIGNAL: (-1.0, 1.0), Measure.CHANGE: (-100.0, 1e9), Measure.PRICE: (0.0, 1e15)}
_GRADES = (0.0, 100.0)


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
