"""The volume-weighted median over venues: against a slow model, and what liars can do to it."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from usufruct.connectors.exchanges import OutlierRule, Refusal, VenueMedian, weighted_median
from usufruct.core import Invalid

PRICES = st.sampled_from([float("nan"), 0.5, 0.9, 0.99, 1.0, 1.0, 1.001, 1.01, 1.05, 1.3, 2.0])
VOLUMES = st.sampled_from([float("nan"), 0.0, 1.0, 1.0, 2.0, 3.0, 10.0])


def slow_median(pairs):
    """Of (value, weight): where half the weight is reached; the mean of two values where exactly between them."""
    if not any(weight for _, weight in pairs):
        pairs = [(value, 1) for value, _ in pairs]
    pairs = sorted((value, Fraction(weight)) for value, weight in pairs if weight)
    half, reached, found = sum(weight for _, weight in pairs) / 2, Fraction(0), []
    for value, weight in pairs:
        if reached <= half <= reached + weight:
            found.append(value)
        reached += weight
    return (found[0] + found[-1]) / 2


def slow_fix(prices, volumes, out, rule):
    """Fix one asset's price; returns it and the venues left out."""
    present = [n for n, price in enumerate(prices) if price == price]
    trusted = [n for n in present if n not in out]
    base = trusted if len(trusted) >= rule.fewest else present
    if base:
        centre = slow_median([(prices[n], 1) for n in base])
        scale = max(1.4826 * slow_median([(abs(prices[n] - centre), 1) for n in base]), rule.floor * centre)
        for n in present:
            far = abs(prices[n] - centre) > scale * (rule.reject * rule.readmit if n in out else rule.reject)
            out = out | {n} if far else out - {n}
    accepted = [n for n in present if n not in out]
    if len(present) < rule.fewest:
        return None, out, Refusal.TOO_FEW_VENUES
    if 2 * len(accepted) <= len(present):
        return None, out, Refusal.VENUES_DISAGREE
    values = [prices[n] for n in accepted]
    if len(accepted) < 3 and max(values) - min(values) > rule.disagreement * centre:
        return None, out, Refusal.VENUES_DISAGREE
    if len(accepted) < rule.fewest:
        return None, out, Refusal.TOO_FEW_VENUES
    weights = [volumes[n] if volumes[n] > 0 else 0 for n in accepted]
    return slow_median(list(zip(values, weights, strict=True))), out, Refusal.NONE


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 5).flatmap(lambda n: st.lists(st.tuples(*[st.tuples(PRICES, VOLUMES)] * n), min_size=1, max_size=6))
)
def test_the_rule_is_that_of_the_model(history):
    rule = OutlierRule()
    median, out = VenueMedian(1, len(history[0]), rule), frozenset()
    for moment in history:
        prices, volumes = zip(*moment, strict=True)
        fixing = median.fix(np.array([prices]), np.array([volumes]))
        expected, out, refusal = slow_fix(prices, volumes, out, rule)
        assert fixing.refusal[0] == refusal
        assert set(np.flatnonzero(fixing.excluded[0])) == out
        if expected is None:
            assert np.isnan(fixing.price[0])
        else:
            assert fixing.price[0] == pytest.approx(expected, rel=1e-12)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_minority_of_liars_moves_the_price_by_no_more_than_the_rule_allows(data):
    liars = data.draw(st.integers(0, 3))
    honest = data.draw(st.lists(st.floats(99.5, 100.5), min_size=2 * liars + 3, max_size=9))
    lies = data.draw(st.lists(st.floats(0.01, 1e6), min_size=liars, max_size=liars))
    weights = data.draw(st.lists(st.floats(0, 1e9), min_size=len(honest + lies), max_size=len(honest + lies)))
    price = VenueMedian(1, len(weights)).fix(np.array([honest + lies]), np.array([weights])).price[0]
    centre_range = 100.5 - 99.5
    assert 99.5 - 9 * centre_range <= price <= 100.5 + 9 * centre_range


def test_equal_volumes_and_a_lying_third_stay_within_the_honest_range():
    prices = np.array([[100.0, 100.1, 99.9, 150.0]])
    fixing = VenueMedian(1, 4).fix(prices, np.array([[1.0, 1.0, 1.0, 1e9]]))
    assert fixing.excluded.tolist() == [[False, False, False, True]]
    assert fixing.price[0] == 100.0


def test_a_venue_comes_back_only_well_within_the_border():
    """With the least deviation of 0.1 %, a venue leaves at over 0.6 and comes back at 0.3 or less."""
    median = VenueMedian(1, 4)
    left_out = []
    for price in (100.5, 100.7, 100.5, 100.31, 100.29, 100.5):
        fixing = median.fix(np.array([[100.0, 100.0, 100.0, price]]), np.ones((1, 4)))
        left_out.append(bool(fixing.excluded[0, 3]))
    assert left_out == [False, True, True, True, False, False]


def test_two_venues_that_disagree_give_no_price():
    median = VenueMedian(3, 2)
    fixing = median.fix(np.array([[1.0, 1.01], [1.0, 1.1], [1.0, np.nan]]), np.ones((3, 2)))
    assert fixing.refusal.tolist() == [Refusal.NONE, Refusal.VENUES_DISAGREE, Refusal.TOO_FEW_VENUES]
    assert fixing.price[0] == pytest.approx(1.005)
    assert np.isnan(fixing.price[1:]).all()


def test_a_silent_venue_that_was_left_out_stays_so():
    median = VenueMedian(1, 4)
    median.fix(np.array([[1.0, 1.0, 1.0, 2.0]]), np.ones((1, 4)))
    assert median.fix(np.array([[1.0, 1.0, 1.0, np.nan]]), np.ones((1, 4))).excluded[0, 3]


def test_weights_decide():
    values, chosen = np.array([[1.0, 2.0, 3.0]]), np.array([[True, True, True]])
    assert weighted_median(values, np.array([[1.0, 1.0, 5.0]]), chosen)[0] == 3.0
    assert weighted_median(values, np.array([[1.0, 0.0, 1.0]]), chosen)[0] == 2.0, "half on each side of 2"
    assert np.isnan(weighted_median(values, np.ones((1, 3)), ~chosen)[0])


@pytest.mark.parametrize("wrong", [{"reject": 0.0}, {"readmit": 1.5}, {"floor": 0.0}, {"fewest": 0}])
def test_a_rule_without_sense_is_refused(wrong):
    with pytest.raises(Invalid, match="is not a rule"):
        OutlierRule(**wrong)
