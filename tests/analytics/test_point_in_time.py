"""What is computed for a day is a function of what was known on it: later rows change no byte of it."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.market_panels import made_panel, with_future
from usufruct.analytics.grades import PARTS, grade, input_digests
from usufruct.analytics.market import compute_market_metrics
from usufruct.analytics.moonshots import find_moonshots
from usufruct.analytics.signals import compute_signals
from usufruct.connectors.prices import Panel

FutureOf = Callable[[Panel, Panel, np.random.Generator], Panel]


def appended(past: Panel, other: Panel, random: np.random.Generator) -> Panel:
    return with_future(past, other, newcomers=3)


def shuffled(past: Panel, other: Panel, random: np.random.Generator) -> Panel:
    rows = random.permutation(other.days)
    mixed = Panel(other.first_day, other.assets, other.close[rows], other.market_cap[rows], other.volume[rows])
    return with_future(past, mixed)


def everything(panel: Panel) -> dict[str, np.ndarray]:
    grades = grade(panel, parts=PARTS)
    found = {name: getattr(grades, name) for name in grades.__slots__ if name not in {"parts", "latest"}} | grades.parts
    traded = compute_signals(panel.close, grades.trader)
    market = compute_market_metrics(panel, grades.trader)
    found |= {name: getattr(traded, name) for name in traded.__slots__}
    return found | {f"market {name}": getattr(market, name)[:, None] for name in market.__slots__}


@pytest.mark.parametrize("future", [appended, shuffled])
@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 1_000), days=st.integers(100, 450), columns=st.integers(2, 9))
def test_no_future_changes_a_byte_of_the_past(future: FutureOf, seed: int, days: int, columns: int):
    past, other = made_panel(days, columns, seed), made_panel(120, max(3, columns), seed + 1)
    longer = future(past, other, np.random.default_rng(seed))
    now, later = everything(past), everything(longer)
    assert now.keys() == later.keys()
    for name, values in now.items():
        there = later[name][:days, : values.shape[1]]
        assert there.tobytes() == np.ascontiguousarray(values).tobytes(), name
    assert input_digests(longer)[:days] == input_digests(past)


@pytest.mark.parametrize("future", [appended, shuffled])
def test_a_moonshot_that_ended_is_not_rewritten(future: FutureOf):
    past, other = made_panel(600, 60, 5), made_panel(120, 60, 6)
    longer = future(past, other, np.random.default_rng(1))
    ended = [each for each in find_moonshots(past, grade(past).trader) if each.ended is not None]
    assert len(ended) > 3
    later = find_moonshots(longer, grade(longer).trader)
    assert all(each in later for each in ended)


def test_every_input_is_in_its_digest():
    panel = made_panel(80, 4)
    before = input_digests(panel)
    for name in ("close", "market_cap", "volume"):
        getattr(panel, name)[40, 2] += 1.0
        changed = input_digests(panel)
        assert changed[:40] == before[:40]
        assert all(old != new for old, new in zip(before[40:], changed[40:], strict=True))
        before = changed
