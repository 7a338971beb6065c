"""Weights and caps, beside slow exact models."""

from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from usufruct.indices import weights
from usufruct.indices.caps import cap_shares
from usufruct.indices.errors import CapsInfeasible
from usufruct.indices.sums import latched, total, vector_total

sizes = st.floats(1e-3, 1e12)
some = st.lists(sizes, min_size=1, max_size=12)
cap_values = st.sampled_from([1.0, 0.5, 0.35, 0.3, 0.25, 0.2, 0.1])


def column(values: list[float]) -> np.ndarray:
    return np.array(values, dtype=float)[:, None]


def exact_caps(values: list[Fraction], caps: list[Fraction]) -> list[Fraction]:
    """Fill by hand: fix whoever is over, divide the rest, until nobody is over."""
    whole = sum(values)
    start = [each / whole for each in values]
    shares, fixed = list(start), set()
    while over := {at for at, each in enumerate(shares) if at not in fixed and each > caps[at]}:
        fixed |= over
        room = 1 - sum(caps[at] for at in fixed)
        free = sum(each for at, each in enumerate(start) if at not in fixed)
        shares = [caps[at] if at in fixed else each * room / free for at, each in enumerate(start)]
    return shares


@given(some, cap_values, cap_values)
@settings(max_examples=150)
def test_caps_are_met_as_the_exact_model_does(values: list[float], each: float, other: float):
    each, largest = min(each, other), max(each, other)
    shares = weights.by_market_cap(column(values), np.ones((len(values), 1), dtype=bool))
    found = cap_shares(shares, each, largest)
    exact = [Fraction(value) for value in shares[:, 0]]
    top = int(np.argmax(shares))
    bounds = [Fraction(largest if at == top else each) for at in range(len(values))]
    if sum(bounds) < 1 - Fraction(1, 10**12):
        assert found.relaxed[0]
        assert abs(found.shares.sum() - 1) < 1e-12
        assert found.shares.max() <= max(largest, 1 / len(values)) + 1e-12
        assert sorted(found.shares[:, 0])[:-1] == pytest.approx([min(found.shares[:, 0])] * (len(values) - 1))
        return
    assert not found.relaxed[0]
    assert found.shares[:, 0] == pytest.approx([float(e) for e in exact_caps(exact, bounds)], abs=1e-9)
    assert all(share <= float(bound) + 1e-12 for share, bound in zip(found.shares[:, 0], bounds, strict=True))


@given(arrays(float, (6, 5), elements=st.floats(0.001, 1e6)), st.sampled_from([0.2, 0.3, 0.5]))
@settings(max_examples=60)
def test_a_column_has_the_same_bytes_alone_and_beside_others(values: np.ndarray, each: float):
    shares = weights.shares_of(values)
    together = cap_shares(shares, each).shares
    for at in range(values.shape[1]):
        one = weights.shares_of(np.ascontiguousarray(values[:, at : at + 1]))
        assert cap_shares(one, each).shares.tobytes() == np.ascontiguousarray(together[:, at : at + 1]).tobytes()


def test_caps_that_cannot_be_met_are_refused_where_the_rulebook_refuses():
    shares = weights.shares_of(column([5.0, 3.0, 2.0]))
    with pytest.raises(CapsInfeasible, match=r"3 assets cannot be at most 0\.2 each; raise weights\.each_at_most"):
        cap_shares(shares, 0.2, refuse=True)
    assert cap_shares(shares, 0.2).shares[:, 0] == pytest.approx([1 / 3] * 3)
    assert cap_shares(shares, 0.2, 0.5).shares[:, 0] == pytest.approx([0.5, 0.25, 0.25])


@given(some, st.data())
@settings(max_examples=80)
def test_rules_are_what_they_say(values: list[float], data: st.DataObject):
    members = data.draw(st.lists(st.booleans(), min_size=len(values), max_size=len(values)).filter(any))
    mask = np.array(members)[:, None]
    with localcontext() as context:
        context.prec = 50
        chosen = [Decimal(value) if member else Decimal(0) for value, member in zip(values, members, strict=True)]
        models = {
            "cap": list(chosen),
            "root": [each.sqrt() for each in chosen],
            "equal": [Decimal(int(each > 0)) for each in chosen],
            "inverse": [1 / each if each else each for each in chosen],
            "variance": [1 / each**2 if each else each for each in chosen],
        }
        found = {
            "cap": weights.by_market_cap(column(values), mask),
            "root": weights.by_square_root(column(values), mask),
            "equal": weights.equal(mask),
            "inverse": weights.by_inverse_volatility(column(values), mask),
            "variance": weights.by_inverse_volatility(column(values), mask, 2),
        }
        for name, scores in models.items():
            exact = [float(each / sum(scores)) for each in scores]
            assert found[name][:, 0] == pytest.approx(exact, rel=1e-12, abs=1e-15), name


def test_momentum_weighs_rises_and_nothing_that_fell():
    past = np.array([[0.3, -0.1], [0.1, -0.2], [-0.5, -0.3]])
    mask = np.ones((3, 2), dtype=bool)
    found = weights.by_momentum(past, mask)
    assert found[:, 0] == pytest.approx([0.75, 0.25, 0.0])
    assert found[:, 1] == pytest.approx([1 / 3] * 3), "where all fell, equal shares"


@given(st.integers(0, 2**32 - 1), st.integers(2, 12))
@settings(max_examples=25, deadline=None)
def test_risk_parity_gives_each_asset_the_same_part_of_the_variance(seed: int, count: int):
    returns = np.random.default_rng(seed).normal(0, 0.03, (120, count)) * np.linspace(0.2, 2, count)
    returns += np.random.default_rng(seed + 1).normal(0, 0.02, (120, 1))
    covariance = weights.covariance(returns)
    assert covariance == pytest.approx(np.atleast_2d(np.cov(returns.T)), rel=1e-9, abs=1e-15)
    found = weights.by_risk_parity(covariance)
    parts = found * (covariance @ found)
    assert parts == pytest.approx([parts.mean()] * count, rel=1e-8)
    assert found.sum() == pytest.approx(1)
    assert (found > 0).all()


@given(st.integers(0, 2**32 - 1), st.sampled_from([(3, 1), (100, 1), (257, 2), (9, 5), (300, 8)]))
@settings(max_examples=40)
def test_sums_are_added_one_after_the_other(seed: int, shape: tuple[int, int]):
    values = np.random.default_rng(seed).random(shape)
    slow = [0.0] * shape[1]
    for row in values.tolist():
        slow = [a + b for a, b in zip(slow, row, strict=True)]
    assert total(values).tolist() == slow
    assert total(np.asfortranarray(values)).tolist() == slow
    assert vector_total(np.ascontiguousarray(values[:, 0])) == slow[0]
    wider = np.zeros((2 * shape[0], shape[1]))
    wider[1::2] = values
    assert total(wider).tolist() == slow, "assets of weight 0 change no sum"


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=30), st.booleans())
@settings(max_examples=60)
def test_a_latch_stays_until_it_is_switched(signals: list[tuple[bool, bool]], start: bool):
    state, slow = start, []
    for on, off in signals:
        state = False if off else (True if on else state)
        slow.append(state)
    on, off = (np.array([each[at] for each in signals], dtype=bool)[None, :] for at in (0, 1))
    assert latched(on, off, start=start)[0].tolist() == slow
