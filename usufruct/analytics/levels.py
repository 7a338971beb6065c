"""Support and resistance: prices at which a close turned, and how often it came back to them."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np

from usufruct.analytics.indicators import rolling_max, rolling_min
from usufruct.connectors.prices import Matrix, Panel

TURN_DAYS: Final = 5
"""A turn is the highest, or lowest, close of this many days before and after it; it is known that much later."""
HISTORY_DAYS: Final = 365
NEAR: Final = 0.02
"""Turns that differ by less than this part are one level."""
MOST: Final = 10


@dataclass(frozen=True, slots=True)
class Level:
    """A price where closes turned: `day` of the last turn, `touches`: how many there were; `kind` by the last close."""

    day: date
    price: float
    touches: int
    kind: str


def find_levels(panel: Panel) -> list[list[Level]]:
    """Return each asset's levels as of the last day, the most touched first, at most `MOST`."""
    closes = np.where(panel.close > 0, panel.close, np.nan)[-HISTORY_DAYS:]
    first = panel.last_day - timedelta(days=len(closes) - 1)
    turns = turning_points(closes)
    return [_levels(closes[:, column], turns[:, column], first) for column in range(closes.shape[1])]


def turning_points(closes: Matrix) -> Matrix:
    """Return the close where it turned, NaN elsewhere; the last `TURN_DAYS` rows cannot be known to be turns yet."""
    window = 2 * TURN_DAYS + 1
    middle = np.full_like(closes, np.nan)
    if len(closes) < window:
        return middle
    high, low = rolling_max(closes, window)[window - 1 :], rolling_min(closes, window)[window - 1 :]
    inside = closes[TURN_DAYS:-TURN_DAYS]
    turned = ((inside == high) | (inside == low)) & (high > low)
    middle[TURN_DAYS:-TURN_DAYS] = np.where(turned, inside, np.nan)
    return middle


def _levels(closes: Matrix, turns: Matrix, first: date) -> list[Level]:
    rows = np.flatnonzero(~np.isnan(turns))
    known = closes[~np.isnan(closes)]
    if not rows.size:
        return []
    groups: list[list[int]] = []
    for row in sorted(rows.tolist(), key=lambda each: (turns[each], each)):
        if groups and turns[row] <= turns[groups[-1][0]] * (1.0 + NEAR):
            groups[-1].append(row)
        else:
            groups.append([row])
    found = [_level(group, turns, first, known[-1]) for group in groups]
    return sorted(found, key=lambda each: (-each.touches, -each.day.toordinal(), each.price))[:MOST]


def _level(group: list[int], turns: Matrix, first: date, last: float) -> Level:
    price = float(np.median(turns[group]))
    return Level(first + timedelta(days=max(group)), price, len(group), "support" if price <= last else "resistance")
