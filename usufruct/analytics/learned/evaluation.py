"""How good scores were on days that they did not learn from: rank correlation, hits, and what holding them brought."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from usufruct.analytics.indicators import day_ranks
from usufruct.analytics.learned.plan import TrainingPlan
from usufruct.analytics.learned.portfolio import Holding, hold_equally
from usufruct.analytics.quant import YEAR, compute_quant_metrics
from usufruct.connectors.prices import Matrix

HIGH: Final = 80.0
LOW: Final = 20.0
"""A score among the highest fifth of its day is a signal of 1, among the lowest one of -1."""
SKILL_T: Final = 3.0
"""A t-statistic from which skill is believed: 2 is not enough where many models are tried (Harvey, Liu, Zhu 2016)."""
LEAST_ASSETS: Final = 5
"""A day with fewer assets is not judged by ranks."""

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Decisions:
    """The days of decisions: their rows, which assets are scored, and what the assets returned after each."""

    close: Matrix
    rows: Rows
    known: NDArray[np.bool_]
    returns: Matrix


@dataclass(frozen=True, slots=True)
class Skill:
    """How well scores rank the returns; NaN without scores.

    `rank_correlation`: the mean over days of Spearman's, `t` its t-statistic over days, which do not overlap. `hits`:
    share of assets rightly above or below the day's median. `spread`: the mean return of the highest fifth less that of
    the lowest, before costs.
    """

    rank_correlation: float
    t: float
    hits: float
    spread: float
    days: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """One strategy in one evaluation: its skill, and holding its signals of 1 in equal parts after costs."""

    name: str
    skill: Skill
    holding: Holding
    total_return: float
    annual_return: float
    volatility: float
    sharpe: float
    max_drawdown: float
    turnover_a_year: float

    @property
    def losing_periods(self) -> float:
        """The share of stretches between decisions that lost."""
        return float(np.mean(self.holding.periods < 0)) if self.holding.periods.size else np.nan


def day_scores(scores: Matrix) -> Matrix:
    """Return each score's percentile among those of its day."""
    return day_ranks(scores)


def signals_of(percentiles: Matrix) -> NDArray[np.int8]:
    """Return 1 for the highest fifth of a day, -1 for the lowest, 0 between the two and without a score."""
    return np.where(percentiles >= HIGH, 1, np.where(percentiles <= LOW, -1, 0)).astype(np.int8)


def judge(
    name: str, decisions: Decisions, scores: Matrix | None, held: NDArray[np.bool_], plan: TrainingPlan
) -> Outcome:
    """Judge scores (None: the strategy has none) and what is held; both have a row for each decision."""
    found = hold_equally(decisions.close, decisions.rows, held, plan)
    measured = compute_quant_metrics(found.levels[:, None])
    years = max(len(found.levels) - 1, 1) / YEAR
    return Outcome(
        name,
        measure_skill(np.full(held.shape, np.nan) if scores is None else scores, decisions.returns),
        found,
        float(found.levels[-1] - 1.0),
        float(measured.cagr[0]),
        float(measured.volatility[0]),
        float(measured.sharpe[0]),
        float(-measured.max_drawdown[0]),
        found.traded / 2.0 / years,
    )


def measure_skill(scores: Matrix, returns: Matrix) -> Skill:
    """Return how well the scores of each day rank its returns."""
    both = ~np.isnan(scores) & ~np.isnan(returns)
    both &= (np.count_nonzero(both, axis=1) >= LEAST_ASSETS)[:, None]
    said, came = day_ranks(np.where(both, scores, np.nan)), day_ranks(np.where(both, returns, np.nan))
    correlations = _row_correlations(said, came)
    count = len(correlations)
    deviation = float(np.std(correlations, ddof=1)) if count > 1 else 0.0
    mean = float(np.mean(correlations)) if count else np.nan
    sided = both & (said != 50.0) & (came != 50.0)
    gains = np.expm1(returns)
    spreads = _row_means(gains, both & (said >= HIGH)) - _row_means(gains, both & (said <= LOW))
    return Skill(
        mean,
        mean / deviation * float(np.sqrt(count)) if deviation > 0 else np.nan,
        float(np.mean((said > 50.0)[sided] == (came > 50.0)[sided])) if sided.any() else np.nan,
        float(np.nanmean(spreads)) if np.isfinite(spreads).any() else np.nan,
        count,
    )


def has_skill(walk_forward: Skill, cross_validation: Skill) -> bool:
    """Return whether both evaluations find a rank correlation above chance."""
    return walk_forward.t >= SKILL_T and cross_validation.t >= SKILL_T


def _row_correlations(first: Matrix, second: Matrix) -> NDArray[np.float64]:
    """Return Pearson's correlation of each row that has one."""
    there = ~np.isnan(first)
    count = np.maximum(np.count_nonzero(there, axis=1), 1)[:, None]

    def centred(values: Matrix) -> Matrix:
        filled = np.where(there, values, 0.0)
        return np.where(there, filled - filled.sum(axis=1, keepdims=True) / count, 0.0)

    left, right = centred(first), centred(second)
    scale = np.sqrt((left * left).sum(axis=1) * (right * right).sum(axis=1))
    defined = scale > 0
    found: NDArray[np.float64] = (left * right).sum(axis=1)[defined] / scale[defined]
    return found


def _row_means(values: Matrix, chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
    count = np.count_nonzero(chosen, axis=1)
    means: NDArray[np.float64] = np.where(chosen, values, 0.0).sum(axis=1) / np.where(count > 0, count, np.nan)
    return means
