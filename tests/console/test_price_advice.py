"""Costs and prices are exact, rounded in the seller's favour, and the margin is the part that was asked for."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usufruct.console.price_advice import (
    Costs,
    calls_cost_up,
    margin_bps,
    output_cost_up,
    price_up,
    suggest,
    tokens_per_hour_down,
)
from usufruct.gateway import Speed
from usufruct.payments.pricing import Usage

DOLLAR = 1_000_000


def test_a_dollar_an_hour_at_a_hundred_tokens_a_second():
    """100 tokens a second, 8 calls at once, half of the time: 1,440,000 an hour; a million cost 1 / 1.44 dollars."""
    speed, costs = Speed(100, 1_000, 40), Costs(DOLLAR, parallel=8, busy=50, margin=30)
    assert tokens_per_hour_down(speed, costs) == 1_440_000
    assert output_cost_up(speed, costs) == 694_445
    found = suggest(speed, costs, reads_only=False, measured_at=1, costed_at=2)
    assert (found.output_cost, found.output_price) == (694_445, 992_065)
    assert (found.input_cost, found.input_price) == (173_612, 248_018)
    assert (found.measured_at, found.costed_at) == (1, 2)
    assert margin_bps(found.output_price, found.output_cost) == 3_000


def test_cached_input_costs_the_share_that_it_is_charged_at():
    """1,000,000 of input, half of it cached at a tenth: 0.55 dollars; 2,000,000 of output at 3 dollars a million."""
    usage = Usage(1_000_000, 2_000_000, 500_000)
    assert calls_cost_up(usage, (DOLLAR, 3 * DOLLAR), 1_000) == 550_000 + 6 * DOLLAR
    assert calls_cost_up(usage, (DOLLAR, 0), 10_000) == DOLLAR
    assert calls_cost_up(Usage(1, 0), (1, 0), 10_000) == 1, "rounded up"


def test_embeddings_cost_their_input_only():
    found = suggest(Speed(1_000, 1_000, 9), Costs(DOLLAR), reads_only=True, measured_at=0, costed_at=0)
    assert (found.output_cost, found.output_price) == (0, 0)
    assert found.input_cost == output_cost_up(Speed(1_000, 1_000, 9), Costs(DOLLAR))


@given(
    st.integers(1, 10**6),
    st.integers(1, 10**7),
    st.integers(0, 10**12),
    st.integers(1, 1_000),
    st.integers(1, 100),
    st.integers(0, 99),
)
def test_a_price_covers_its_cost_and_the_margin(tokens, duration, per_hour, parallel, busy, margin):
    speed, costs = Speed(tokens, duration, 1), Costs(per_hour, parallel, busy, margin=margin)
    exact = Fraction(tokens * 3_600_000 * parallel * busy, duration * 100)
    assert tokens_per_hour_down(speed, costs) <= max(1, exact)
    cost = output_cost_up(speed, costs)
    if exact >= 1:
        assert cost >= Fraction(per_hour * 1_000_000) / exact
    price = price_up(cost, costs)
    assert price * (100 - margin) >= cost * 100
    assert (price - 1) * (100 - margin) < cost * 100


@pytest.mark.parametrize(
    ("price", "cost", "margin"), [(100, 70, 3_000), (100, 150, -5_000), (0, 5, None), (5, 0, 10_000)]
)
def test_margins(price, cost, margin):
    assert margin_bps(price, cost) == margin
