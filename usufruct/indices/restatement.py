"""Restatements: whether corrected data change a published level enough to publish it again."""

from dataclasses import dataclass
from datetime import date

import numpy as np

from usufruct.indices.engine import Backtest
from usufruct.indices.sums import Mask, Vector


@dataclass(frozen=True, slots=True)
class Difference:
    """One day on which a level is published again."""

    day: date
    published: float
    corrected: float

    @property
    def change(self) -> float:
        """The relative change."""
        return self.corrected / self.published - 1 if self.published else float("inf")


@dataclass(frozen=True, slots=True)
class RestatementReport:
    """The outcome of a comparison: the new version, and the days that are published again.

    `unpublished_change` is the largest change that is under the threshold and so is not published.
    """

    version: int
    days: tuple[Difference, ...]
    unpublished_change: float


def relative_changes(published: Vector, corrected: Vector) -> Vector:
    """Return by how much each corrected level differs from the published one, as a part of it."""
    ratio = np.divide(corrected, published, out=np.ones(len(published)), where=published > 0)
    return np.asarray(np.abs(ratio - 1))


def to_restate(published: Vector, corrected: Vector, threshold: float) -> Mask:
    """Return which levels changed by more than the threshold, and so are published again."""
    return np.asarray(relative_changes(published, corrected) > threshold)


def restate(published: Backtest, corrected: Backtest, version: int = 1) -> RestatementReport:
    """Compare two backtests of one rulebook; a level that changed by more than the threshold is restated.

    The days that both have are compared. The version grows by 1 when a day is restated.
    """
    first = max(published.first_day, corrected.first_day)
    count = (min(published.last_day, corrected.last_day) - first).days + 1
    old = published.level[(first - published.first_day).days :][:count]
    new = corrected.level[(first - corrected.first_day).days :][:count]
    change = relative_changes(old, new)
    over = to_restate(old, new, published.rulebook.restatement.threshold)
    start = published.data.panel.row(first)
    days = tuple(
        Difference(published.data.panel.day(start + int(at)), float(old[at]), float(new[at]))
        for at in np.flatnonzero(over)
    )
    rest = float(change[~over].max()) if (~over).any() else 0.0
    return RestatementReport(version + bool(days), days, rest)
