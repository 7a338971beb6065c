"""Technical indicators of all assets at once: a matrix in (a row a day, a column an asset), a matrix out.

Every function is causal: row `d` of its result depends on the rows up to `d` alone, to the last bit. So sums of windows
are built from sums inside fixed blocks of days: nothing is subtracted, and a later row never rounds an earlier one.
A value that is not known is NaN. A window that holds one is NaN; what is smoothed leaves the day out.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from usufruct.connectors.prices import Matrix

FLAT: Final = 1e-12
"""A variance below this part of the squared mean is rounding noise, and counts as 0."""


def lagged(values: Matrix, days: int) -> Matrix:
    """Return the values of `days` earlier."""
    result = np.full_like(values, np.nan)
    if days < len(values):
        result[days:] = values[: len(values) - days]
    return result


def carried(values: Matrix, most_days: int) -> Matrix:
    """Return the values with gaps of up to `most_days` filled by the last one that is known."""
    rows = np.arange(len(values))[:, None]
    known = ~np.isnan(values)
    at = np.maximum.accumulate(np.where(known, rows, -1), axis=0)
    last = np.take_along_axis(values, np.maximum(at, 0), axis=0)
    return np.where((at >= 0) & (rows - at <= most_days), last, np.nan)


def last_known(values: Matrix, most_days: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the last value of each column that is at most `most_days` rows old, and its row; NaN and -1 without."""
    known = ~np.isnan(values)
    rows = np.where(known.any(axis=0), len(values) - 1 - np.argmax(known[::-1], axis=0), -1)
    rows = np.where(len(values) - 1 - rows <= most_days, rows, -1)
    found = values[np.maximum(rows, 0), np.arange(values.shape[1])]
    return np.where(rows < 0, np.nan, found), rows


def log_returns(close: Matrix, days: int = 1) -> Matrix:
    """Return the logarithm of each close over that of `days` earlier; prices must be above 0."""
    logs = np.log(close)
    return logs - lagged(logs, days)


def rolling_sum(values: Matrix, window: int) -> Matrix:
    """Return the sum of the last `window` rows."""
    return _windowed(np.add, values, window)


def rolling_mean(values: Matrix, window: int) -> Matrix:
    """Return the simple moving average (SMA)."""
    return _windowed(np.add, values, window) / window


def rolling_max(values: Matrix, window: int) -> Matrix:
    """Return the highest of the last `window` rows."""
    return _windowed(np.maximum, values, window)


def rolling_min(values: Matrix, window: int) -> Matrix:
    """Return the lowest of the last `window` rows."""
    return _windowed(np.minimum, values, window)


def rolling_std(values: Matrix, window: int) -> Matrix:
    """Return the standard deviation of the last `window` rows (of the population: divided by `window`)."""
    mean = rolling_mean(values, window)
    square = rolling_mean(values * values, window)
    variance = square - mean * mean
    return np.sqrt(np.where(variance > FLAT * square, variance, np.where(np.isnan(variance), np.nan, 0.0)))


def smoothed(values: Matrix, factor: float | Matrix, length: int | NDArray[np.int64]) -> Matrix:
    """Return exponential smoothing that starts with the mean of the first `length` known rows.

    Each later known value moves it by `factor` of the difference; `factor` and `length` may differ by column. A row
    without a value has no result, and the smoothing goes on after it.
    """
    days, columns = values.shape
    result = np.full((days, columns), np.nan)
    state, seen = np.zeros(columns), np.zeros(columns, dtype=np.int64)
    lengths, factors = np.broadcast_to(length, columns), np.broadcast_to(factor, columns)
    known = ~np.isnan(values)
    filled = np.where(known, values, 0.0)
    whole: NDArray[np.bool_] = np.all(known, axis=1)
    for day in range(days):
        step = filled[day] - state
        if whole[day] and (seen >= lengths).all():
            state = state + factors * step
            result[day] = state
            continue
        seen = seen + known[day]
        share = np.where(seen <= lengths, 1.0 / np.maximum(seen, 1), factors)  # at first a running mean
        state = np.where(known[day], state + share * step, state)
        result[day] = np.where(known[day] & (seen >= lengths), state, np.nan)
    return result


def ema(values: Matrix, length: int) -> Matrix:
    """Return the exponential moving average: factor 2 / (length + 1), started with a simple average."""
    return smoothed(values, 2.0 / (length + 1), length)


def rsi(close: Matrix, length: int = 14) -> Matrix:
    """Return the relative strength index (Wilder 1978), 0 to 100; 50 where the price never moved."""
    change = close - lagged(close, 1)
    both = np.hstack([np.where(change > 0, change, 0.0), np.where(change < 0, -change, 0.0)])
    both[np.hstack([np.isnan(change)] * 2)] = np.nan
    up, down = np.hsplit(smoothed(both, 1.0 / length, length), 2)
    whole = up + down
    return np.where(whole > 0, 100.0 * up / np.where(whole > 0, whole, 1.0), np.where(np.isnan(whole), np.nan, 50.0))


def macd(close: Matrix, fast: int = 12, slow: int = 26, signal: int = 9) -> tuple[Matrix, Matrix]:
    """Return the MACD line (Appel), the fast EMA less the slow one, and its histogram: the line less its own EMA."""
    columns = close.shape[1]
    lengths = np.repeat(np.array([fast, slow], dtype=np.int64), columns)
    quick, late = np.hsplit(
        smoothed(np.hstack([close, close]), np.divide(2.0, lengths + 1.0, dtype=np.float64), lengths), 2
    )
    line = quick - late
    return line, line - ema(line, signal)


def channel_position(close: Matrix, window: int) -> Matrix:
    """Return where each close is between the window's lowest (0) and highest (1); one half where they are equal."""
    high, low = rolling_max(close, window), rolling_min(close, window)
    width = high - low
    inside = (close - low) / np.where(width > 0, width, 1.0)
    return np.where(width > 0, inside, np.where(np.isnan(width), np.nan, 0.5))


def volume_balance(close: Matrix, volume: Matrix, window: int) -> Matrix:
    """Return the volume of rising days less that of falling days over all volume, -1 to 1 (on-balance volume)."""
    signed = volume * np.sign(close - lagged(close, 1))
    total = rolling_sum(np.where(np.isnan(signed), np.nan, volume), window)
    balance = rolling_sum(signed, window)
    return np.where(total > 0, balance / np.where(total > 0, total, 1.0), np.where(np.isnan(total), np.nan, 0.0))


def drawdown(close: Matrix, window: int) -> Matrix:
    """Return how far each close is below the window's highest: 0 at it, 0.25 a quarter below."""
    return 1.0 - close / rolling_max(close, window)


def day_ranks(values: Matrix) -> Matrix:
    """Return each value's percentile among the day's known ones: (rank - 1/2) / number x 100; ties share their mean."""
    days, columns = values.shape
    order = np.argsort(values, axis=1)
    ranked = np.take_along_axis(values, order, axis=1)
    place = np.broadcast_to(np.arange(columns), (days, columns))
    starts = np.ones((days, columns), dtype=bool)
    starts[:, 1:] = ranked[:, 1:] != ranked[:, :-1]
    first = np.maximum.accumulate(np.where(starts, place, 0), axis=1)
    ends = np.ones((days, columns), dtype=bool)
    ends[:, :-1] = starts[:, 1:]
    last = np.minimum.accumulate(np.where(ends, place, columns)[:, ::-1], axis=1)[:, ::-1]
    count = np.count_nonzero(~np.isnan(values), axis=1)[:, None]
    percentile = ((first + last) / 2.0 + 0.5) / np.maximum(count, 1) * 100.0
    result = np.empty((days, columns))
    np.put_along_axis(result, order, np.where(np.isnan(ranked), np.nan, percentile), axis=1)
    return result


def last_event(events: NDArray[np.int8]) -> NDArray[np.int8]:
    """Return the last event that is not 0, each day; 0 before the first."""
    rows = np.arange(len(events))[:, None]
    at = np.maximum.accumulate(np.where(events != 0, rows, 0), axis=0)
    return np.take_along_axis(events, at, axis=0)


def _windowed(combine: np.ufunc, values: Matrix, window: int) -> Matrix:
    """Combine windows of rows: the end of one block of `window` rows with the start of the next (van Herk 1992)."""
    days, columns = values.shape
    result = np.full((days, columns), np.nan)
    if window > days:
        return result
    blocks = -(-days // window)
    padded = np.full((blocks * window, columns), np.nan)
    padded[:days] = values
    grid = padded.reshape(blocks, window, columns)
    heads = combine.accumulate(grid, axis=1).reshape(-1, columns)
    tails = combine.accumulate(grid[:, ::-1], axis=1)[:, ::-1].reshape(-1, columns)
    result[window - 1 :] = combine(tails[: days - window + 1], heads[window - 1 : days])
    whole = np.arange(window - 1, days, window)
    result[whole] = heads[whole]
    return result
