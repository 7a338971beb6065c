"""Which assets move with one another: Pearson's correlation of the daily log returns of the last days."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from usufruct.analytics.indicators import log_returns
from usufruct.connectors.prices import Matrix, Panel

DAYS: Final = 90
AMONG: Final = 100
"""Assets with the highest market caps that the others are compared with."""
SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class Correlated:
    """Another asset, by its column, and how the two correlate, -1 to 1."""

    column: int
    correlation: float


def find_correlations(panel: Panel) -> list[list[Correlated]]:
    """Return for each asset the `SHOWN` largest assets that correlate most with it, best first, then the least.

    As of the last day; an asset without a return on every one of the last `DAYS` days has none and is none's.
    """
    returns = log_returns(np.where(panel.close > 0, panel.close, np.nan)[-DAYS - 1 :])[1:]
    if len(returns) < DAYS:
        return [[] for _ in panel.assets]
    matrix = correlation_matrix(returns)
    caps = np.where(np.isnan(np.diag(matrix)), np.nan, panel.market_cap[-1])
    order = np.argsort(-caps, kind="stable")
    large = order[~np.isnan(caps[order])][:AMONG]
    return [_strongest(matrix[column], large[large != column]) for column in range(len(panel.assets))]


def correlation_matrix(returns: Matrix) -> Matrix:
    """Return the correlation of each column with each; NaN where a value is missing or nothing moves."""
    centred = returns - returns.mean(axis=0)
    length = np.sqrt((centred * centred).sum(axis=0))
    length = np.where(length > 1e-12, length, np.nan)
    unit = centred / length
    known = ~np.isnan(length)
    matrix = np.full((returns.shape[1],) * 2, np.nan)
    matrix[np.ix_(known, known)] = np.clip(unit[:, known].T @ unit[:, known], -1.0, 1.0)
    return matrix


def correlate(close: Matrix, bases: NDArray[np.int64], quotes: NDArray[np.int64]) -> Matrix:
    """Return the correlation of each base (a row) with each quote (a column), both columns of `close`.

    As of the last day. NaN for an asset with itself, or without a return on every one of the last `DAYS` days.
    """
    returns = log_returns(np.where(close > 0, close, np.nan)[-DAYS - 1 :])[1:]
    if len(returns) < DAYS:
        return np.full((len(bases), len(quotes)), np.nan)
    columns = np.union1d(bases, quotes)
    matrix = correlation_matrix(returns[:, columns])
    found = matrix[np.ix_(np.searchsorted(columns, bases), np.searchsorted(columns, quotes))]
    return np.where(bases[:, None] == quotes[None, :], np.nan, found)


def _strongest(row: NDArray[np.float64], columns: NDArray[np.int64]) -> list[Correlated]:
    if not columns.size or np.isnan(row[columns]).all():
        return []
    ranked = columns[np.argsort(-row[columns], kind="stable")]
    shown = ranked if ranked.size <= 2 * SHOWN else np.concatenate([ranked[:SHOWN], ranked[-SHOWN:]])
    return [Correlated(int(column), float(row[column])) for column in shown]
