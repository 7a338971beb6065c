"""Which days a model learns from and is judged on: walk-forward, and k-fold cross-validation, purged with an embargo.

A decision on row `t` has a label that is known on row `t + span`. A training row whose `[t, t + span]` meets that of a
test row shares information with it, and is left out (purged); so are the rows of an embargo after the test rows, whose
features overlap with them. Source: M. Lopez de Prado, Advances in Financial Machine Learning, Wiley 2018, chapter 7.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Split:
    """Rows of days, ascending: what is learned from, and what it is judged on."""

    train: Rows
    test: Rows


def decision_rows(first_ordinal: int, days: int, horizon_days: int) -> Rows:
    """Return the rows of decisions: days whose number in the calendar divides by the horizon.

    So they are the same days, whenever the prices begin and end.
    """
    return np.arange(-first_ordinal % horizon_days, days, horizon_days, dtype=np.int64)


def walk_forward(rows: Rows, starts: Sequence[int], span: int, window: int) -> list[Split]:
    """Return a split for each row of `starts`, on which a model is fitted: it is judged until the next one.

    It learns from the rows whose labels are known before the start, of the last `window` rows' days where it is not 0.
    """
    ends = [*starts[1:], np.iinfo(np.int64).max]
    return [
        Split(
            rows[(rows + span < start) & ((rows >= start - window) if window else True)],
            rows[(rows >= start) & (rows < end)],
        )
        for start, end in zip(starts, ends, strict=True)
    ]


def purged_folds(rows: Rows, folds: int, span: int, embargo: int) -> list[Split]:
    """Return one split a fold: the folds are stretches of time, all rows are in one."""
    splits = []
    for test in np.array_split(rows, folds):
        if not test.size:
            continue
        first, last = test[0], test[-1] + span
        splits.append(Split(rows[(rows + span < first) | (rows > last + embargo)], test))
    return splits
