"""How far shares are in few hands, beside exact fractions."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usufruct.service_data.concentration import concentration


@given(st.lists(st.integers(0, 10**26), max_size=30))
def test_it_is_what_exact_fractions_say(amounts: list[int]):
    found = concentration(amounts)
    held = sorted((each for each in amounts if each), reverse=True)
    if not held:
        assert found is None
        return
    assert found is not None
    parts = [Fraction(each, sum(held)) for each in held]
    assert found.holders == len(held)
    assert found.largest == pytest.approx(float(parts[0]))
    assert found.ten_largest == pytest.approx(float(sum(parts[:10])))
    assert found.herfindahl == pytest.approx(float(sum(each**2 for each in parts)))
    assert 1 / len(held) - 1e-9 <= found.herfindahl <= found.largest <= found.ten_largest + 1e-9 <= 1 + 2e-9
