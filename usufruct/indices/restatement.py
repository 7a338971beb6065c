"""Restatements: whether corrected data change a published level enough to publish it again."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from usufruct.indices.sums import Vector


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


def restate(
    first_day: date, published: Vector, corrected: Vector, threshold: float, version: int = 1
) -> RestatementReport:
    """Compare published levels with corrected ones, day by day from `first_day` on, over the days that both have.

    A level that changed by more than the threshold is restated. The version grows by 1 when a day is.
    """
    count = min(len(published), len(corrected))
    old, new = published[:count], corrected[:count]
    change = relative_changes(old, new)
    over = np.asarray(change > threshold)
    days = tuple(
        Difference(first_day + timedelta(days=at), float(old[at]), float(new[at]))
        for at in np.flatnonzero(over).tolist()
    )
    rest = float(change[~over].max()) if (~over).any() else 0.0
    return RestatementReport(version + bool(days), days, rest)
