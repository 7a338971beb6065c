"""Signals keep their rule, and their returns are those of a trader who follows them a day late, paying costs."""

import math

import numpy as np
import pytest

from tests.support.market_panels import made_panel
from usufruct.analytics.grades import grade
from usufruct.analytics.signals import BUY_AT, COST, SELL_AT, compute_signals, positions


def slow_signals(close: list[float], grades: list[float]) -> tuple[list[int], list[float], list[float]]:
    """Walk day by day as a trader would."""
    signal, held, money, hold, last = 0, False, 1.0, 1.0, math.nan
    found: tuple[list[int], list[float], list[float]] = ([], [], [])
    for day, price in enumerate(close):
        if not math.isnan(price) and not math.isnan(last):
            money *= price / last if held else 1.0
            hold *= price / last
        should = bool(found[0]) and found[0][-1] > 0
        before = len(found[0]) > 1 and found[0][-2] > 0
        if should != before:
            money *= 1 - COST
        window = close[day - 49 : day + 1] if day >= 49 else []
        trend = 0.0
        if len(window) == 50 and not any(map(math.isnan, window)):
            trend = price - math.fsum(window) / 50
        if grades[day] >= BUY_AT and trend > 0:
            signal = 1
        elif grades[day] <= SELL_AT and trend < 0:
            signal = -1
        held = signal > 0
        last = last if math.isnan(price) else price
        for row, value in zip(found, (signal, money - 1, hold - 1), strict=True):
            row.append(value)
    return found


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_signals_and_returns_are_a_walk_day_by_day(seed: int):
    panel = made_panel(300, 6, seed)
    trader = grade(panel).trader
    found = compute_signals(panel.close, trader)
    assert {-1, 0, 1} <= set(np.unique(found.signal).tolist())
    for column in range(6):
        signal, money, hold = slow_signals(panel.close[:, column].tolist(), trader[:, column].tolist())
        assert found.signal[:, column].tolist() == signal
        np.testing.assert_allclose(found.signal_returns[:, column], money, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(found.holding_returns[:, column], hold, rtol=1e-9, atol=1e-12)


def test_a_position_opens_and_closes_once():
    signal = np.array([[0], [1], [1], [-1], [-1], [1]], dtype=np.int8)
    assert positions(signal)[:, 0].tolist() == [0, 1, 0, -1, 0, 1]
