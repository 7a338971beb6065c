"""Regimes: the moving average with hysteresis and minimum hold, and the filtered hidden Markov model."""

from itertools import product
from math import exp, pi, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from usufruct.indices import TwoStates, filtered, fit
from usufruct.indices.markov import exponential
from usufruct.indices.regime import hold, regime_states
from usufruct.indices.rulebook import Regime


def levels(seed: int, days: int) -> np.ndarray:
    return np.cumprod(1 + np.random.default_rng(seed).normal(0, 0.03, days))


@given(
    st.integers(0, 10_000), st.integers(5, 60), st.integers(0, 20), st.sampled_from(["moving-average", "hidden-markov"])
)
@settings(max_examples=20, deadline=None)
def test_more_days_change_no_earlier_state(seed: int, window: int, wait: int, kind: str):
    rule = Regime(kind=kind, window_days=window, minimum_hold_days=wait, train_days=60, refit_days=20, threshold=0.6)
    series = levels(seed, 110)
    for cut in (1, 65, 90):
        changed = np.concatenate((series[:cut], levels(seed + 1, 110)[cut:]))
        assert (regime_states(rule, changed)[:cut] == regime_states(rule, series)[:cut]).all()
        assert (regime_states(rule, series[:cut]) == regime_states(rule, series)[:cut]).all()


def test_a_band_and_a_minimum_hold_keep_the_state():
    assert hold([False, True, False], [True, False, True], start=True, days=0).tolist() == [False, True, False]
    assert hold([False, True, False], [True, False, True], start=True, days=2).tolist() == [False, False, False]
    around = 100 + np.array([0, 0, 0, 0, 1, -1, 1, -1, 1, -1.0])
    calm = regime_states(Regime(window_days=3, band=0.05, minimum_hold_days=0, start="bearish"), around)
    nervous = regime_states(Regime(window_days=3, band=0.0, minimum_hold_days=0, start="bearish"), around)
    assert not calm.any()
    assert np.abs(np.diff(nervous.astype(int))).sum() > 3


@given(st.floats(-700, 0))
@settings(max_examples=200)
def test_the_exponential_is_that_of_the_library(value: float):
    assert exponential(value) == pytest.approx(exp(value), rel=1e-13)


MODEL = TwoStates((0.004, -0.006), (0.0004, 0.0025), (0.95, 0.9), 0.3)


@given(st.lists(st.floats(-0.15, 0.15), min_size=1, max_size=7))
@settings(max_examples=60)
def test_the_filter_is_the_sum_over_all_paths_of_states(returns: list[float]):
    """Bayes by hand: the joint probability of each path, over those that end in the bullish state."""
    ending = [0.0, 0.0]
    for path in product((0, 1), repeat=len(returns) + 1):
        joint = (MODEL.bullish, 1 - MODEL.bullish)[path[0]]
        for before, state, value in zip(path, path[1:], returns, strict=False):
            joint *= MODEL.stay[before] if before == state else 1 - MODEL.stay[before]
            variance = MODEL.variance[state]
            joint *= exp(-((value - MODEL.mean[state]) ** 2) / (2 * variance)) / sqrt(2 * pi * variance)
        ending[path[-1]] += joint
    assert filtered(MODEL, returns)[-1] == pytest.approx(ending[0] / sum(ending), abs=1e-12)
    one_by_one = MODEL
    for value in returns:
        one_by_one = one_by_one.update(value)
    assert one_by_one.bullish == filtered(MODEL, returns)[-1]


def test_a_fit_finds_the_states_that_made_the_returns():
    chance, state, returns, truth = np.random.default_rng(4), 0, [], []
    for _ in range(3000):
        state = state if chance.random() < 0.98 else 1 - state
        returns.append(float(chance.normal((0.003, -0.003)[state], (0.01, 0.05)[state])))
        truth.append(state == 0)
    model = fit(returns)
    assert model.mean[0] > model.mean[1]
    assert [sqrt(each) for each in model.variance] == pytest.approx([0.01, 0.05], rel=0.1)
    assert model.stay == pytest.approx((0.98, 0.98), abs=0.01)
    seen = filtered(TwoStates(model.mean, model.variance, model.stay), returns)
    right = np.mean([(each > 0.5) == bull for each, bull in zip(seen, truth, strict=True)])
    assert right > 0.93
