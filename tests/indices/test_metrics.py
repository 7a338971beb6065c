"""Metrics: the figures that empyrical-reloaded 0.7.1 gives with `annualization=365`, and edge cases."""

import numpy as np
import pytest

from usufruct.indices import measure, returns_of
from usufruct.indices.metrics import drawdown_of

RETURNS = np.array([((each * 7919) % 1000 - 480) / 10_000 for each in range(400)])
EMPYRICAL = {
    "total_return": 0.9191283756390978,
    "annual_return": 0.8127270876697055,
    "annual_volatility": 0.5540722901904516,
    "sharpe": 1.3504555511029133,
    "sortino": 2.0288629759231585,
    "downside_risk": 0.36880262929512847,
    "max_drawdown": -0.1633309861296525,
    "calmar": 4.975951636173683,
    "value_at_risk": -0.043115,
    "conditional_value_at_risk": -0.045845000000000004,
    "tail_ratio": 1.0833816537168035,
}


def test_the_figures_are_empyricals():
    found = measure(RETURNS).as_document()
    assert set(found) == set(EMPYRICAL)
    for name, value in EMPYRICAL.items():
        assert found[name] == pytest.approx(value, abs=1e-9), name


def test_what_cannot_be_said_is_none():
    assert set(measure(np.array([])).as_document().values()) == {None}
    one = measure(np.array([0.1]))
    assert np.isnan(one.sharpe)
    assert one.total_return == pytest.approx(0.1)
    rising = measure(np.array([0.1, 0.2, 0.3]))
    assert rising.max_drawdown == 0
    assert np.isnan(rising.calmar)
    assert rising.sortino == np.inf
    assert rising.as_document()["sortino"] is None


def test_drawdown_is_from_the_highest_level_before():
    levels = np.array([100.0, 120.0, 90.0, 130.0, 65.0])
    assert drawdown_of(levels) == pytest.approx([0, 0, -0.25, 0, -0.5])
    assert measure(returns_of(levels)).max_drawdown == pytest.approx(-0.5)
