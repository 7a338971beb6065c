"""What a model is given of each asset on each day: the published parts of grades, and a few more of the same kind.

Every feature is a function of the days until its own, to the last bit, as grades and indicators are. A change to any of
them gets a new name in `FEATURE_SET`: models that learned from the old ones are then refused.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from usufruct.analytics.grades import FORMULA, GAP_DAYS, PARTS, Grades
from usufruct.analytics.indicators import carried, day_ranks, lagged, log_returns, rolling_mean, rolling_std
from usufruct.analytics.market import MarketMetrics
from usufruct.analytics.signals import Signs
from usufruct.connectors.prices import STABLECOIN, WRAPPED, Matrix, Panel

FEATURE_SET: Final = "usufruct-features-1"
FEATURES: Final = (
    *PARTS,
    "trader",
    "trader_change",
    "rule_signal",
    "return_1",
    "return_7",
    "return_90",
    "volatility",
    "volatility_turn",
    "volume_turn",
    "breadth",
    "market_volatility",
    "market_above_average",
)
FEATURE_HASH: Final = hashlib.sha256("\n".join((FEATURE_SET, FORMULA, *FEATURES)).encode()).hexdigest()
_WEEK, _MONTH, _QUARTER = 7, 30, 90


@dataclass(frozen=True, slots=True)
class Features:
    """Features by name, each a row a day and a column an asset; `known` where an asset has a score at all.

    An asset is scored on a day when it is graded on it, and is neither a stablecoin nor wrapped.
    """

    values: Mapping[str, Matrix]
    known: NDArray[np.bool_]

    def at(self, rows: Sequence[int] | NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the features of some days: (days, assets, features)."""
        return np.stack([self.values[name][rows].astype(np.float32) for name in FEATURES], axis=-1)


def compute_features(panel: Panel, grades: Grades, rule_signal: Signs, market: MarketMetrics) -> Features:
    """Return the features of a panel, from what was computed of it; `grades` with all of `PARTS`."""
    tradable = np.array([not each.categories & {STABLECOIN, WRAPPED} for each in panel.assets], dtype=bool)
    known = ~np.isnan(grades.trader) & tradable
    shape = panel.close.shape
    values: dict[str, Matrix] = {name: grades.parts[name] for name in PARTS}
    values |= {
        "trader": grades.trader,
        "trader_change": grades.trader - lagged(grades.trader, _WEEK),
        "rule_signal": rule_signal.astype(np.float64),
    }
    values |= _of_prices(panel, known)
    for name, column in (
        ("breadth", market.high_share),
        ("market_volatility", market.volatility_index),
        ("market_above_average", market.above_average),
    ):
        values[name] = np.broadcast_to(column[:, None], shape)
    return Features(values, known)


def _of_prices(panel: Panel, known: NDArray[np.bool_]) -> dict[str, Matrix]:
    close = carried(np.where(panel.close > 0, panel.close, np.nan), GAP_DAYS)
    volume = np.where(np.isnan(close), np.nan, np.nan_to_num(panel.volume))
    returns = log_returns(close)
    short, long = rolling_std(returns, _WEEK), rolling_std(returns, _MONTH)

    def ranked(values: Matrix) -> Matrix:
        return day_ranks(np.where(known, values, np.nan))

    return {
        "return_1": ranked(returns),
        "return_7": ranked(log_returns(close, _WEEK)),
        "return_90": ranked(log_returns(close, _QUARTER)),
        "volatility": ranked(long),
        "volatility_turn": _over(short, long),
        "volume_turn": _over(rolling_mean(volume, _WEEK), rolling_mean(volume, _QUARTER)),
    }


def _over(top: Matrix, bottom: Matrix) -> Matrix:
    positive = bottom > 0
    return np.where(positive, top / np.where(positive, bottom, 1.0), np.nan)
