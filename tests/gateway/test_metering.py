"""The rules of metering against a slow and obvious model."""

from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usufruct.connectors.openai import Usage as Reported
from usufruct.connectors.openai import UsageFault
from usufruct.core import UINT128_MAX, Address
from usufruct.gateway import Asset, Caps, CountingRule, Endpoint, PricePeriod, Replica, plain_asset_id
from usufruct.gateway.metering import Budget, ceiling, longest_text, usage_of_part, usage_of_whole
from usufruct.gateway.request import Asked
from usufruct.payments import Allowance, OverBudget, OverContext, PriceCard, Usage, charge_up

PAY_TO = Address("0x" + "55" * 20)
tokens = st.integers(0, 5_000)
cards = st.builds(PriceCard, *[st.integers(0, 10**7)] * 2, st.integers(0, 1_000), st.integers(2, 5_000), st.just(1))
rules = st.builds(
    CountingRule, tolerance_ppm=st.sampled_from([0, 1, 100_000, 2_000_000]), spare_tokens=st.integers(0, 9)
)


def asset(card: PriceCard, caps: Caps) -> Asset:
    replicas = (Replica("http://localhost/v1", "m"),)
    return Asset("a", Endpoint.CHAT, PAY_TO, plain_asset_id("a", PAY_TO), replicas, (PricePeriod(card, 0),), caps=caps)


def asked(wanted: int | None, choices: int = 1) -> Asked:
    return Asked(model="a", body={}, texts=(), messages=1, choices=choices, wanted_output=wanted)


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
        allowance = ceiling(asked(wanted, choices), counted, asset(card, caps), card, budget)
    except OverContext:
        assert counted + 1 > card.context_window
    except OverBudget as refused:
        assert expected is None
        assert int(refused.details["budget"]) == most  # noqa: PT017 - one of three allowed endings
    else:
        assert allowance == Allowance(expected, price(card, counted, expected))


@given(card=cards, counted=tokens, inputs=st.integers(1, 5), budget=st.integers(0, 10**6))
def test_ceiling_of_embeddings(card, counted, inputs, budget):
    request = Asked(model="a", body={}, texts=(), messages=inputs, wanted_output=0)
    try:
        allowance = ceiling(request, counted, asset(card, Caps()), card, Budget(budget))
    except OverContext:
        assert counted > card.context_window * inputs
    except OverBudget:
        assert price(card, counted, 0) > budget
    else:
        assert allowance == Allowance(0, price(card, counted, 0))


@given(claimed=st.tuples(tokens, tokens), cached=tokens, counted=st.tuples(tokens, tokens), rule=rules)
def test_usage_of_a_whole_answer(claimed, cached, counted, rule):
    def passes(claim, own, spare):
        return claim > (own + spare) * (1 + Fraction(rule.tolerance_ppm, 1_000_000))

    pairs = list(zip(claimed, counted, strict=True))
    lied = any(passes(claim, own, rule.spare_tokens) for claim, own in pairs)
    expected = [own if lied and passes(claim, own, 0) else claim for claim, own in pairs]
    measured = usage_of_whole(Reported(*claimed, cached=cached), Usage(*counted), rule)
    assert (measured.usage, measured.flagged) == (Usage(*expected, min(cached, expected[0])), lied)
    assert measured.usage.output_tokens <= claimed[1]


@given(counted=st.tuples(tokens, tokens), rule=rules, fault=st.sampled_from([None, *UsageFault]))
def test_without_a_word_from_upstream_our_count_holds(counted, rule, fault):
    measured = usage_of_whole(fault, Usage(*counted), rule)
    assert (measured.usage, measured.flagged) == (Usage(*counted), fault is UsageFault.INVALID)


@given(claimed=st.none() | st.tuples(tokens, tokens), cached=tokens, delivered=st.tuples(tokens, tokens))
def test_what_was_not_delivered_is_not_charged(claimed, cached, delivered):
    measured = usage_of_part(claimed and Reported(*claimed, cached=cached), Usage(*delivered))
    expected = delivered if claimed is None else tuple(map(min, claimed, delivered))
    assert measured.usage == Usage(*expected, 0 if claimed is None else min(cached, expected[0]))
    assert not measured.flagged


@given(card=cards, usage=st.tuples(tokens, tokens), limit=st.integers(0, 10**6))
def test_a_charge_never_passes_its_ceiling(card, usage, limit):
    assert charge_up(Usage(*usage), card, limit) == min(limit, price(card, *usage))


def test_every_allowance_leaves_room_for_its_text():
    assert longest_text(Allowance(0, 0)) > 0
    assert longest_text(Allowance(1_000, 0)) >= 1_000 * 20


def test_the_refusal_says_how_much_would_fit():
    card = PriceCard(1_000_000, 3_000_000, 5, 4_096, 1)
    with pytest.raises(OverBudget) as caught:
        ceiling(asked(50), 33, asset(card, Caps()), card, Budget(100))
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
