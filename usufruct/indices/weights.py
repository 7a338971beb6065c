"""Weights: pure rules from what is known of the members to shares that sum to 1.

Matrices have one row an asset and one column a rebalance; 0 marks what is not a member.
"""

import numpy as np
from numpy.typing import NDArray

from usufruct.connectors.prices import Matrix
from usufruct.indices.sums import Mask, total

_SWEEPS = 200
_CONVERGED = 1e-13


def shares_of(scores: Matrix) -> Matrix:
    """Return scores of 0 or more as shares of their column's sum; a column of zeros stays 0."""
    sums = total(scores)
    return np.asarray(np.divide(scores, sums, out=np.zeros_like(scores), where=sums > 0))


def by_market_cap(caps: Matrix, members: Mask) -> Matrix:
    """Return shares in proportion to market cap."""
    return shares_of(np.where(members, caps, 0.0))


def by_square_root(caps: Matrix, members: Mask) -> Matrix:
    """Return shares in proportion to the square root of market cap."""
    return shares_of(np.sqrt(np.where(members, caps, 0.0)))


def equal(members: Mask) -> Matrix:
    """Return the same share for each member."""
    return shares_of(members.astype(float))


def by_inverse_volatility(volatility: Matrix, members: Mask, power: int = 1) -> Matrix:
    """Return shares in proportion to 1 / volatility; `power` 2 divides by the variance.

    A power of 2 gives the portfolio of the lowest variance where the members' returns are not correlated.
    """
    usable = members & (volatility > 0)
    inverse = np.divide(1.0, volatility, out=np.zeros(members.shape), where=usable)
    return shares_of(inverse if power == 1 else inverse * inverse)


def by_momentum(momentum: Matrix, members: Mask) -> Matrix:
    """Return shares in proportion to the past return; what fell gets nothing; where all fell, equal shares."""
    rises = np.where(members & (momentum > 0), momentum, 0.0)
    falling = total(rises) <= 0
    return np.where(falling, equal(members), shares_of(rises)) if falling.any() else shares_of(rises)


def by_risk_parity(covariance: Matrix) -> NDArray[np.float64]:
    """Return the weights at which each asset contributes the same to the variance of the whole.

    The minimum of `w'Cw / 2 - sum(ln w) / n`, scaled to 1, by cyclical coordinate descent (Griveau-Billion, Richard
    and Roncalli, 2013): each step solves `c_ii w_i^2 + b_i w_i - 1/n = 0` for one weight.
    """
    count = len(covariance)
    variance = np.maximum(np.diag(covariance), 1e-18)
    weights = 1 / np.sqrt(variance)
    weights = weights / np.sqrt(max(float((weights * (covariance * weights).sum(axis=1)).sum()), 1e-18))
    pulls = (covariance * weights).sum(axis=1)
    for _ in range(_SWEEPS):
        largest = 0.0
        for asset in range(count):
            own = variance[asset]
            rest = pulls[asset] - own * weights[asset]
            new = (-rest + np.sqrt(rest * rest + 4 * own / count)) / (2 * own)
            change = new - weights[asset]
            largest = max(largest, abs(change) / new)
            pulls += covariance[asset] * change
            weights[asset] = new
        if largest < _CONVERGED:
            break
    return np.asarray(weights / weights.sum())


def covariance(returns: Matrix) -> NDArray[np.float64]:
    """Return the covariance of daily returns (one row a day, one column an asset), days added one after the other.

    A return that is not known counts as the asset's mean.
    """
    known = np.isfinite(returns)
    values = np.where(known, returns, 0.0)
    mean = _days_total(values) / np.maximum(known.sum(axis=0), 1)
    away = np.where(known, values - mean, 0.0)
    sums = np.zeros((returns.shape[1], returns.shape[1]))
    for day in away:
        sums += day[:, None] * day[None, :]
    return np.asarray(sums / max(len(returns) - 1, 1))


def _days_total(values: Matrix) -> NDArray[np.float64]:
    return np.asarray(np.add.accumulate(values, axis=0)[-1]) if len(values) else np.zeros(values.shape[1])
