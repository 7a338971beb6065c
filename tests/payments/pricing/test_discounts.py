"""A level's discount lowers each price, rounded up: never below the exact one, never below 0, never above the card."""

from fractions import Fraction
from math import ceil

from hypothesis import given
from hypothesis import strategies as st

from usufruct.core import UINT256_MAX
from usufruct.core.price_cards import PriceCard, PriceUnit
from usufruct.payments.pricing import Usage, charge_up, discounted_card_up, price_lines, saved_up
from usufruct.payments.pricing.charges import price_up
from usufruct_client.bill_lines import bill_lines, charge_faults, total_of
from usufruct_client.price_card import PriceCard as ClientCard

prices = st.one_of(st.integers(0, 10**7), st.integers(0, 2**96))
discounts = st.integers(0, 5_000)
cards = st.builds(PriceCard, prices, prices, prices, st.integers(1, 2_000), st.integers(1, 9), st.integers(0, 10_000))
usages = st.builds(
    lambda inputs, outputs, cached: Usage(inputs, outputs, min(cached, inputs)),
    *(st.integers(0, 2_000) for _ in range(3)),
)


@given(cards, discounts)
def test_each_price_is_the_exact_lower_one_rounded_up(card: PriceCard, discount: int):
    lower = discounted_card_up(card, discount)
    for field in ("input_per_million", "output_per_million", "per_call"):
        listed = getattr(card, field)
        assert getattr(lower, field) == ceil(listed * (1 - Fraction(discount, 10_000)))
        assert 0 <= getattr(lower, field) <= listed
    assert (lower.version, lower.unit, lower.context_window) == (card.version, card.unit, card.context_window)
    assert lower.cached_input_bps == card.cached_input_bps


@given(cards, discounts, discounts)
def test_a_higher_discount_never_costs_more(card: PriceCard, one: int, other: int):
    low, high = sorted((one, other))
    usage = Usage(1_000, 500, 100)
    assert price_up(usage, discounted_card_up(card, high)) <= price_up(usage, discounted_card_up(card, low))


@given(cards, usages, discounts, st.integers(0, UINT256_MAX))
def test_charge_and_saving_make_the_listed_price(card: PriceCard, usage: Usage, discount: int, ceiling: int):
    lower = discounted_card_up(card, discount)
    lines, listed = price_lines(usage.quantities, lower), price_lines(usage.quantities, card)
    charge = charge_up(lines, ceiling)
    assert lines == listed or charge + saved_up(lines, charge, card) == total_of(listed)
    assert saved_up(listed, charge_up(listed, ceiling), card) == 0, "a ceiling saves, and no level"
    assert charge_faults(lines, ceiling, charge) == []


@given(cards, usages, discounts)
def test_a_client_makes_the_same_lines_from_the_listed_card(card: PriceCard, usage: Usage, discount: int):
    theirs = ClientCard(
        card.version,
        card.unit.value,
        card.input_per_million,
        card.output_per_million,
        card.cached_input_bps,
        card.per_call,
    )
    ours = price_lines(usage.quantities, discounted_card_up(card, discount))
    assert bill_lines(usage.quantities, theirs.discounted_up(discount).rates) == ours


def test_discounts_by_hand():
    card = PriceCard(150_000, 600_000, 10, 4_096, 3)
    assert discounted_card_up(card, 0) is card
    assert discounted_card_up(card, 1_250) == PriceCard(131_250, 525_000, 9, 4_096, 3)
    assert discounted_card_up(card, 5_000) == PriceCard(75_000, 300_000, 5, 4_096, 3)
    assert discounted_card_up(PriceCard(1, 1, 1, 4_096, 3), 5_000) == PriceCard(1, 1, 1, 4_096, 3)
    assert PriceUnit.TEXT_TOKEN is discounted_card_up(card, 1).unit
