from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usufruct.core import UINT256_MAX, Invalid, divide_down, divide_up, format_units, parse_units, parse_units_up

amounts = st.integers(min_value=0, max_value=UINT256_MAX)


@given(amounts, st.integers(min_value=1, max_value=UINT256_MAX))
def test_the_two_roundings_enclose_the_quotient(numerator, denominator):
    down, up = divide_down(numerator, denominator), divide_up(numerator, denominator)
    assert down * denominator <= numerator <= up * denominator
    assert up - down == (numerator % denominator != 0)


@given(amounts, st.integers(min_value=0, max_value=30))
def test_written_amounts_read_back_exactly(amount, decimals):
    assert parse_units(format_units(amount, decimals), decimals) == amount


@given(st.integers(0, 10**40), st.integers(0, 30), st.integers(0, 30))
def test_what_a_token_cannot_show_is_rounded_up(amount, written, decimals):
    exact = Fraction(amount * 10**decimals, 10**written)
    assert parse_units_up(format_units(amount, written), decimals) == ceil(exact)


@pytest.mark.parametrize("text", ["", ".", "-1", "1e3", "0x1"])
def test_no_amount_is_rounded(text):
    with pytest.raises(Invalid, match="threshold"):
        parse_units_up(text, 6, "threshold")


@pytest.mark.parametrize("text", ["", ".", "-1", "1.", ".5", "1e6", "0x10", "1.2345678", "1,000", " 1", "١", "1" * 90])
def test_what_is_no_amount_is_refused_with_the_field_named(text):
    with pytest.raises(Invalid, match="price") as error:
        parse_units(text, 6, field="price")
    assert error.value.code == "invalid_amount"


def test_amounts_at_the_edge_are_read():
    assert parse_units(str(UINT256_MAX), 0) == UINT256_MAX
    assert parse_units("0.000001", 6) == 1
    assert format_units(1_500_000, 6) == "1.5"
    assert format_units(-1, 6) == "-0.000001"
