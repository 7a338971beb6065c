"""What a part of an answer costs, in the text tokens of an upstream that counts in another way than we do."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usufruct.assets import Caps
from usufruct.connectors.openai import Usage as Reported
from usufruct.core.price_cards import PriceCard
from usufruct.gateway import CountingRule
from usufruct.gateway.operations.text_metering import (
    LATEST,
    MOST_BYTES,
    Counted,
    Scale,
    Scales,
    convert_down,
    usage_of_part,
    usage_of_whole,
)
from usufruct.payments.pricing.charges import price_up

RULE = CountingRule()
CARD = PriceCard(10_000_000, 30_000_000, 0, 1 << 20, 1)
"""10 atomic units for a text token of input, 30 for one of output."""


def scales(rule: CountingRule = RULE) -> Scales:
    return Scales(rule)


def tokens(units: int, per_token: Fraction, marks: int) -> int:
    """What an upstream makes of a text: a mark at its end, and a part of a token is one."""
    return -(-units * per_token.denominator // per_token.numerator) + marks


def cost_of_whole(known: Scales, text: int, output: int, per_token: Fraction, marks: int) -> int:
    reported = Reported(tokens(text, per_token, marks), tokens(output, per_token, marks))
    return price_up(usage_of_whole(reported, Counted(text, 24, output, known), RULE, Caps()).usage, CARD)


def cost_of_part(known: Scales, text: int, output: int) -> int:
    return price_up(usage_of_part(None, Counted(text, 24, output, known), Fraction(1), RULE).usage, CARD)


densities = st.fractions(1, MOST_BYTES, max_denominator=50)
sizes = st.integers(1, 20_000)


@given(
    per_token=densities,
    marks=st.integers(0, 1),
    seen=st.lists(st.tuples(st.integers(300, 9_000), st.integers(300, 9_000)), min_size=1, max_size=4),
    text=sizes,
    output=sizes,
    data=st.data(),
)
def test_a_broken_answer_never_costs_more_than_the_same_answer_whole(per_token, marks, seen, text, output, data):
    """For whatever upstream, once it has answered whole: its text tokens may have any length."""
    known = scales()
    for each in seen:
        cost_of_whole(known, *each, per_token, marks)
    part = data.draw(st.integers(1, output))
    assert cost_of_part(known, text, part) <= cost_of_whole(known, text, output, per_token, marks)


@given(per_token=st.fractions(1, 8, max_denominator=50), text=st.integers(100, 9_000), output=sizes, data=st.data())
def test_nor_does_the_first_of_an_upstream_whose_text_tokens_are_of_a_usual_length(per_token, text, output, data):
    part = data.draw(st.integers(1, output))
    assert cost_of_part(scales(), text, part) <= cost_of_whole(scales(), text, output, per_token, 0)


@given(text=sizes, output=sizes, data=st.data(), rule=st.sampled_from([RULE, CountingRule("", bytes_per_token_ppm=5)]))
def test_nor_of_an_upstream_that_never_reports(text, output, data, rule):
    part = data.draw(st.integers(1, output))
    whole = usage_of_whole(None, Counted(text, 24, output, scales(rule)), rule, Caps())
    assert cost_of_part(scales(rule), text, part) <= price_up(whole.usage, CARD)


@given(whole=st.tuples(st.integers(0, 5_000), st.integers(0, 5_000)), sizes=st.tuples(sizes, sizes))
def test_nor_where_the_upstream_came_to_its_end_without_the_caller(whole, sizes):
    part, output = sorted(sizes)
    known = usage_of_whole(Reported(*whole), Counted(9_000, 24, output, scales()), RULE, Caps())
    broken = usage_of_part(known, Counted(9_000, 24, part, scales()), Fraction(part, output), RULE)
    assert price_up(broken.usage, CARD) <= price_up(known.usage, CARD)


@given(per_token=densities, output=st.integers(1_000, 9_000), part=st.integers(2_000, 9_000))
def test_a_part_costs_what_its_text_tokens_cost(per_token, output, part):
    known = scales()
    cost_of_whole(known, 1_000, output, per_token, 0)
    estimate = Counted(0, 0, part, known).part.output_tokens
    assert estimate <= tokens(part, per_token, 0)
    assert estimate >= tokens(part, per_token, 0) * (1 - Fraction(9, output // MOST_BYTES)) - 2


@pytest.mark.parametrize(("words", "charge"), [(20, 2_040), (50, 4_740), (90, 8_340)])
def test_the_hundred_words_of_the_finding(words, charge):
    """100 words of 18 bytes, three text tokens each, asked by 24: whole they cost 9,240."""
    known = scales()
    whole = usage_of_whole(Reported(24, 300), Counted(75, 24, 1_800, known), RULE, Caps())
    assert price_up(whole.usage, CARD) == 9_240
    broken = usage_of_part(None, Counted(75, 24, 18 * words, known), Fraction(1), RULE)
    assert 0.97 * charge <= price_up(broken.usage, CARD) <= charge
    left = usage_of_part(whole, Counted(75, 24, 18 * words, known), Fraction(18 * words, 1_800), RULE)
    assert price_up(left.usage, CARD) == charge


def test_a_scale_forgets_and_no_blank_text_makes_the_next_free():
    scale = Scale(RULE)
    scale.learn(64_000, 1_000)
    assert convert_down(1_600, scale.part) == 100  # MOST_BYTES
    for _ in range(LATEST):
        scale.learn(4_000, 1_000)
    assert convert_down(4_000, scale.part) == 998
    assert convert_down(4_000, scale.whole) == 1_000


def test_what_says_little_is_not_learnt():
    scale = Scale(RULE)
    for units, reported in [(20, 2), (0, 0), (5, 0), (8, 9), (100, 7)]:
        scale.learn(units, reported)
    assert convert_down(800, scale.part) == 100
    assert convert_down(800, scale.whole) == 200


def test_hidden_reasoning_says_nothing_about_text():
    known = scales()
    Counted(90, 0, 400, known).learn(Reported(30, 300, reasoning=200), reasoning=200)
    assert convert_down(400, known.output.whole) == 100


def test_what_was_measured_at_the_offer_holds_until_answers_show_more():
    scale = Scale(CountingRule(bytes_per_token_ppm=5_500_000))
    assert convert_down(5_500, scale.part) == convert_down(5_500, scale.whole) == 1_000
    scale.learn(4_000, 1_000)
    assert convert_down(4_000, scale.whole) == 1_000


@given(st.lists(st.tuples(st.integers(8, 9_000), st.integers(8, 9_000)), min_size=1, max_size=2 * LATEST))
def test_the_scale_of_parts_is_the_widest_of_the_latest_but_for_an_eighth(pairs):
    """Against the slow and obvious way."""
    scale = Scale(RULE)
    seen = []
    for units, reported in pairs:
        scale.learn(units, reported)
        if units >= reported:
            seen = [*seen, Fraction(units, reported - 2) if units > reported else Fraction(1)][-LATEST:]
    if seen:
        left_out = 0 if len(seen) < 3 else max(1, len(seen) // 8)
        widest = min(sorted(seen)[-1 - left_out], Fraction(MOST_BYTES))
        assert scale.part == widest


ordinary = st.lists(st.tuples(st.integers(100, 2_000), st.fractions(3, 5, max_denominator=20)), min_size=2, max_size=40)


@given(seen=ordinary, odd=st.tuples(st.integers(8, 9_000), densities | st.just(Fraction(128))), data=st.data())
def test_one_odd_answer_moves_the_scale_of_parts_no_further_than_ordinary_ones_do(seen, odd, data):
    """One that is hostile, or all blanks: once it set the price of every broken answer for the next 32."""
    answers = [(reported, per_token, False) for reported, per_token in seen]
    answers.insert(data.draw(st.integers(0, len(seen))), (*odd, True))
    scale = Scale(RULE)
    for reported, per_token, _ in answers:
        scale.learn(int(reported * per_token), reported)
    shown = [Fraction(int(reported * each), reported - 2) for reported, each, is_odd in answers[-LATEST:] if not is_odd]
    assert min(shown) <= scale.part <= max(shown)


@given(seen=ordinary, odd=st.integers(1, 3), data=st.data())
def test_a_part_of_an_ordinary_answer_costs_no_more_than_the_whole_whatever_an_odd_one_showed(seen, odd, data):
    """As an outlier cannot lower the price of parts, none can raise it: seven answers in eight are ordinary."""
    known = scales()
    for reported, _ in seen:
        known.output.learn(5 * reported, reported)
    known.output.learn(500 * odd, 500)
    output = data.draw(st.integers(1, 20_000))
    part = data.draw(st.integers(1, output))
    assert cost_of_part(known, 0, part) <= cost_of_whole(known, 0, output, Fraction(5), 0)


@given(units=st.integers(0, 10**6), part=st.integers(1, 10**6), whole=st.integers(1, 10**6))
def test_nothing_becomes_more_by_conversion(units, part, whole):
    scale = Scale(RULE)
    scale.learn(max(part, whole), min(part, whole))
    for ratio in (scale.part, scale.whole):
        assert convert_down(units, ratio) <= units
        assert bool(convert_down(units, ratio)) is bool(units)
