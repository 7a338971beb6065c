"""The market as a whole, each day: caps, breadth, volatility, and the signal that is made of breadth."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from usufruct.analytics.grades import hysteresis
from usufruct.analytics.indicators import day_ranks, lagged, log_returns, rolling_max, rolling_mean, rolling_std
from usufruct.connectors.prices import STABLECOIN, WRAPPED, Matrix, Panel

HIGH_GRADE: Final = 60.0
ENTER: Final = 50.0
LEAVE: Final = 35.0
"""Share of assets with a high grade, in per cent, from which the market is bullish, and to which it stays so."""
VOLATILITY_DAYS: Final = 30
YEAR: Final = 365
_LARGEST: Final = 50
_SEASON_DAYS: Final = 90

Column = NDArray[np.float64]
Signs = NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class MarketMetrics:
    """One number a day; NaN where it is not known.

    Stablecoins and wrapped assets count in `total_cap` alone: `others_cap` is the sum of the others without the leader.
    `leader` is the asset with the largest sum of
    market caps until the day. `high_share`: per cent of graded assets with a grade of `HIGH_GRADE` or more;
    `volatility_index`: annual volatility of the total cap's returns over `VOLATILITY_DAYS`, in per cent, with its 10th
    and 90th percentile of the year before; `others_share`: per cent of the largest 50 that beat the leader in 90 days;
    `above_average`: per cent of assets above their 200-day average; `fear_and_greed`: the mean of `high_share`,
    `above_average`, calm (100 less the volatility's percentile) and the total cap's place in its year.
    """

    total_cap: Column
    others_cap: Column
    leader_price: Column
    leader_cap: Column
    high_share: Column
    signal: Signs
    last_signal: Signs
    volatility_index: Column
    volatility_10: Column
    volatility_90: Column
    others_share: Column
    above_average: Column
    fear_and_greed: Column


def compute_market_metrics(panel: Panel, trader: Matrix) -> MarketMetrics:
    """Return the metrics of every day of a panel whose assets have the trader grades `trader`."""
    counted = np.array([not each.categories & {STABLECOIN, WRAPPED} for each in panel.assets], dtype=bool)
    caps = panel.market_cap
    close = np.where(panel.close > 0, panel.close, np.nan)
    leader = _leaders(np.where(counted, caps, np.nan))
    rows = np.arange(panel.days)
    total = _row_sum(caps)
    leader_cap = caps[rows, leader]
    above = np.where(counted & ~np.isnan(close), close / rolling_mean(close, 200), np.nan)
    high = _share(np.where(counted, trader, np.nan), HIGH_GRADE)
    signal = hysteresis(high[:, None], ENTER, LEAVE)
    volatility, low, top = _volatility(total)
    above_average = _share(above, 1.0)
    return MarketMetrics(
        total_cap=total,
        others_cap=_row_sum(np.where(counted, caps, np.nan)) - leader_cap,
        leader_price=close[rows, leader],
        leader_cap=leader_cap,
        high_share=high,
        signal=signal[:, 0],
        last_signal=_before(signal)[:, 0],
        volatility_index=volatility,
        volatility_10=low,
        volatility_90=top,
        others_share=_others_share(close, np.where(counted, caps, np.nan), leader),
        above_average=above_average,
        fear_and_greed=_fear_and_greed(high, above_average, volatility, total),
    )


def _leaders(caps: Matrix) -> NDArray[np.int64]:
    """Return each day's column with the largest sum of caps until then: one day's glitch makes no leader."""
    whole = np.cumsum(np.where(np.isnan(caps), 0.0, caps), axis=0)
    leaders: NDArray[np.int64] = np.argmax(np.where(np.isnan(caps), -1.0, whole), axis=1)
    return leaders


def _row_sum(values: Matrix) -> Column:
    """Return each row's sum in the order of columns: one more column, unknown until today, changes no earlier sum."""
    filled = np.where(np.isnan(values), 0.0, values)
    total = np.cumsum(filled, axis=1)[:, -1] if values.shape[1] else np.zeros(len(values))
    return np.where(np.isnan(values).all(axis=1), np.nan, total)


def _share(values: Matrix, least: float) -> Column:
    known = np.count_nonzero(~np.isnan(values), axis=1)
    return np.where(known > 0, 100.0 * np.count_nonzero(values >= least, axis=1) / np.maximum(known, 1), np.nan)


def _before(signal: Signs) -> Signs:
    """Return the signal before the present one began; 0 where there was none."""
    earlier = np.zeros_like(signal)
    earlier[1:] = signal[:-1]
    changed = signal != earlier
    rows = np.arange(len(signal))[:, None]
    at = np.maximum.accumulate(np.where(changed, rows, 0), axis=0)
    return np.take_along_axis(earlier, at, axis=0)


def _volatility(total: Column) -> tuple[Column, Column, Column]:
    volatility = 100.0 * np.sqrt(YEAR) * rolling_std(log_returns(total[:, None]), VOLATILITY_DAYS)
    low, high = (np.full(len(total), np.nan) for _ in range(2))
    if len(total) >= YEAR:
        windows = np.lib.stride_tricks.sliding_window_view(volatility[:, 0], YEAR)
        low[YEAR - 1 :], high[YEAR - 1 :] = np.percentile(windows, [10.0, 90.0], axis=1)
    return volatility[:, 0], low, high


def _others_share(close: Matrix, caps: Matrix, leader: NDArray[np.int64]) -> Column:
    gained = close / lagged(close, _SEASON_DAYS)
    best = gained[np.arange(len(close)), leader][:, None]
    rank = day_ranks(-caps) * np.count_nonzero(~np.isnan(caps), axis=1)[:, None] / 100.0 + 0.5  # 1 is the largest
    others = np.arange(caps.shape[1]) != leader[:, None]
    compared = (rank <= _LARGEST) & others & ~np.isnan(gained) & ~np.isnan(best)
    count = np.count_nonzero(compared, axis=1)
    won = np.count_nonzero(compared & (gained > best), axis=1)
    return np.where(count > 0, 100.0 * won / np.maximum(count, 1), np.nan)


def _fear_and_greed(high: Column, above: Column, volatility: Column, total: Column) -> Column:
    place = 100.0 * total / rolling_max(total[:, None], YEAR)[:, 0]
    calm = np.full(len(total), np.nan)
    if len(total) >= YEAR:
        windows = np.lib.stride_tricks.sliding_window_view(volatility, YEAR)
        known = ~np.isnan(windows).any(axis=1)
        calmer = (windows > windows[:, -1:]).sum(axis=1)
        calm[YEAR - 1 :] = np.where(known, 100.0 * calmer / (YEAR - 1), np.nan)
    parts = np.stack([high, above, calm, place])
    count = np.count_nonzero(~np.isnan(parts), axis=0)
    mean = np.where(np.isnan(parts), 0.0, parts).sum(axis=0) / np.maximum(count, 1)
    return np.where(count > 0, mean, np.nan)
