"""Prices round up once, never pass a ceiling, and fit the window and the budget."""

from dataclasses import replace
from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from usufruct.core import UINT256_MAX, Address
from usufruct.core.price_cards import PriceCard, PriceUnit
from usufruct.payments.pricing.charges import (
    OverBudget,
    OverContext,
    affordable_output_down,
    allow,
    charge_up,
    price_lines,
    price_up,
)
from usufruct.payments.pricing.usage import Measured, Usage, measure, text_usage
from usufruct.payments.settlement.operator_terms import ChannelRefused, ChannelTerms
from usufruct_client.bill_lines import CACHED_INPUT_TEXT_TOKEN, CALL, ROUNDING, Unit, charge_faults, total_of

rates = st.one_of(st.integers(0, 10**7), st.integers(0, 2**96))
tokens = st.integers(0, 2000)
units = st.sampled_from(PriceUnit)
cards = st.builds(
    PriceCard, rates, rates, rates, st.integers(1, 2000), st.integers(1, 9), st.integers(0, 10_000), units
)
usages = st.builds(
    lambda inputs, outputs, cached: Usage(inputs, outputs, min(cached, inputs)), tokens, tokens, tokens | st.just(0)
)
CARD = PriceCard(input_per_million=150_000, output_per_million=600_000, per_call=10, context_window=1000, version=1)


@given(usage=usages, card=cards)
def test_a_price_is_the_exact_one_rounded_up(usage: Usage, card: PriceCard):
    share = Fraction(card.cached_input_bps, 10_000)
    price_in, price_out = (Fraction(price, 1_000_000) for price in (card.input_per_million, card.output_per_million))
    exact = (
        (usage.input_tokens - usage.cached_input_tokens) * price_in
        + usage.cached_input_tokens * share * price_in
        + usage.output_tokens * price_out
        + card.per_call
    )
    assert price_up(usage, card) == ceil(exact)


@given(usage=usages, card=cards)
def test_cached_input_never_costs_more_than_the_ceiling_assumes(usage: Usage, card: PriceCard):
    assert price_up(usage, card) <= price_up(replace(usage, cached_input_tokens=0), card)


def test_cached_input_by_hand():
    """A dollar with 18 decimals: 75 per million in, cached a tenth of that, 300 out, a cent a call."""
    dollar = 10**18
    card = PriceCard(75 * dollar, 300 * dollar, dollar // 100, 128_000, 1, cached_input_bps=1_000)
    usage = Usage(100_000, 2_000, cached_input_tokens=60_000)
    assert price_up(usage, card) == 3 * dollar + 45 * dollar // 100 + 60 * dollar // 100 + dollar // 100
    assert allow(100_000, 2_000, card, 9 * dollar).ceiling == 7_500_000_000_000_000_000 + 610_000_000_000_000_000
    assert price_up(Usage(1, 0, 1), replace(card, per_call=0, input_per_million=1)) == 1


@pytest.mark.parametrize(
    ("usage", "price"), [((0, 0), 10), ((1, 0), 11), ((7, 0), 12), ((212, 64), 10 + 71), ((0, 5), 13)]
)
def test_prices_by_hand(usage: tuple[int, int], price: int):
    assert price_up(Usage(*usage), CARD) == price


@given(usage=usages, card=cards, ceiling=st.integers(0, UINT256_MAX))
def test_a_charge_never_passes_its_ceiling(usage: Usage, card: PriceCard, ceiling: int):
    card = replace(card, unit=PriceUnit.TEXT_TOKEN)
    lines = price_lines(usage.quantities, card)
    assert charge_up(lines, ceiling) == min(ceiling, price_up(usage, card)) <= ceiling
    assert charge_faults(lines, ceiling, charge_up(lines, ceiling)) == []
    assert text_usage(lines) == usage


@given(card=cards, used=st.lists(tokens, min_size=3, max_size=3))
def test_lines_and_rounding_and_the_call_add_up_to_the_exact_price_rounded_up(card: PriceCard, used: list[int]):
    units = [Unit(f"{kind}_{card.unit}") for kind in ("input", "cached_input", "output")]
    share = Fraction(card.cached_input_bps, 10_000)
    per_unit = (card.input_per_million, share * card.input_per_million, card.output_per_million)
    costs = [number * Fraction(price) / 1_000_000 for number, price in zip(used, per_unit, strict=True)]
    lines = price_lines(dict(zip(units, used, strict=True)), card)
    amounts = {line.unit: line.amount for line in lines}
    for unit, cost in zip(units, costs, strict=True):
        assert amounts.get(unit, 0) == floor(cost)
    assert amounts.get(CALL, 0) == card.per_call
    assert amounts.get(ROUNDING, 0) == ceil(sum(cost % 1 for cost in costs)) <= 3
    assert total_of(lines) == ceil(sum(costs)) + card.per_call
    assert all(line.quantity for line in lines)
    assert all(line.amount == line.quantity * line.price // line.per for line in lines)
    assert charge_faults(lines, UINT256_MAX, total_of(lines)) == []


@given(card=cards, used=st.lists(tokens, min_size=3, max_size=3), data=st.data())
def test_a_bill_with_one_number_changed_does_not_add_up(card: PriceCard, used: list[int], data: st.DataObject):
    units = [Unit(f"{kind}_{card.unit}") for kind in ("input", "cached_input", "output")]
    lines = price_lines(dict(zip(units, used, strict=True)), card)
    assume(lines)
    place = data.draw(st.integers(0, len(lines) - 1))
    more = data.draw(st.integers(1, 10**6))
    changed = (*lines[:place], lines[place]._replace(amount=lines[place].amount + more), *lines[place + 1 :])
    assert charge_faults(changed, UINT256_MAX, total_of(changed))
    assert charge_faults(lines, UINT256_MAX, total_of(lines) + more)


def test_lines_by_hand():
    """The worked example of docs/protocol/receipts.md."""
    card = PriceCard(150_000, 600_000, 10, 128_000, 3, cached_input_bps=1_234)
    lines = price_lines(Usage(1_212, 64, cached_input_tokens=1_200).quantities, card)
    assert lines == (
        ("input_text_token", 12, 150_000, 1_000_000, 1),
        ("cached_input_text_token", 1_200, 18_510, 1_000_000, 22),
        ("output_text_token", 64, 600_000, 1_000_000, 38),
        ("call", 1, 10, 1, 10),
        ("rounding", 2, 1, 1, 2),
    )
    assert (total_of(lines), charge_up(lines, 200), charge_up(lines, 70)) == (73, 73, 70)
    odd = replace(card, cached_input_bps=1_233, input_per_million=1)
    assert price_lines({CACHED_INPUT_TEXT_TOKEN: 5}, odd)[0] == ("cached_input_text_token", 5, 1_233, 10**10, 0)


def test_what_has_no_price_is_not_given_away():
    with pytest.raises(ValueError, match="no price for input_image"):
        price_lines({Unit("input_image"): 1}, CARD)


@given(counted=tokens, card=cards, budget=rates)
def test_the_affordable_output_is_the_largest_that_fits(counted: int, card: PriceCard, budget: int):
    output = affordable_output_down(counted, card, budget)

    def fits(n: int) -> bool:
        return counted + n <= card.context_window and price_up(Usage(counted, n), card) <= budget

    assert output == -1 or fits(output)
    assert not fits(output + 1)


@given(counted=tokens, wanted=st.one_of(st.none(), tokens), card=cards, budget=rates)
def test_what_is_allowed_fits_and_what_is_refused_does_not(counted, wanted, card, budget):
    least = 0 if wanted == 0 else 1
    try:
        allowed = allow(counted, wanted, card, budget)
    except OverContext:
        assert counted + least > card.context_window
    except OverBudget as refusal:
        needed = refusal.details["needed"]
        assert price_up(Usage(counted, least), card) == needed > budget
    else:
        assert allowed.ceiling == price_up(Usage(counted, allowed.output_tokens), card) <= budget
        assert least <= allowed.output_tokens <= card.context_window - counted
        assert wanted is None or allowed.output_tokens <= wanted


def test_allowances_by_hand():
    assert allow(212, 64, CARD, 1000).ceiling == 81
    assert allow(212, None, CARD, 1000).output_tokens == 788
    assert allow(212, 700, CARD, 81).output_tokens == 65
    with pytest.raises(OverContext, match="1000"):
        allow(1000, 1, CARD, 10**9)
    assert allow(1000, 0, CARD, 10**9).output_tokens == 0
    with pytest.raises(OverBudget, match="43"):
        allow(212, 64, CARD, 42)


@given(claimed=usages, counted=usages, tolerance=st.integers(0, 2_000_000))
def test_upstreams_claim_counts_unless_it_passes_ours_by_more_than_the_tolerance(claimed, counted, tolerance):
    measured = measure(claimed, counted, tolerance)
    assert measured.usage.cached_input_tokens == min(claimed.cached_input_tokens, measured.usage.input_tokens)
    flagged = False
    for name in ("input_tokens", "output_tokens"):
        claim, own, kept = (getattr(usage, name) for usage in (claimed, counted, measured.usage))
        passes = claim > own * (1 + Fraction(tolerance, 1_000_000))
        assert kept == (own if passes else claim)
        flagged |= passes
    assert measured.flagged == flagged


def test_usage_by_hand():
    assert measure(None, Usage(5, 6), 0) == Measured(Usage(5, 6), flagged=False)
    assert measure(Usage(0, 0), Usage(5, 6), 0) == Measured(Usage(0, 0), flagged=False)
    assert measure(Usage(110, 100), Usage(100, 100), 100_000) == Measured(Usage(110, 100), flagged=False)
    assert measure(Usage(111, 9, 105), Usage(100, 9), 0) == Measured(Usage(100, 9, 100), flagged=True)
    assert measure(Usage(9, 9, 10**9), Usage(9, 9), 0) == Measured(Usage(9, 9, 9), flagged=False)
    assert measure(Usage(111, 90), Usage(100, 100), 100_000) == Measured(Usage(100, 90), flagged=True)


def test_channels_on_other_terms_are_refused_by_field(world):
    terms = ChannelTerms(world.TILL, frozenset({world.TOKEN}))
    terms.check(world.config())
    other = Address("0x" + "99" * 20)
    for field, changed in (
        ("receiver", {"receiver": other}),
        ("receiverAuthorizer", {"receiver_authorizer": other}),
        ("token", {"token": other}),
        ("withdrawDelay", {"withdraw_delay": 86_399}),
        ("payerAuthorizer", {"payer_authorizer": Address("0x" + "0" * 40)}),
    ):
        with pytest.raises(ChannelRefused, match=field) as caught:
            terms.check(replace(world.config(), **changed))
        assert caught.value.details["field"] == field
