"""Measures of a series of daily returns; a year has 365 days, because crypto assets trade on all of them.

Formulas and edge cases are those of empyrical with `annualization=365`; `make bench-index` compares the two.
"""

from dataclasses import asdict, dataclass

import numpy as np

from usufruct.indices.sums import Vector

YEAR_DAYS = 365


@dataclass(frozen=True, slots=True)
class Metrics:
    """What a series of returns was like; ratios are without a risk-free rate. NaN where it cannot be said."""

    total_return: float
    annual_return: float
    annual_volatility: float
    sharpe: float
    sortino: float
    downside_risk: float
    max_drawdown: float
    calmar: float
    value_at_risk: float
    conditional_value_at_risk: float
    tail_ratio: float

    def as_document(self) -> dict[str, float | None]:
        """Return the measures by name; None for what cannot be said."""
        return {name: value if np.isfinite(value) else None for name, value in asdict(self).items()}


def measure(returns: Vector) -> Metrics:
    """Return all measures of daily returns."""
    return Metrics(
        total_return(returns),
        annual_return(returns),
        annual_volatility(returns),
        sharpe(returns),
        sortino(returns),
        downside_risk(returns),
        max_drawdown(returns),
        calmar(returns),
        value_at_risk(returns),
        conditional_value_at_risk(returns),
        tail_ratio(returns),
    )


def returns_of(levels: Vector) -> Vector:
    """Return the daily returns of levels: one fewer than there are levels."""
    return np.asarray(levels[1:] / levels[:-1] - 1)


def total_return(returns: Vector) -> float:
    """Return what one unit gained or lost."""
    return float(np.prod(returns + 1) - 1) if len(returns) else np.nan


def annual_return(returns: Vector) -> float:
    """Return the yearly rate that gives the same end: `(1 + total) ^ (365 / n) - 1`."""
    return float((total_return(returns) + 1) ** (YEAR_DAYS / len(returns)) - 1) if len(returns) else np.nan


def annual_volatility(returns: Vector) -> float:
    """Return the standard deviation (of a sample) of a day, times the root of 365."""
    return float(np.std(returns, ddof=1) * np.sqrt(YEAR_DAYS)) if len(returns) > 1 else np.nan


def sharpe(returns: Vector) -> float:
    """Return mean over standard deviation, times the root of 365."""
    if len(returns) < 2:
        return np.nan
    return float(_over(float(np.mean(returns)), float(np.std(returns, ddof=1))) * np.sqrt(YEAR_DAYS))


def downside_risk(returns: Vector) -> float:
    """Return the root of the mean square of losses (gains count 0), times the root of 365."""
    if not len(returns):
        return np.nan
    losses = np.minimum(returns, 0.0)
    return float(np.sqrt(np.mean(losses * losses)) * np.sqrt(YEAR_DAYS))


def sortino(returns: Vector) -> float:
    """Return the mean of a year over the downside risk."""
    return _over(float(np.mean(returns)) * YEAR_DAYS, downside_risk(returns)) if len(returns) > 1 else np.nan


def drawdown_of(levels: Vector) -> Vector:
    """Return for each day how far the level is under the highest before it: 0 or less."""
    return np.asarray(levels / np.maximum.accumulate(levels) - 1)


def max_drawdown(returns: Vector) -> float:
    """Return the largest loss from a peak, the start included: 0 or less."""
    if not len(returns):
        return np.nan
    return float(drawdown_of(np.concatenate(([1.0], np.cumprod(returns + 1)))).min())


def calmar(returns: Vector) -> float:
    """Return the annual return over the largest drawdown; NaN without a drawdown."""
    deepest = max_drawdown(returns)
    return annual_return(returns) / abs(deepest) if deepest < 0 else np.nan


def value_at_risk(returns: Vector, share: float = 0.05) -> float:
    """Return the return that a day falls under with a probability of `share`."""
    return float(np.percentile(returns, 100 * share)) if len(returns) else np.nan


def conditional_value_at_risk(returns: Vector, share: float = 0.05) -> float:
    """Return the mean of the worst `share` of days."""
    if not len(returns):
        return np.nan
    last = int((len(returns) - 1) * share)
    return float(np.mean(np.partition(returns, last)[: last + 1]))


def tail_ratio(returns: Vector) -> float:
    """Return the 95th percentile over the size of the 5th."""
    if not len(returns):
        return np.nan
    return _over(float(np.abs(np.percentile(returns, 95))), float(np.abs(np.percentile(returns, 5))))


def _over(value: float, divisor: float) -> float:
    if divisor:
        return value / divisor
    return float(np.copysign(np.inf, value)) if value else np.nan
