"""Quant metrics are the textbook's, from Python's own statistics."""

import math
import statistics
from itertools import pairwise

import numpy as np
import pytest

from tests.support.market_panels import made_panel
from usufruct.analytics.quant import compute_quant_metrics


def slow_metrics(close: list[float]) -> dict[str, float]:
    returns = [b / a - 1 for a, b in pairwise(close) if a == a and b == b]
    known = [(day, price) for day, price in enumerate(close) if price == price]
    mean, std = statistics.fmean(returns), statistics.stdev(returns)
    gains, losses = [each for each in returns if each > 0], [-each for each in returns if each < 0]
    downside = math.sqrt(statistics.fmean([min(each, 0) ** 2 for each in returns]))
    growth, years = known[-1][1] / known[0][1], (known[-1][0] - known[0][0]) / 365
    highest, deepest = 0.0, 0.0
    for _, price in known:
        highest = max(highest, price)
        deepest = min(deepest, price / highest - 1)
    moments = {n: statistics.fmean([(each - mean) ** n for each in returns]) for n in (2, 3, 4)}
    low, high = np.percentile(returns, [5, 95])
    return {
        "volatility": std * math.sqrt(365),
        "all_time_return": growth - 1,
        "cagr": growth ** (1 / years) - 1,
        "sharpe": mean / std * math.sqrt(365),
        "sortino": mean / downside * math.sqrt(365),
        "max_drawdown": deepest,
        "skew": moments[3] / moments[2] ** 1.5,
        "tail_ratio": abs(high) / abs(low),
        "risk_reward_ratio": statistics.fmean(gains) / statistics.fmean(losses),
        "profit_factor": math.fsum(gains) / math.fsum(losses),
        "kurtosis": moments[4] / moments[2] ** 2 - 3,
        "daily_value_at_risk": low,
        "daily_return_avg": mean,
        "daily_return_std": std,
    }


def test_every_metric_of_every_asset():
    panel = made_panel(250, 7, 4)
    found = compute_quant_metrics(panel.close)
    for column in range(7):
        for name, value in slow_metrics(panel.close[:, column].tolist()).items():
            assert getattr(found, name)[column] == pytest.approx(value, rel=1e-9), (column, name)


def test_an_asset_with_few_returns_or_none_has_no_metrics():
    close = np.full((40, 3), np.nan)
    close[-20:, 0] = 1.0
    close[:, 1] = 5.0
    found = compute_quant_metrics(close)
    for name in found.__slots__:
        assert np.isnan(getattr(found, name)[[0, 2]]).all(), name
    assert found.volatility[1] == 0
    assert np.isnan(found.sharpe[1])
    assert found.max_drawdown[1] == 0
