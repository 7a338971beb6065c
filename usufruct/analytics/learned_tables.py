"""Learned signals in a snapshot: a series of scores and signals, why each asset has its last one, and the model."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from usufruct.analytics.grades import Grades
from usufruct.analytics.learned import FEATURES, LearnedModel, LearnedSignals, compute_features, predict
from usufruct.analytics.market import MarketMetrics
from usufruct.analytics.signals import Signs
from usufruct.analytics.snapshot import DAY, NO_ASSET, SeriesTable
from usufruct.connectors.prices import Panel

SIGNALS: Final = "learned-signals"
PARTS: Final = "learned-parts"
MODEL: Final = "learned-model"
SHOWN_DAYS: Final = 400
"""Days that are scored; before the model's first fit there are none."""
_MOST_PARTS = 6

TimedRow = tuple[int, int, dict[str, Any]]
"""When, of which column, and the row."""


def learned_signals(
    panel: Panel, grades: Grades, rule_signal: Signs, market: MarketMetrics, model: LearnedModel
) -> LearnedSignals:
    """Return the signals of a model, from what was computed of the panel; `grades` with all parts."""
    return predict(panel, compute_features(panel, grades, rule_signal, market), model.fits, SHOWN_DAYS)


def learned_series(found: LearnedSignals, start: int) -> dict[str, SeriesTable]:
    """Return the series; `start` is the panel's first day, in seconds since 1970."""
    fields: dict[str, NDArray[Any]] = {"score": found.score.astype(np.float32), "signal": found.signal}
    return {SIGNALS: SeriesTable(start, DAY, "score", fields)}


def learned_rows(found: LearnedSignals, panel: Panel, last: int, model: LearnedModel) -> dict[str, list[TimedRow]]:
    """Return the rows: what moved each asset's last score most, in points of the percentile; and the model."""
    moved = np.stack([found.contributions[name] for name in FEATURES]) * 100.0
    parts: list[TimedRow] = []
    for column in np.flatnonzero(np.isfinite(moved[0])).tolist():
        largest = np.argsort(-np.abs(moved[:, column]), kind="stable")[:_MOST_PARTS].tolist()
        parts.append((last, column, {FEATURES[each]: round(float(moved[each, column]), 3) for each in largest}))
    return {PARTS: parts, MODEL: [(last, NO_ASSET, _about(model))]}


def _about(model: LearnedModel) -> dict[str, Any]:
    card = model.card
    skills = [each["strategies"][0] for each in card["evaluations"]]
    return {
        "model": model.id,
        "horizon_days": card["target"]["horizon_days"],
        "learned_until": str(model.fits[-1].learned_until),
        "skill": card["skill"]["found"],
        "walk_forward": skills[0]["rank_correlation"],
        "cross_validation": skills[1]["rank_correlation"],
    }
