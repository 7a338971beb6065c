"""Rule-based signals: 1 (bullish), -1 (bearish), 0 (none yet), from the trader grade and the trend."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from usufruct.analytics.grades import hysteresis
from usufruct.analytics.indicators import lagged, last_event, rolling_mean
from usufruct.connectors.prices import Matrix

BUY_AT: Final = 60.0
SELL_AT: Final = 40.0
TREND_DAYS: Final = 50
COST: Final = 0.001
"""Lost at each change between holding and not holding, as a part of what is held."""

Signs = NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Signals:
    """Signals of a panel, a row a day, a column an asset.

    `signal` and `trend` are 1, -1 or 0. `signal_returns` is what 1 unit became by holding the asset on the days after a
    signal of 1 and nothing otherwise, less 1, after costs; `holding_returns` by holding it since its first price.
    """

    signal: Signs
    trend: Signs
    signal_returns: Matrix
    holding_returns: Matrix


def compute_signals(close: Matrix, trader: Matrix) -> Signals:
    """Return the signals of all assets.

    A signal of 1 comes when the grade is at least `BUY_AT` above the trend, -1 when it is at most `SELL_AT` below it;
    between the two the last one stays.
    """
    prices = np.where(close > 0, close, np.nan)
    trend = trend_of(prices)
    events = np.where((trader >= BUY_AT) & (trend > 0), 1, np.where((trader <= SELL_AT) & (trend < 0), -1, 0))
    signal = last_event(events.astype(np.int8))
    change = prices / _last_known_before(prices) - 1.0
    return Signals(signal, trend, _followed(change, signal), _compound(np.where(np.isnan(change), 0.0, change)))


def trend_of(prices: Matrix) -> Signs:
    """Return 1 above the average of `TREND_DAYS`, -1 below it, 0 where it is not known."""
    distance = prices - rolling_mean(prices, TREND_DAYS)
    return np.where(np.isnan(distance), 0, np.sign(np.nan_to_num(distance))).astype(np.int8)


def last_change(signal: Signs) -> int | None:
    """Return the row in which the last signal of one asset came; None where there was none."""
    changed = np.flatnonzero(np.diff(signal, prepend=np.int8(0)))
    return int(changed[-1]) if changed.size else None


def positions(signal: Signs) -> Signs:
    """Return what an hourly signal does to a position: 1 opens it, -1 closes it, 0 leaves it."""
    held = signal > 0
    before = np.zeros_like(held)
    before[1:] = held[:-1]
    return held.astype(np.int8) - before.astype(np.int8)


def market_signal(shares: Matrix, enter: float, leave: float) -> Signs:
    """Return 1 from where a share reaches `enter` until it falls to `leave`, then -1."""
    return hysteresis(shares, enter, leave)


def _last_known_before(prices: Matrix) -> Matrix:
    """Return the last known price of the days before: a gap's change counts on the day that ends it."""
    rows = np.arange(len(prices))[:, None]
    at = np.maximum.accumulate(np.where(np.isnan(prices), 0, rows), axis=0)
    return lagged(np.take_along_axis(prices, at, axis=0), 1)


def _followed(change: Matrix, signal: Signs) -> Matrix:
    held = np.zeros(signal.shape, dtype=bool)
    held[1:] = signal[:-1] > 0
    switched = np.zeros(signal.shape, dtype=bool)
    switched[1:] = held[1:] != held[:-1]
    gained = np.where(held & ~np.isnan(change), change, 0.0)
    return _compound((1.0 + gained) * np.where(switched, 1.0 - COST, 1.0) - 1.0)


def _compound(change: Matrix) -> Matrix:
    return np.multiply.accumulate(1.0 + change, axis=0) - 1.0
