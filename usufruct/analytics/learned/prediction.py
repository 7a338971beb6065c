"""Scores and signals of a model on the days of a panel: each day by the fit that was known on it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from usufruct.analytics.learned.evaluation import day_scores, signals_of
from usufruct.analytics.learned.features import FEATURES, Features
from usufruct.analytics.learned.training import Fit
from usufruct.connectors.prices import Matrix, Panel


@dataclass(frozen=True, slots=True)
class LearnedSignals:
    """A row a day, a column an asset.

    `score`: 0 to 100, the percentile of the expected rank among the assets of the day, NaN where there is none.
    `signal`: 1, -1 or 0. `contributions`: of the last day, by feature, how it moved the expected rank.
    """

    score: Matrix
    signal: NDArray[np.int8]
    contributions: dict[str, NDArray[np.float64]]


def predict(panel: Panel, features: Features, fits: Sequence[Fit], last_days: int) -> LearnedSignals:
    """Return the signals of the last so many days; before the first fit there are none."""
    raw = np.full(panel.close.shape, np.nan)
    first = max(0, panel.days - last_days)
    starts = [(each.start - panel.first_day).days for each in fits]
    for each, start, end in zip(fits, starts, [*starts[1:], panel.days], strict=True):
        rows = np.arange(max(first, start), min(end, panel.days), dtype=np.int64)
        if rows.size:
            raw[rows] = score_rows(features, rows, each)
    score = day_scores(raw)
    return LearnedSignals(score, signals_of(score), _contributions(panel, features, fits))


def score_rows(features: Features, rows: NDArray[np.int64], fit: Fit) -> Matrix:
    """Return the expected ranks of some days by one fit."""
    known = features.known[rows]
    found = np.full(known.shape, np.nan)
    found[known] = fit.trees.score(features.at(rows)[known])
    return found


def _contributions(panel: Panel, features: Features, fits: Sequence[Fit]) -> dict[str, NDArray[np.float64]]:
    found = np.full((len(FEATURES), len(panel.assets)), np.nan)
    last = np.array([panel.days - 1])
    known = features.known[-1]
    due = [each for each in fits if each.start <= panel.last_day]
    if due and known.any():
        found[:, known] = due[-1].trees.contributions(features.at(last)[0][known]).T
    return dict(zip(FEATURES, found, strict=True))
