"""What the regime of an index costs and brings: its changes, and the same index that never changes."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np

from usufruct.connectors.prices import Panel
from usufruct.indices.engine import Backtest, run_index
from usufruct.indices.errors import CapsInfeasible, TooFewAssets
from usufruct.indices.metrics import Metrics, measure, returns_of
from usufruct.indices.sums import Mask

WHIPSAW_DAYS: Final = 30
"""A change of regime that the next one undoes within so many days is a whipsaw."""


@dataclass(frozen=True, slots=True)
class Switching:
    """The traded changes of regime. Costs are parts of the value, lost to the trades on those days.

    `turnover`: half of what these bought and sold, in times the value. `without`: the measures of the index that holds
    its members in every regime, after costs; None where there is no such index.
    """

    changes: int
    cost: float
    turnover: float
    whipsaws: int
    whipsaw_cost: float
    without: Metrics | None

    def as_document(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "changes": self.changes,
            "cost": self.cost,
            "turnover": self.turnover,
            "whipsaws": self.whipsaws,
            "whipsaw_cost": self.whipsaw_cost,
            "without_switching": None if self.without is None else self.without.as_document(),
        }


def measure_switching(found: Backtest, panel: Panel, first: date | None, last: date | None) -> Switching | None:
    """Measure the changes of regime of an index; None where it has no regime."""
    if found.rulebook.regime is None:
        return None
    changes = found.signals.switched[: len(found.traded_on)]
    whipsaws = _whipsaws(found, changes)
    again = np.flatnonzero(changes)
    undone = np.zeros_like(changes)
    for at in np.flatnonzero(whipsaws[again]):
        undone[again[at : at + 2]] = True
    return Switching(
        int(changes.sum()),
        float(1 - found.kept[changes].prod()),
        float(found.traded[changes].sum() / 2),
        int(whipsaws.sum()),
        float(1 - found.kept[undone].prod()),
        _without(found, panel, first, last),
    )


def _whipsaws(found: Backtest, changes: Mask) -> Mask:
    """Return which changes of regime the next one undid within `WHIPSAW_DAYS`."""
    places = np.flatnonzero(changes)
    undone = np.zeros_like(changes)
    undone[places[:-1]] = np.diff(found.traded_on[places]) <= WHIPSAW_DAYS
    return undone


def _without(found: Backtest, panel: Panel, first: date | None, last: date | None) -> Metrics | None:
    calendar = found.rulebook.calendar.model_copy(update={"on_regime_change": False})
    rulebook = found.rulebook.model_copy(update={"regime": None, "calendar": calendar})
    try:
        return measure(returns_of(run_index(rulebook, panel, first, last).nav))
    except (CapsInfeasible, TooFewAssets):
        return None
