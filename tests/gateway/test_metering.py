"""The rules of metering against a slow and obvious model."""

from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usufruct.assets import Caps
from usufruct.connectors.openai import Usage as Reported
from usufruct.connectors.openai import UsageFault
from usufruct.core import UINT128_MAX
from usufruct.core.price_cards import PriceCard
from usufruct.gateway import CountingRule
from usufruct.gateway.operations.base import Budget
from usufruct.gateway.operations.text_metering import (
    Counted,
    Scales,
    chat_limits,
    embeddings_limits,
    longest_text,
    usage_of_part,
    usage_of_whole,
)
from usufruct.payments.pricing.charges import Allowance, OverBudget, OverContext, charge_up, price_lines
from usufruct.payments.pricing.usage import Measured, Usage

tokens = st.integers(0, 5_000)
cards = st.builds(PriceCard, *[st.integers(0, 10**7)] * 2, st.integers(0, 1_000), st.integers(2, 5_000), st.just(1))
rules = st.builds(
    CountingRule, tolerance_ppm=st.sampled_from([0, 1, 100_000, 2_000_000]), spare_tokens=st.integers(0, 9)
)


def price(card: PriceCard, inputs: int, outputs: int) -> int:
    millionth = Fraction(1, 1_000_000)
    return ceil((inputs * card.input_per_million + outputs * card.output_per_million) * millionth) + card.per_call


def best_output(card, counted, choices, wanted, caps, budget, lowerable):
    """Try every output from the most wanted down; None when the call must be refused."""
    most = min((wanted or caps.usual_output * choices), caps.largest_output, (card.context_window - counted) * choices)
    tried = range(most, choices - 1, -1) if lowerable else [most]
    return next((o for o in tried if o >= choices and price(card, counted, o) <= budget), None)


@given(
    card=cards,
    counted=tokens,
    wanted=st.none() | st.integers(1, 300),
    choices=st.integers(1, 3),
    caps=st.builds(Caps, st.integers(1, 50), st.integers(50, 200), st.integers(1, 10**6)),
    budget=st.builds(Budget, st.integers(0, 10**6), st.booleans()),
)
def test_ceiling(card, counted, wanted, choices, caps, budget):
    if wanted is not None:
        wanted *= choices
    most = min(budget.amount, caps.largest_ceiling)
    expected = best_output(card, counted, choices, wanted, caps, most, wanted is None or budget.own_limit)
    try:
        allowance = chat_limits(wanted, choices, counted, caps, card, budget)
    except OverContext:
        assert counted + 1 > card.context_window
    except OverBudget as refused:
        assert expected is None
        assert int(refused.details["budget"]) == most  # noqa: PT017 - one of three allowed endings
    else:
        assert allowance == Allowance(expected, price(card, counted, expected))


@given(card=cards, counted=tokens, inputs=st.integers(1, 5), budget=st.integers(0, 10**6))
def test_ceiling_of_embeddings(card, counted, inputs, budget):
    try:
        allowance = embeddings_limits(inputs, counted, Caps(), card, Budget(budget))
    except OverContext:
        assert counted > card.context_window * inputs
    except OverBudget:
        assert price(card, counted, 0) > budget
    else:
        assert allowance == Allowance(0, price(card, counted, 0))


BY_BYTES = CountingRule()


def counted_as(text: int, output: int, rule: CountingRule = BY_BYTES, added: int = 0) -> Counted:
    return Counted(text, added, output, Scales(rule))


@given(claimed=st.tuples(tokens, tokens), cached=tokens, counted=st.tuples(tokens, tokens), rule=rules)
def test_usage_of_a_whole_answer(claimed, cached, counted, rule):
    def passes(claim, own, spare):
        return claim > (own + spare) * (1 + Fraction(rule.tolerance_ppm, 1_000_000))

    pairs = list(zip(claimed, counted, strict=True))
    lied = any(passes(claim, own, rule.spare_tokens) for claim, own in pairs)
    expected = [max(own // 4, min(own, 1)) if lied and passes(claim, own, 0) else claim for claim, own in pairs]
    measured = usage_of_whole(Reported(*claimed, cached=cached), counted_as(*counted, rule), rule, Caps())
    assert (measured.usage, measured.flagged) == (Usage(*expected, min(cached, expected[0])), lied)
    assert measured.usage.output_tokens <= claimed[1]
    assert measured.counted_by == ("estimate" if lied else "upstream")


@given(counted=st.tuples(tokens, tokens), added=tokens, rule=rules, fault=st.sampled_from([None, *UsageFault]))
def test_without_a_word_from_upstream_our_count_holds_in_its_text_tokens(counted, added, rule, fault):
    measured = usage_of_whole(fault, counted_as(*counted, rule, added), rule, Caps())
    inputs, outputs = (max(own // 4, min(own, 1)) for own in counted)
    assert (measured.usage, measured.flagged) == (Usage(inputs + added, outputs), fault is UsageFault.INVALID)
    assert measured.counted_by == "estimate"


@given(counted=st.tuples(tokens, tokens), added=tokens, fault=st.sampled_from([None, *UsageFault]))
def test_a_vocabularys_count_needs_no_estimate(counted, added, fault):
    rule = CountingRule(vocabulary="00")
    measured = usage_of_whole(fault, counted_as(*counted, rule, added), rule, Caps())
    assert (measured.usage, measured.counted_by) == (Usage(counted[0] + added, counted[1]), "vocabulary")


@given(whole=st.tuples(tokens, tokens), sizes=st.tuples(tokens, tokens), flagged=st.booleans())
def test_of_a_whole_that_is_known_the_delivered_share_is_charged(whole, sizes, flagged):
    delivered, all_of_it = sorted(sizes)
    known = Measured(Usage(*whole, whole[0] // 2), flagged, reasoning_tokens=whole[1] // 2)
    share = Fraction(delivered, all_of_it) if all_of_it else Fraction(0)
    measured = usage_of_part(known, counted_as(0, 0), share, CountingRule())
    assert measured.usage == Usage(whole[0], ceil(whole[1] * share), whole[0] // 2)
    assert (measured.flagged, measured.counted_by) == (flagged, "share")
    assert measured.reasoning_tokens <= measured.usage.output_tokens <= whole[1]


REASONING = Reported(9, 1_500, reasoning=1_456)
HIDDEN = counted_as(40, 44)


@pytest.mark.parametrize(
    ("cap", "output", "reasoning", "flagged"),
    [(0, 11, 0, True), (500, 511, 500, True), (1_456, 1_500, 1_456, False), (4_000, 1_500, 1_456, False)],
)
def test_hidden_reasoning_is_charged_as_far_as_the_seller_says(cap, output, reasoning, flagged):
    """44 bytes of text, and 1,456 text tokens of thinking that nobody sees."""
    rule = CountingRule(tolerance_ppm=0, spare_tokens=0)
    measured = usage_of_whole(REASONING, HIDDEN, rule, Caps(reasoning_output=cap))
    assert measured.usage == Usage(9, output)
    assert (measured.reasoning_tokens, measured.flagged) == (reasoning, flagged)


@given(
    claimed=st.tuples(tokens, tokens, tokens),
    counted=st.tuples(tokens, tokens),
    cap=st.integers(0, 2_000),
    rule=rules,
)
def test_reasoning_never_makes_more_than_the_cap_of_what_no_text_stands_for(claimed, counted, cap, rule):
    inputs, outputs, reasoning = claimed
    reported = Reported(inputs, outputs, reasoning=reasoning)
    measured = usage_of_whole(reported, counted_as(*counted, rule), rule, Caps(reasoning_output=cap))
    most = (counted[1] + rule.spare_tokens + min(cap, reasoning)) * (1 + Fraction(rule.tolerance_ppm, 1_000_000))
    assert measured.usage.output_tokens <= min(outputs, most)
    assert measured.reasoning_tokens <= min(cap, reasoning)


@given(card=cards, usage=st.tuples(tokens, tokens), limit=st.integers(0, 10**6))
def test_a_charge_never_passes_its_ceiling(card, usage, limit):
    assert charge_up(price_lines(Usage(*usage).quantities, card), limit) == min(limit, price(card, *usage))


def test_every_allowance_leaves_room_for_its_text():
    assert longest_text(Allowance(0, 0)) > 0
    assert longest_text(Allowance(1_000, 0)) >= 1_000 * 128  # blanks, in common vocabularies


def test_the_refusal_says_how_much_would_fit():
    card = PriceCard(1_000_000, 3_000_000, 5, 4_096, 1)
    with pytest.raises(OverBudget) as caught:
        chat_limits(50, 1, 33, Caps(), card, Budget(100))
    assert dict(caught.value.details) == {
        "field": "max_tokens",
        "needed": 188,
        "budget": 100,
        "affordable_output": 20,
    }
    assert UINT128_MAX > 188


def test_a_promised_price_is_held_to_the_budget_to_the_unit():
    Budget(188).check(Allowance(50, 188))
    with pytest.raises(OverBudget) as caught:
        Budget(187).check(Allowance(50, 188))
    assert dict(caught.value.details) == {"needed": 188, "budget": 187}
