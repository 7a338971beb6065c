"""One price from several venues: the volume-weighted median, without venues that are far from the others.

A venue is left out when it is more than `reject` deviations from the venues' median, and comes back when it is within
`readmit` of that distance: so a venue at the border does not go in and out. The deviation is the median absolute one,
scaled to a normal distribution's. Two venues that disagree give no price: nothing tells which of them is right.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from usufruct.connectors.prices import Matrix
from usufruct.core import Invalid

Flags = NDArray[np.bool_]

_NORMAL: Final = 1.4826
"""Of a normal distribution: standard deviation to median absolute deviation."""
_FEWEST_FOR_DEVIATION: Final = 3


@dataclass(frozen=True, slots=True)
class OutlierRule:
    """Thresholds. `floor` is the least deviation that counts, as a part of the price: 0.001 is ten basis points.

    `disagreement` is how far apart two venues may be, as a part of the price. `fewest` venues give a price.
    """

    reject: float = 6.0
    readmit: float = 0.5
    floor: float = 0.001
    disagreement: float = 0.02
    fewest: int = 2

    def __post_init__(self) -> None:
        if not (self.reject > 0 and 0 < self.readmit <= 1 and self.floor > 0 and self.disagreement > 0 < self.fewest):
            raise Invalid(
                f"{self} is not a rule: its numbers must be over 0, and readmit at most 1", code="invalid_outlier_rule"
            )


class Refusal(IntEnum):
    """Why there is no price."""

    NONE = 0
    TOO_FEW_VENUES = 1
    VENUES_DISAGREE = 2


@dataclass(frozen=True, slots=True, eq=False)
class Fixing:
    """Prices of assets at one moment, NaN where there is none, and the venues that were left out of each."""

    price: NDArray[np.float64]
    excluded: Flags
    refusal: NDArray[np.int8]
    """A `Refusal` for each asset."""


class VenueMedian:
    """Fixes prices moment after moment; remembers which venue is left out for which asset."""

    def __init__(self, assets: int, venues: int, rule: OutlierRule | None = None) -> None:
        self.rule = rule or OutlierRule()
        self.excluded: Flags = np.zeros((assets, venues), dtype=np.bool_)

    def fix(self, prices: Matrix, volumes: Matrix) -> Fixing:
        """Fix the prices of the next moment; one row an asset, one column a venue, NaN where a venue has none."""
        rule = self.rule
        present = np.isfinite(prices) & (prices > 0)
        centre, scale = self._measure(prices, present)
        far = np.abs(np.where(present, prices, 0.0) - centre) > scale * np.where(
            self.excluded, rule.reject * rule.readmit, rule.reject
        )
        self.excluded = np.where(present, far, self.excluded)
        accepted = present & ~self.excluded
        count = accepted.sum(axis=1)
        few = count < rule.fewest
        spread = _extent(prices, accepted)
        split = (count * 2 <= present.sum(axis=1)) | (
            (count < _FEWEST_FOR_DEVIATION) & (spread > rule.disagreement * centre[:, 0])
        )
        refusal = np.where(split, Refusal.VENUES_DISAGREE, Refusal.NONE)
        refusal = np.where(few & (present.sum(axis=1) < rule.fewest), Refusal.TOO_FEW_VENUES, refusal)
        refusal = np.where(few & (refusal == Refusal.NONE), Refusal.TOO_FEW_VENUES, refusal)
        price = np.where(refusal == Refusal.NONE, weighted_median(prices, volumes, accepted), np.nan)
        return Fixing(price, self.excluded.copy(), refusal.astype(np.int8))

    def _measure(self, prices: Matrix, present: Flags) -> tuple[Matrix, Matrix]:
        """Return the median of the venues that are trusted so far and their deviation, a column each."""
        trusted = present & ~self.excluded
        enough = trusted.sum(axis=1) >= self.rule.fewest
        base = np.where(enough[:, None], trusted, present)
        centre = _median(prices, base)[:, None]
        deviation = _median(np.abs(prices - centre), base)[:, None] * _NORMAL
        return centre, np.maximum(deviation, self.rule.floor * centre)


def weighted_median(values: Matrix, weights: Matrix, chosen: Flags) -> NDArray[np.float64]:
    """Return of each row the value at which half the weight of the chosen ones is reached; NaN without one.

    Where it is reached exactly between two values, their mean. Weights that are not known or 0 all: equal ones.
    """
    known = np.where(chosen & np.isfinite(weights) & (weights > 0), weights, 0.0)
    blank = known.sum(axis=1) == 0
    known = np.where(blank[:, None], chosen.astype(np.float64), known)
    order = np.argsort(np.where(chosen, values, np.inf), axis=1, kind="stable")
    ordered = np.take_along_axis(values, order, axis=1)
    reached = np.cumsum(np.take_along_axis(known, order, axis=1), axis=1)
    half = reached[:, -1:] / 2
    lower = np.argmax(reached >= half, axis=1)[:, None]
    upper = np.argmax(reached > half, axis=1)[:, None]
    mean = (np.take_along_axis(ordered, lower, axis=1) + np.take_along_axis(ordered, upper, axis=1)) / 2
    return np.where(chosen.any(axis=1), mean[:, 0], np.nan)


def _median(values: Matrix, chosen: Flags) -> NDArray[np.float64]:
    return weighted_median(values, np.ones_like(values), chosen)


def _extent(values: Matrix, chosen: Flags) -> NDArray[np.float64]:
    """Return how far the chosen values of each row are apart; 0 without one."""
    highest = np.where(chosen, values, -np.inf).max(axis=1, initial=-np.inf)
    lowest = np.where(chosen, values, np.inf).min(axis=1, initial=np.inf)
    return np.where(chosen.any(axis=1), highest - lowest, 0.0)
