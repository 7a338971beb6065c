"""Quant metrics of all assets at the end of a panel: from all daily returns that are known, a year being 365 days."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from usufruct.connectors.prices import Matrix

YEAR: Final = 365
LEAST_RETURNS: Final = 30
"""Daily returns that an asset needs; with fewer it has no metrics."""

Row = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class QuantMetrics:
    """One number an asset, NaN where it is not defined; named as `/v2/quantmetrics` names them.

    Returns are simple ones from one day's close to the next; what crosses a gap in the data is left out. The standard
    deviation is the sample's; `sharpe` and `sortino` have no risk-free rate. `daily_value_at_risk` is the 5th
    percentile of returns, `tail_ratio` the 95th over it, both without sign; `kurtosis` is the excess.
    """

    volatility: Row
    all_time_return: Row
    cagr: Row
    sharpe: Row
    sortino: Row
    max_drawdown: Row
    skew: Row
    tail_ratio: Row
    risk_reward_ratio: Row
    profit_factor: Row
    kurtosis: Row
    daily_value_at_risk: Row
    daily_return_avg: Row
    daily_return_std: Row


def compute_quant_metrics(close: Matrix) -> QuantMetrics:
    """Return the metrics of all assets, by all rows of `close`."""
    prices = np.where(close > 0, close, np.nan)
    returns = np.full_like(prices, np.nan)
    returns[1:] = prices[1:] / prices[:-1] - 1.0
    count = np.count_nonzero(~np.isnan(returns), axis=0)
    enough = count >= LEAST_RETURNS
    returns = np.where(enough, returns, np.nan)
    mean = _sum(returns) / np.where(enough, count, 1)
    centred = np.where(np.isnan(returns), 0.0, returns - mean)
    second, third, fourth = ((centred**power).sum(axis=0) for power in (2, 3, 4))
    std = np.sqrt(_over(second, np.where(enough, count - 1, 0)))
    moved = _over(second, count) > 1e-24  # constant prices have no shape
    downside = np.sqrt(_over(np.where(returns < 0, returns, 0.0).__pow__(2).sum(axis=0), np.where(enough, count, 0)))
    first, last, years = _ends(prices)
    low, high = _percentiles(returns, enough)
    gains, losses = _sum(np.where(returns > 0, returns, 0.0)), -_sum(np.where(returns < 0, returns, 0.0))
    wins, falls = np.count_nonzero(returns > 0, axis=0), np.count_nonzero(returns < 0, axis=0)
    return QuantMetrics(
        volatility=np.where(enough, std * np.sqrt(YEAR), np.nan),
        all_time_return=np.where(enough, last / first - 1.0, np.nan),
        cagr=np.where(enough & (years > 0), (last / first) ** _over(np.ones_like(years), years) - 1.0, np.nan),
        sharpe=_over(mean, np.where(moved, std, 0.0)) * np.sqrt(YEAR),
        sortino=_over(mean, downside) * np.sqrt(YEAR),
        max_drawdown=np.where(enough, -_deepest(prices), np.nan),
        skew=_over(_over(third, count), np.where(moved, _over(second, count) ** 1.5, 0.0)),
        tail_ratio=_over(np.abs(high), np.abs(low)),
        risk_reward_ratio=_over(_over(gains, wins), _over(losses, falls)),
        profit_factor=_over(np.where(enough, gains, np.nan), losses),
        kurtosis=_over(_over(fourth, count), np.where(moved, _over(second, count) ** 2, 0.0)) - 3.0,
        daily_value_at_risk=low,
        daily_return_avg=np.where(enough, mean, np.nan),
        daily_return_std=np.where(enough, std, np.nan),
    )


def _sum(values: Matrix) -> Row:
    total: Row = np.where(np.isnan(values), 0.0, values).sum(axis=0)
    return total


def _over(top: NDArray[np.float64], bottom: NDArray[np.float64] | NDArray[np.int64]) -> Row:
    """Divide; NaN where the divisor is 0 or not known."""
    known = bottom > 0
    return np.where(known, top / np.where(known, bottom, 1), np.nan)


def _ends(prices: Matrix) -> tuple[Row, Row, Row]:
    """Return the first and the last known price of each asset, and the years between them."""
    known = ~np.isnan(prices)
    columns = np.arange(prices.shape[1])
    start, end = known.argmax(axis=0), len(prices) - 1 - known[::-1].argmax(axis=0)
    return prices[start, columns], prices[end, columns], (end - start) / YEAR


def _percentiles(returns: Matrix, enough: NDArray[np.bool_]) -> tuple[Row, Row]:
    low, high = (np.full(returns.shape[1], np.nan) for _ in range(2))
    if enough.any():
        low[enough], high[enough] = np.nanpercentile(returns[:, enough], [5.0, 95.0], axis=0)
    return low, high


def _deepest(prices: Matrix) -> Row:
    """Return the deepest fall below the highest price until then, 0 to 1; days without a price count for nothing."""
    filled = np.where(np.isnan(prices), -np.inf, prices)
    highest = np.maximum.accumulate(filled, axis=0)
    fall = np.where(np.isnan(prices) | (highest <= 0), 0.0, 1.0 - prices / np.where(highest > 0, highest, 1.0))
    deepest: Row = fall.max(axis=0)
    return deepest
