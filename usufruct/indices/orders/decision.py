"""What the last decision of an index wants, and the last closes that it is priced by."""

from dataclasses import dataclass
from datetime import date

import numpy as np

from usufruct.indices.engine import Backtest
from usufruct.indices.sums import NEVER, last_true


@dataclass(frozen=True, slots=True)
class Close:
    """The last known price of an asset, and its day; None where it never had one."""

    price: float
    day: date | None


def target_weights(backtest: Backtest) -> dict[str, float]:
    """Return the targets of the last decision, traded or not yet: {asset id: weight}, without zeros."""
    weights = backtest.targets.weights[:, -1]
    return {each: float(weight) for each, weight in zip(backtest.ids(), weights, strict=True) if weight > 0}


def target_cash(backtest: Backtest) -> float:
    """Return the part of the value that the last decision puts in no asset."""
    return float(backtest.targets.cash[-1])


def last_closes(backtest: Backtest) -> dict[str, Close]:
    """Return the last known close of every asset of the prices, up to the last day of the backtest."""
    panel = backtest.data.panel
    close = panel.close[: panel.row(backtest.last_day) + 1].T
    with np.errstate(invalid="ignore"):
        rows = last_true((close > 0) & (close < np.inf))[:, -1].tolist()
    return {
        asset.id: Close(0.0, None) if row == NEVER else Close(float(close[at, row]), panel.day(row))
        for at, (asset, row) in enumerate(zip(panel.assets, rows, strict=True))
    }
