"""Train a model on a panel: walk-forward and purged cross-validation side by side, each beside its baselines."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
from numpy.typing import NDArray

from usufruct.analytics.grades import PARTS, grade
from usufruct.analytics.learned.booster import Booster, fit
from usufruct.analytics.learned.evaluation import HIGH, Decisions, Outcome, day_scores, judge
from usufruct.analytics.learned.features import Features, compute_features
from usufruct.analytics.learned.labels import forward_returns, rank_labels, shuffled_labels
from usufruct.analytics.learned.plan import TrainingPlan
from usufruct.analytics.learned.splits import Split, decision_rows, purged_folds, walk_forward
from usufruct.analytics.market import compute_market_metrics
from usufruct.analytics.signals import compute_signals
from usufruct.connectors.prices import Matrix, Panel
from usufruct.core import Invalid

LEAST_SAMPLES: Final = 200
"""Assets on days that a fit must have to learn from."""

Report = Callable[[int, int], None]
"""Called after each fit with the number of fits done and of all."""


@dataclass(frozen=True, slots=True)
class Fit:
    """Trees that score from `start` on until the next fit; all that they learned was known on `learned_until`."""

    start: date
    learned_until: date
    samples: int
    trees: Booster


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One way to judge: the model, then its baselines, on the same days."""

    name: str
    first_day: date
    last_day: date
    outcomes: tuple[Outcome, ...]

    @property
    def model(self) -> Outcome:
        """The model's own outcome."""
        return self.outcomes[0]


@dataclass(frozen=True, slots=True)
class Training:
    """What a training gave: the fits, oldest first, and both evaluations."""

    panel: Panel
    plan: TrainingPlan
    fits: tuple[Fit, ...]
    walk_forward: Evaluation
    cross_validation: Evaluation


@dataclass(frozen=True, slots=True)
class _Samples:
    """What is learned from: for each decision and asset the features and the label; and the rule-based baseline."""

    decisions: Decisions
    values: NDArray[np.float32]
    labels: Matrix
    grades: Matrix
    rule_signal: NDArray[np.int8]


def train(panel: Panel, plan: TrainingPlan, report: Report = lambda done, total: None) -> Training:
    """Fit and judge a model.

    Raises:
        Invalid: when the prices are too few for a first fit, or for the folds.
    """
    samples = _samples(panel, plan)
    rows = samples.decisions.rows
    starts = _starts(samples, plan)
    forward = walk_forward(rows, starts, plan.span_days, plan.window_days)
    judged = rows[~np.isnan(samples.labels).all(axis=1)]
    folds = purged_folds(judged, plan.folds, plan.span_days, plan.embargo_days)
    days = np.array([panel.day(row).toordinal() for row in rows.tolist()], dtype=np.int64)
    chance = shuffled_labels(samples.labels, days, plan.seed)
    steps, total = 0, 2 * (len(forward) + len(folds))

    def scored(splits: Sequence[Split], labels: Matrix) -> tuple[Matrix, list[Booster]]:
        def step() -> None:
            nonlocal steps
            steps += 1
            report(steps, total)

        return _score(samples, splits, labels, plan, step)

    forward_scores, boosters = scored(forward, samples.labels)
    fold_scores, _ = scored(folds, samples.labels)
    by_chance = [scored(splits, chance)[0] for splits in (forward, folds)]
    later, labelled = rows >= starts[0], np.isin(rows, judged)
    return Training(
        panel,
        plan,
        tuple(_fit(panel, samples, split, trees, plan) for split, trees in zip(forward, boosters, strict=True)),
        _judge_all("walk-forward", panel, samples, later, (forward_scores, by_chance[0]), plan),
        _judge_all("purged cross-validation", panel, samples, labelled, (fold_scores, by_chance[1]), plan),
    )


def _fit(panel: Panel, samples: _Samples, split: Split, trees: Booster, plan: TrainingPlan) -> Fit:
    labels = samples.labels[_places(samples.decisions.rows, split.train)]
    last = split.train[~np.isnan(labels).all(axis=1)][-1]
    known = panel.day(int(last) + plan.span_days)
    return Fit(panel.day(int(split.test[0])), known, int(np.count_nonzero(~np.isnan(labels))), trees)


def features_of(panel: Panel) -> Features:
    """Return the features of a panel from its prices."""
    graded = grade(panel, parts=PARTS)
    rules = compute_signals(panel.close, graded.trader)
    return compute_features(panel, graded, rules.signal, compute_market_metrics(panel, graded.trader))


def _samples(panel: Panel, plan: TrainingPlan) -> _Samples:
    features = features_of(panel)
    rows = decision_rows(panel.first_day.toordinal(), panel.days, plan.horizon_days)
    known = features.known[rows]
    returns = np.where(known, forward_returns(panel.close, plan.horizon_days)[rows], np.nan)
    return _Samples(
        Decisions(panel.close, rows, known, returns),
        features.at(rows),
        rank_labels(returns, known),
        features.values["trader"][rows],
        features.values["rule_signal"][rows].astype(np.int8),
    )


def _starts(samples: _Samples, plan: TrainingPlan) -> list[int]:
    """Return the rows of fits: the first with enough to learn from, then every `refit_weeks`."""
    rows = samples.decisions.rows
    counts = np.count_nonzero(~np.isnan(samples.labels), axis=1)
    for start in rows[rows >= plan.first_days].tolist():
        if counts[rows + plan.span_days < start].sum() >= LEAST_SAMPLES:
            every = -(-7 * plan.refit_weeks // plan.horizon_days)
            starts: list[int] = rows[rows >= start][::every].tolist()
            return starts
    raise Invalid(
        f"these prices are too few: a first fit needs {plan.first_days} days and {LEAST_SAMPLES} labels of assets "
        "before it; import more, or lower first_days",
        code="too_few_prices",
    )


def _places(rows: NDArray[np.int64], some: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.searchsorted(rows, some)


def _score(
    samples: _Samples, splits: Sequence[Split], labels: Matrix, plan: TrainingPlan, step: Callable[[], None]
) -> tuple[Matrix, list[Booster]]:
    """Fit each split, and return the scores of its test rows, which it did not learn from."""
    rows, known = samples.decisions.rows, samples.decisions.known
    scores = np.full(labels.shape, np.nan)
    boosters = []
    for split in splits:
        train, test = _places(rows, split.train), _places(rows, split.test)
        there = ~np.isnan(labels[train])
        if np.count_nonzero(there) < LEAST_SAMPLES:
            raise Invalid(
                f"{np.count_nonzero(there)} labels of assets are too few to learn from, {LEAST_SAMPLES} are the least; "
                "import more prices, choose fewer folds, or a longer window",
                code="too_few_prices",
            )
        trees = fit(samples.values[train][there], labels[train][there], plan)
        part = np.full((len(test), labels.shape[1]), np.nan)
        part[known[test]] = trees.score(samples.values[test][known[test]])
        scores[test] = part
        boosters.append(trees)
        step()
    return scores, boosters


def _judge_all(
    name: str, panel: Panel, samples: _Samples, judged: NDArray[np.bool_], learned: Sequence[Matrix], plan: TrainingPlan
) -> Evaluation:
    """Judge the model and its baselines on some of the decisions."""
    of = samples.decisions
    days = Decisions(of.close, of.rows[judged], of.known[judged], of.returns[judged])
    scores, chance = (each[judged] for each in learned)
    grades, rule = samples.grades[judged], samples.rule_signal[judged]
    outcomes = (
        judge("learned", days, scores, day_scores(scores) >= HIGH, plan),
        judge("rule-based signal", days, np.where(days.known, grades, np.nan), days.known & (rule > 0), plan),
        judge("all held", days, None, days.known, plan),
        judge("shuffled labels", days, chance, day_scores(chance) >= HIGH, plan),
    )
    return Evaluation(name, panel.day(int(days.rows[0])), panel.day(int(days.rows[-1])), outcomes)
