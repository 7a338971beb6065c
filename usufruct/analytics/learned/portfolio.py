"""What holding the assets of a signal would have brought, day by day, after costs; and which assets lost."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from usufruct.analytics.indicators import carried
from usufruct.analytics.learned.plan import DELAY_DAYS, TrainingPlan
from usufruct.connectors.prices import Matrix

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Holding:
    """Values and trades of a calculated holding; no trade was made.

    `levels`: what one unit was worth at each close, from the first purchase on, after costs. `periods`: the return of
    each stretch between two decisions, after costs; `bought`: the rows of their purchases. `traded`: the sum of all
    trades, as parts of the value. `if_gone_at_zero`: the last level if assets whose prices end had become worthless on
    the next sale, instead of being sold at the last price. `contributions`: by asset, the sum of weight x return.
    """

    levels: Values
    periods: Values
    bought: NDArray[np.int64]
    traded: float
    if_gone_at_zero: float
    contributions: Values


def hold_equally(close: Matrix, rows: NDArray[np.int64], held: NDArray[np.bool_], plan: TrainingPlan) -> Holding:
    """Hold, in equal parts, the assets of `held` (a row for each of `rows`), bought a day after each decision.

    What has no price on that day is not bought; without any asset the value rests. Decisions whose holding is not over
    at the last row are left out.
    """
    prices = np.where(close > 0, close, np.nan)
    filled = carried(prices, plan.horizon_days)
    last_priced = len(prices) - 1 - (~np.isnan(prices))[::-1].argmax(axis=0)
    columns = close.shape[1]
    before, contributions = np.zeros(columns), np.zeros(columns)
    levels, periods, bought = [np.ones(1)], [], []
    value, worst, traded = 1.0, 1.0, 0.0
    for row, chosen in zip(rows.tolist(), held, strict=True):
        entry, end = row + DELAY_DAYS, row + plan.span_days
        if end >= len(prices):
            break
        weights = _equal(chosen & ~np.isnan(prices[entry]))
        trades = float(np.abs(weights - before).sum())
        there = np.flatnonzero(weights)
        growth = filled[entry + 1 : end + 1, there] / prices[entry, there]
        path = (weights[there] * growth).sum(axis=1) + (1.0 - weights.sum())
        kept = 1.0 - plan.cost * trades
        levels.append(value * kept * path)
        periods.append(kept * path[-1] - 1.0)
        bought.append(entry)
        gone = (weights[there] * growth[-1] * (last_priced[there] < end)).sum()
        value, worst, traded = value * kept * path[-1], worst * kept * (path[-1] - gone), traded + trades
        contributions[there] += weights[there] * (growth[-1] - 1.0)
        before = np.zeros(columns)
        before[there] = weights[there] * growth[-1] / path[-1]
    return Holding(
        np.concatenate(levels), np.array(periods), np.array(bought, dtype=np.int64), traded, worst, contributions
    )


def _equal(chosen: NDArray[np.bool_]) -> Values:
    count = int(np.count_nonzero(chosen))
    weights: Values = chosen / max(count, 1)
    return weights
