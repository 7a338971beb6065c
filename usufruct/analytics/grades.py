"""Grades, 0 to 100: trader (technical and quantitative), investor (fundamental, technology, valuation).

docs/protocol/ratings.md is the formula in words. A grade of a day is a function of the rows up to that day, of the
assets that have a price on it, and of the constants here; `input_digests` names these inputs. Nothing else goes in: in
particular the packages that know who pays the operator cannot be reached from here (`tests/architecture`).
"""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from usufruct.analytics.indicators import (
    carried,
    channel_position,
    day_ranks,
    drawdown,
    lagged,
    last_event,
    log_returns,
    macd,
    rolling_mean,
    rolling_std,
    rsi,
    volume_balance,
)
from usufruct.connectors.prices import Matrix, Panel

FORMULA: Final = "usufruct-grades-1"
"""Named in every digest of inputs; another formula gets another name."""

TRADER_WEIGHTS: Final = {"technical": 0.8, "quantitative": 0.2}
INVESTOR_WEIGHTS: Final = {"fundamental": 0.4, "technology": 0.3, "valuation": 0.3}
OVERALL_WEIGHTS: Final = {"trader": 0.5, "investor": 0.5}

TECHNICAL_WEIGHTS: Final = {
    "trend_20": 0.15,
    "trend_50": 0.15,
    "trend_200": 0.10,
    "rsi": 0.15,
    "macd": 0.15,
    "channel": 0.15,
    "volume": 0.15,
}
QUANT_WEIGHTS: Final = {"sharpe": 0.4, "momentum": 0.3, "drawdown": 0.3}
FUNDAMENTAL_WEIGHTS: Final = {"size": 0.5, "liquidity": 0.3, "age": 0.2}
VALUATION_WEIGHTS: Final = {"turnover_value": 0.5, "below_average": 0.5}
PARTS: Final = (*TECHNICAL_WEIGHTS, *QUANT_WEIGHTS, *FUNDAMENTAL_WEIGHTS, *VALUATION_WEIGHTS)
RANKED: Final = (*QUANT_WEIGHTS, "size", "liquidity", *VALUATION_WEIGHTS)
"""Parts that compare an asset with the others of the day."""

LEAST_DAYS: Final = 60
"""Days with a price before an asset is graded."""
GAP_DAYS: Final = 7
"""A price is carried over so many days without one, with a volume of 0; an asset is not graded on them."""
_VOLATILITY_DAYS, _QUARTER, _MONTH, _YEAR = 30, 90, 30, 365
_OLD_DAYS = 1_460
"""An asset with so many days of prices has the best score for age."""
_TINY = 1e-9
_BLOCK = 64


@dataclass(frozen=True, slots=True)
class Grades:
    """Grades of a panel: a row a day, a column an asset, NaN where an asset is not graded.

    `technology` is NaN unless facts of projects were given; the investor grade then weighs what there is. `parts` are
    the components by name, where they were asked for; `latest` has all of them, of the last day alone.
    """

    technical: Matrix
    quantitative: Matrix
    trader: Matrix
    fundamental: Matrix
    technology: Matrix
    valuation: Matrix
    investor: Matrix
    overall: Matrix
    parts: dict[str, Matrix]
    latest: dict[str, NDArray[np.float64]]


def grade(panel: Panel, technology: Matrix | None = None, *, parts: Collection[str] = ()) -> Grades:
    """Grade all assets on all days; `technology`: scores of projects, 0 to 100, known at the end of each day.

    `parts` names the components that are returned too, of `PARTS`. What needs an asset's own history is computed by
    blocks of columns, what compares the assets of a day by blocks of rows: a block stays in the processor's cache.
    """
    shape = panel.close.shape
    unknown = np.broadcast_to(np.nan, shape) if technology is None else np.clip(technology, 0.0, 100.0)
    features: dict[str, Matrix] = {}
    for start in range(0, shape[1], _BLOCK):
        part = (slice(None), slice(start, start + _BLOCK))
        _put(features, part, shape, _features(panel.close[part], panel.market_cap[part], panel.volume[part]))
    found: dict[str, Matrix] = {}
    for start in range(0, shape[0], _BLOCK):
        part = (slice(start, start + _BLOCK), slice(None))
        _put(found, part, shape, _day_grades(features, part[0], unknown[part], parts))
    last = _day_grades(features, slice(-1, None), unknown[-1:], PARTS)
    latest = {name: last[name].reshape(-1) for name in PARTS}
    return Grades(parts={name: found.pop(name) for name in parts}, latest=latest, **found)


def technical_grade(close: Matrix, volume: Matrix) -> Matrix:
    """Return the technical grade alone, of steps of any length: `signals` of hours are made of it."""
    found = np.full(close.shape, np.nan)
    for start in range(0, close.shape[1], _BLOCK):
        part = (slice(None), slice(start, start + _BLOCK))
        prices = np.where(close[part] > 0, close[part], np.nan)
        kept = carried(prices, GAP_DAYS)
        amounts = np.where(np.isnan(kept), np.nan, np.nan_to_num(volume[part]))
        rated = (np.cumsum(~np.isnan(prices), axis=0) >= LEAST_DAYS) & ~np.isnan(prices)
        found[part] = _blend(_technical_parts(kept, amounts, log_returns(kept)), TECHNICAL_WEIGHTS, rated)
    return found


def input_digests(panel: Panel) -> list[str]:
    """Return for each day the SHA-256 of all that its grades are computed from: a chain, each links the day before.

    An asset counts from its first price on, so a newcomer changes no digest of the past.
    """
    digests: list[str] = []
    before = FORMULA.encode()
    known = ~(np.isnan(panel.close) & np.isnan(panel.market_cap) & np.isnan(panel.volume))
    names, last = b"", None
    for row in range(panel.days):
        if last is None or not np.array_equal(known[row], last):
            last = known[row]
            names = "\n".join(panel.assets[column].id for column in np.flatnonzero(last)).encode()
        hashed = hashlib.sha256(before + f" {panel.day(row)} {panel.quote} ".encode() + names)
        for values in (panel.close, panel.market_cap, panel.volume):
            hashed.update(values[row, last].astype("<f8").tobytes())
        before = hashed.digest()
        digests.append(before.hex())
    return digests


def grade_change(grades: Matrix, days: int) -> Matrix:
    """Return by how many per cent each grade differs from that of `days` earlier."""
    earlier = lagged(grades, days)
    return np.where(earlier > 0, (grades / np.where(earlier > 0, earlier, 1.0) - 1.0) * 100.0, np.nan)


def verdict(overall: float) -> str:
    """Return a grade in words."""
    bounds = ((80.0, "Strong Buy"), (60.0, "Buy"), (40.0, "Hold"), (20.0, "Sell"))
    return next((word for least, word in bounds if overall >= least), "Strong Sell")


def fundamental_class(fundamental: float) -> str:
    """Return the class of a fundamental grade."""
    bounds = ((90.0, "storeOfValue"), (75.0, "blueChip"), (50.0, "emerging"), (25.0, "speculative"))
    return next((word for least, word in bounds if fundamental >= least), "highRisk")


def hysteresis(values: Matrix, enter: float, leave: float) -> NDArray[np.int8]:
    """Return 1 from where a value reaches `enter` until it falls to `leave`, then -1; 0 before the first of both."""
    return last_event(np.where(values >= enter, 1, np.where(values <= leave, -1, 0)).astype(np.int8))


def _put(into: dict[str, Matrix], part: tuple[slice, slice], shape: tuple[int, ...], found: dict[str, Matrix]) -> None:
    for name, values in found.items():
        if name not in into:
            into[name] = np.empty(shape)
        into[name][part] = values


def _features(prices: Matrix, market_cap: Matrix, volume: Matrix) -> dict[str, Matrix]:
    """Return what the assets' own histories give: the technical parts, and what the days' ranks are made of."""
    known = prices > 0
    old = np.cumsum(known, axis=0)
    close = carried(np.where(known, prices, np.nan), GAP_DAYS)
    volume = np.where(np.isnan(close), np.nan, np.nan_to_num(volume))
    returns = log_returns(close)
    quarter_volume = rolling_mean(volume, _QUARTER)
    traded = quarter_volume > 0
    return _technical_parts(close, volume, returns) | {
        "sharpe": rolling_mean(returns, _QUARTER) / np.maximum(rolling_std(returns, _QUARTER), _TINY),
        "momentum": log_returns(close, _MONTH),
        "drawdown": -drawdown(close, _QUARTER),
        "size": market_cap,
        "liquidity": rolling_mean(volume, _MONTH),
        "age": np.minimum(old / _OLD_DAYS, 1.0) * 100.0,
        "turnover_value": np.where(traded, -market_cap / np.where(traded, quarter_volume, 1.0), np.nan),
        "below_average": -np.log(close / rolling_mean(close, _YEAR)),
        "rated": (known & (old >= LEAST_DAYS)).astype(np.float64),
    }


def _technical_parts(close: Matrix, volume: Matrix, returns: Matrix) -> dict[str, Matrix]:
    volatility = np.maximum(rolling_std(returns, _VOLATILITY_DAYS), _TINY)
    parts: dict[str, Matrix] = {}
    for window in (20, 50, 200):
        distance = np.log(close / rolling_mean(close, window))
        parts[f"trend_{window}"] = _centred(distance / (volatility * np.sqrt(window)))
    parts["rsi"] = rsi(close)
    _, histogram = macd(close)
    parts["macd"] = _centred(histogram / (volatility * close))
    parts["channel"] = 100.0 * channel_position(close, 55)
    parts["volume"] = _centred(volume_balance(close, volume, 20))
    return parts


def _day_grades(
    features: dict[str, Matrix], days: slice, technology: Matrix, wanted: Collection[str]
) -> dict[str, Matrix]:
    """Return the grades of some days, and their parts: ranks among the assets of each day, then weighted means."""
    rated = features["rated"][days] > 0
    parts = {name: np.where(rated, features[name][days], np.nan) for name in PARTS}
    parts |= {name: day_ranks(parts[name]) for name in RANKED}
    grades = {
        "technical": _blend(parts, TECHNICAL_WEIGHTS, rated),
        "quantitative": _blend(parts, QUANT_WEIGHTS, rated),
        "fundamental": _blend(parts, FUNDAMENTAL_WEIGHTS, rated),
        "technology": np.where(rated, technology, np.nan),
        "valuation": _blend(parts, VALUATION_WEIGHTS, rated),
    }
    grades["trader"] = _blend(grades, TRADER_WEIGHTS, rated)
    grades["investor"] = _blend(grades, INVESTOR_WEIGHTS, rated)
    grades["overall"] = _blend(grades, OVERALL_WEIGHTS, rated)
    return grades | {name: parts[name] for name in wanted}


def _centred(values: Matrix) -> Matrix:
    """Return 50 for 0, 100 for 1 and more, 0 for -1 and less."""
    return 50.0 + 50.0 * np.clip(values, -1.0, 1.0)


def _blend(parts: dict[str, Matrix], weights: dict[str, float], rated: NDArray[np.bool_]) -> Matrix:
    """Return the weighted mean of the parts that are known; NaN where none is, or an asset is not graded."""
    total = np.zeros(rated.shape)
    weight = np.zeros(rated.shape)
    for name, share in weights.items():
        known = ~np.isnan(parts[name])
        total = total + np.where(known, share * np.where(known, parts[name], 0.0), 0.0)
        weight = weight + np.where(known, share, 0.0)
    return np.where(rated & (weight > 0), total / np.where(weight > 0, weight, 1.0), np.nan)
