"""The trader index: each day the assets with the highest trader grades among those with a bullish signal."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from usufruct.analytics.signals import Signs
from usufruct.connectors.prices import STABLECOIN, WRAPPED, Matrix, Panel

MOST_ASSETS: Final = 20
START: Final = 100.0
"""What the index is worth on its first day, in the quote currency."""


@dataclass(frozen=True, slots=True)
class Holding:
    """What the index holds of an asset from the end of a day on: `weight` in per cent, `amount` of whole assets."""

    row: int
    column: int
    weight: float
    amount: float
    price: float


def trader_index(panel: Panel, trader: Matrix, signal: Signs) -> list[Holding]:
    """Return the holdings of every day, the oldest first; the weights of a day sum to 100.

    Weights are in proportion to grades. A day without a bullish asset has no holdings: the index is in cash. What the
    index is worth follows from the holdings of the day before, without costs; an asset without a price keeps its last.
    """
    plain = np.array([not each.categories & {STABLECOIN, WRAPPED} for each in panel.assets], dtype=bool)
    close = np.where(panel.close > 0, panel.close, np.nan)
    eligible = np.where((signal > 0) & plain & ~np.isnan(close), trader, np.nan)
    found: list[Holding] = []
    value, held = START, list[Holding]()
    for row in range(panel.days):
        if held:
            value = sum(each.amount * _price(close[row, each.column], each.price) for each in held)
        held = _choose(row, eligible[row], close[row], value)
        found += held
    return found


def _choose(row: int, grades: Matrix, close: Matrix, value: float) -> list[Holding]:
    known = np.flatnonzero(~np.isnan(grades) & (grades > 0))
    best = known[np.argsort(-grades[known], kind="stable")][:MOST_ASSETS]
    weights = grades[best] / grades[best].sum() if best.size else grades[best]
    return [
        Holding(
            row, int(column), 100.0 * float(weight), value * float(weight) / float(close[column]), float(close[column])
        )
        for column, weight in zip(best, weights, strict=True)
    ]


def _price(now: float, before: float) -> float:
    return before if np.isnan(now) else float(now)
