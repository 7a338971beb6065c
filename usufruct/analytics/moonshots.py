"""Moonshots: smaller assets whose trader grade jumped high; when each began, when it ended, and what became of it."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from usufruct.analytics.indicators import day_ranks, lagged
from usufruct.connectors.prices import STABLECOIN, WRAPPED, Matrix, Panel

BEGINS_AT: Final = 80.0
ENDS_AT: Final = 50.0
JUMP: Final = 10.0
"""Points that the grade rose in `JUMP_DAYS`."""
JUMP_DAYS: Final = 7
LARGEST_RANK: Final = 20
"""The largest assets by market cap are no moonshots."""
LEAST_VOLUME: Final = 100_000.0
MOST_DAYS: Final = 90


@dataclass(frozen=True, slots=True)
class Moonshot:
    """One pick: `column` of the asset, `began` and `ended` are rows (`ended` None while it runs).

    `roi` is in per cent from the first day's close to the last one's, `best` to the highest close between them.
    """

    column: int
    began: int
    ended: int | None
    roi: float
    best: float


def find_moonshots(panel: Panel, trader: Matrix) -> list[Moonshot]:
    """Return all picks of a panel, the newest first; those of one day by column."""
    close = np.where(panel.close > 0, panel.close, np.nan)
    plain = np.array([not each.categories & {STABLECOIN, WRAPPED} for each in panel.assets], dtype=bool)
    counted = np.count_nonzero(~np.isnan(panel.market_cap), axis=1)[:, None]
    rank = day_ranks(-panel.market_cap) * counted / 100.0 + 0.5  # 1 is the largest
    begins = (
        (trader >= BEGINS_AT)
        & (trader - lagged(trader, JUMP_DAYS) >= JUMP)
        & (rank > LARGEST_RANK)
        & (panel.volume >= LEAST_VOLUME)
        & plain
        & ~np.isnan(close)
    )
    picks = [
        pick for column in np.flatnonzero(begins.any(axis=0)) for pick in _picks(int(column), begins, trader, close)
    ]
    return sorted(picks, key=lambda each: (-each.began, each.column))


def _picks(
    column: int, begins: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], trader: Matrix, close: Matrix
) -> list[Moonshot]:
    """Return one asset's picks in order: the next can begin after the one before it ended."""
    found: list[Moonshot] = []
    starts, over = np.flatnonzero(begins[:, column]).tolist(), trader[:, column] <= ENDS_AT
    free = 0
    for start in starts:
        if start < free:
            continue
        last = min(start + MOST_DAYS, len(close) - 1)
        ends = np.flatnonzero(over[start : last + 1])
        end = start + int(ends[0]) if ends.size else (start + MOST_DAYS if start + MOST_DAYS < len(close) else None)
        found.append(_pick(column, start, end, close[:, column]))
        free = len(close) if end is None else end + 1
    return found


def _pick(column: int, start: int, end: int | None, close: Matrix) -> Moonshot:
    held = close[start:] if end is None else close[start : end + 1]
    held = held[~np.isnan(held)]
    roi, best = (float(each / held[0] - 1.0) * 100.0 for each in (held[-1], held.max()))
    return Moonshot(column, start, end, roi, best)
