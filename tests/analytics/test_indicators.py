"""Each indicator is what the textbook says, value by value, written out slowly."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from usufruct.analytics import indicators

prices = st.lists(st.floats(0.5, 2.0) | st.just(math.nan) | st.just(1.0), min_size=1, max_size=40)


def column(values: Sequence[float]) -> np.ndarray:
    return np.array(values, dtype=float)[:, None]


def windows(values: Sequence[float], size: int) -> list[Sequence[float] | None]:
    """Return each row's last `size` values; None where one is missing."""
    found: list[Sequence[float] | None] = []
    for end in range(1, len(values) + 1):
        window = values[end - size : end] if end >= size else []
        found.append(window if len(window) == size and not any(map(math.isnan, window)) else None)
    return found


def over_windows(values: Sequence[float], size: int, compute: Callable[[Sequence[float]], float]) -> list[float]:
    return [math.nan if window is None else compute(window) for window in windows(values, size)]


def agree(ours: np.ndarray, slow: Sequence[float]) -> None:
    np.testing.assert_allclose(ours[:, 0], slow, rtol=1e-9, atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(prices, st.integers(1, 9))
def test_windows_are_what_their_rows_give(values: list[float], size: int):
    def mean(window: Sequence[float]) -> float:
        return math.fsum(window) / len(window)

    def spread(window: Sequence[float]) -> float:
        return math.sqrt(math.fsum((each - mean(window)) ** 2 for each in window) / len(window))

    def place(window: Sequence[float]) -> float:
        low, high = min(window), max(window)
        return 0.5 if low == high else (window[-1] - low) / (high - low)

    agree(indicators.rolling_mean(column(values), size), over_windows(values, size, mean))
    agree(indicators.rolling_max(column(values), size), over_windows(values, size, max))
    agree(indicators.rolling_min(column(values), size), over_windows(values, size, min))
    np.testing.assert_allclose(
        indicators.rolling_std(column(values), size)[:, 0], over_windows(values, size, spread), atol=3e-6
    )
    agree(indicators.channel_position(column(values), size), over_windows(values, size, place))
    agree(
        indicators.drawdown(column(values), size),
        over_windows(values, size, lambda window: 1 - window[-1] / max(window)),
    )


def slow_smoothing(values: Sequence[float], factor: float, length: int) -> list[float]:
    found, known, state = [], [], 0.0
    for value in values:
        if math.isnan(value):
            found.append(math.nan)
            continue
        known.append(value)
        if len(known) <= length:
            state = math.fsum(known) / len(known)
        else:
            state += factor * (value - state)
        found.append(state if len(known) >= length else math.nan)
    return found


def slow_rsi(values: Sequence[float], length: int) -> list[float]:
    changes = [math.nan, *(after - before for before, after in pairwise(values))]
    ups = slow_smoothing([max(each, 0.0) if each == each else each for each in changes], 1 / length, length)
    downs = slow_smoothing([max(-each, 0.0) if each == each else each for each in changes], 1 / length, length)
    return [50.0 if up + down == 0 else 100 * up / (up + down) for up, down in zip(ups, downs, strict=True)]


@settings(max_examples=60, deadline=None)
@given(prices, st.integers(1, 9))
def test_smoothing_begins_with_a_mean_and_passes_gaps(values: list[float], length: int):
    agree(indicators.ema(column(values), length), slow_smoothing(values, 2 / (length + 1), length))
    agree(indicators.rsi(column(values), length), slow_rsi(values, length))
    line, histogram = indicators.macd(column(values), 2, 4, 3)
    quick, late = slow_smoothing(values, 2 / 3, 2), slow_smoothing(values, 2 / 5, 4)
    slow_line = [a - b for a, b in zip(quick, late, strict=True)]
    agree(line, slow_line)
    agree(histogram, [a - b for a, b in zip(slow_line, slow_smoothing(slow_line, 2 / 4, 3), strict=True)])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([1.0, 2.0, 3.0, math.nan]) | st.floats(0, 9), min_size=1, max_size=12))
def test_ranks_count_what_is_below_and_half_of_what_is_equal(values: list[float]):
    known = [each for each in values if not math.isnan(each)]

    def percentile(value: float) -> float:
        below, equal = sum(each < value for each in known), sum(each == value for each in known)
        return math.nan if math.isnan(value) else 100 * (below + equal / 2) / len(known)

    np.testing.assert_allclose(indicators.day_ranks(np.array([values]))[0], list(map(percentile, values)))


@settings(max_examples=40, deadline=None)
@given(prices, st.integers(1, 6), st.integers(0, 99))
def test_volume_balance_weighs_rising_days_against_falling_ones(values: list[float], size: int, seed: int):
    volume = np.random.default_rng(seed).uniform(0, 5, len(values))
    rows = list(zip([math.nan, *values], values, volume, strict=False))
    signed = [amount * (after > before) - amount * (after < before) for before, after, amount in rows]
    signed = [each if not math.isnan(b + a) else math.nan for each, (b, a, _) in zip(signed, rows, strict=True)]
    used = [amount if not math.isnan(s) else math.nan for amount, s in zip(volume, signed, strict=True)]
    top, whole = over_windows(signed, size, math.fsum), over_windows(used, size, math.fsum)
    slow = [0.0 if w == 0 else t / w for t, w in zip(top, whole, strict=True)]
    np.testing.assert_allclose(
        indicators.volume_balance(column(values), volume[:, None], size)[:, 0], slow, rtol=1e-7, atol=1e-7
    )


def test_a_gap_is_filled_for_some_days():
    values = column([math.nan, 1.0, math.nan, math.nan, math.nan, 2.0])
    np.testing.assert_array_equal(indicators.carried(values, 2)[:, 0], [math.nan, 1, 1, 1, math.nan, 2])


def test_an_event_stays_until_the_next():
    events = np.array([[0, 1], [1, 0], [0, 0], [-1, 0], [0, -1]], dtype=np.int8)
    assert indicators.last_event(events).tolist() == [[0, 1], [1, 1], [1, 1], [-1, 1], [-1, -1]]


def test_well_known_values_of_the_relative_strength_index():
    """Wilder's example as printed in many places: closes of 15 days, then 70.53 (his rounding: 70.46)."""
    closes = [44.34, 44.09, 44.15, 43.61, 44.33, 44.83, 45.10, 45.42, 45.84, 46.08, 45.89, 46.03, 45.61, 46.28, 46.28]
    assert indicators.rsi(column(closes), 14)[-1, 0] == pytest.approx(70.46, abs=0.1)
