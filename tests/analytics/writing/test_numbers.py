"""Numbers of a model's words beside the figures that it had."""

from decimal import ROUND_HALF_EVEN, Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from usufruct.analytics.writing.numbers import unknown_numbers

FIGURES = (
    "Layer Nine (L9X) costs $1,234.50 on 2026-01-31, +104.3 % in 7 days and -2.9 % in 30 days. Its overall grade is 61 "
    "of 100 (buy). By market cap, $1.32 trillion, it is number 4. Sharpe ratio is -0.75. One of 1inch and 3X is near."
)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "It costs $1,234.50.",
        "It costs 1234.50 dollars, or about **$1,235**; ~1,234.5!",
        "On 2026-01-31 it was up 104.3%, or 104.3 %, or +104 percent, in 7 days.",
        "A 7-day rise; a 30-day fall of 2.9 per cent (−2.9 %).",
        "Grade 61/100, number 4, worth $1.32 trillion, $1.3 trillion or $1,320 billion.",
        "L9X, 1inch and 3x were named.",
        "The ratio is -0.75.",
        "Nothing with numbers in it.",
    ],
)
def test_figures_are_known_however_they_are_written(text: str):
    assert unknown_numbers(text, FIGURES) == []


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("It will cost $2,000.", ["$2,000"]),
        ("It costs $1,234.60.", ["$1,234.60"]),
        ("It costs about $1,200.", ["$1,200"]),  # a rounding that does not say where it ends
        ("It fell -104.3 %.", ["-104.3"]),
        ("It rose +2.9 %.", ["+2.9"]),
        ("Grade 61 %, $61, €1,234.50.", ["61", "$61", "€1,234.50"]),
        ("Grade 104.3.", ["104.3"]),
        ("Worth $1.32 billion.", ["$1.32"]),
        ("Worth $1 trillion.", ["$1"]),
        ("Top 3 of 5, and 2.9 per day.", ["3", "5", "2.9"]),
        ("On 2026-02-01 and in 2027.", ["2026-02-01", "2027"]),
        ("61/99 and 30-2026", ["61/99", "30-2026"]),
        ("10x by Q3", ["10x", "Q3"]),
        ("half: ½, square: 10²", ["½", "10²"]),
        ("٣ and ５", ["٣", "５"]),
        ("1.234,50 and 1,2345", ["1.234,50", "1,2345"]),
        ("61/", ["61/"]),
    ],
)
def test_every_other_number_is_named(text: str, unknown: list[str]):
    assert unknown_numbers(text, FIGURES) == unknown


@given(st.decimals(0, 10**12, places=4), st.integers(0, 4), st.booleans())
def test_a_number_may_be_rounded_to_two_digits_or_more(value: Decimal, places: int, per_cent: bool):
    unit = " %" if per_cent else ""
    rounded = value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN)
    digits = len(str(int(rounded.scaleb(places))))
    known = unknown_numbers(f"about {rounded:,}{unit}.", f"is {value}{unit}") == []
    assert known == (rounded == value or digits >= 2)


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_another_whole_number_is_unknown(value: int, other: int):
    assume(value != other)
    assert unknown_numbers(f"{other:,}", f"{value:,}") == [f"{other:,}"]


@given(st.text(), st.text())
def test_any_text_is_judged(text: str, figures: str):
    unknown_numbers(text, figures)
    assert unknown_numbers("No number.", figures) == []
