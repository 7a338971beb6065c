"""Days of an index that were published again: the old and the new values, and which corrected prices are the reason."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import numpy as np

from usufruct.indices.history import IndexHistory
from usufruct.indices.restatement import RestatementReport
from usufruct.indices.sums import Vector

MOST_ROWS: Final = 20_000
"""Of one index; the oldest restatements go first."""
_MOST_NAMED: Final = 3
_SAME: Final = 1e-12
_OTHER_DATA: Final = "corrected market caps, volumes or facts about assets"


@dataclass(frozen=True, slots=True)
class _Correction:
    """The first corrected price of an asset, and on how many days its prices were corrected."""

    asset: str
    day: date
    before: float
    after: float
    days: int
    held: bool

    def __str__(self) -> str:
        rest = f" and {self.days - 1} more days" if self.days > 1 else ""
        return f"{self.asset} on {self.day} ({self.before:.6g} to {self.after:.6g}){rest}"


def restatement_rows(
    report: RestatementReport, reason: str, restated: date, first_day: date, before: Vector, after: Vector
) -> Iterator[dict[str, Any]]:
    """Return a row for each day that is published again, the newest first.

    `before` and `after`: values after costs from `first_day` on. `restated`: the last day of the corrected prices.
    """
    for each in reversed(report.days):
        at = (each.day - first_day).days
        yield {
            "DATE": str(each.day),
            "VERSION": report.version,
            "RESTATED": str(restated),
            "LEVEL_BEFORE": each.published,
            "LEVEL": each.corrected,
            "VALUE_BEFORE": float(before[at]),
            "VALUE": float(after[at]),
            "REASON": reason,
        }


def reason_of(before: IndexHistory | None, after: IndexHistory) -> str:
    """Name the prices that differ between two computations of an index, those of assets that it held first."""
    found = [] if before is None else _corrections(before, after)
    if not found:
        return _OTHER_DATA
    ranked = sorted(found, key=lambda each: (not each.held, each.day, each.asset))
    rest = len(ranked) - _MOST_NAMED
    more = f"; {rest} more asset{'s' if rest > 1 else ''}" if rest > 0 else ""
    return f"corrected prices: {'; '.join(map(str, ranked[:_MOST_NAMED]))}{more}"


def _corrections(before: IndexHistory, after: IndexHistory) -> list[_Correction]:
    earlier = {each.id: row for row, each in enumerate(before.assets)}
    days = min(before.valued.shape[1], after.valued.shape[1])
    held = np.zeros((len(after.assets), days), dtype=bool)
    newest = np.searchsorted(after.traded, np.arange(days), side="right") - 1
    held[:, newest >= 0] = after.held[:, newest[newest >= 0]] > 0
    found = []
    for row, asset in enumerate(after.assets):
        if asset.id not in earlier:
            continue
        old, new = np.asarray(before.valued[earlier[asset.id], :days]), np.asarray(after.valued[row, :days])
        wrong = np.flatnonzero(np.abs(new - old) > _SAME * np.maximum(new, old))
        if len(wrong):
            at = int(wrong[0])
            day = after.first_day + timedelta(days=at)
            is_held = bool(held[row, wrong].any())
            found.append(_Correction(asset.id, day, float(old[at]), float(new[at]), len(wrong), is_held))
    return found
