"""What follows from an index: overlays, positions and their tax lots."""

import csv
from collections import deque
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.small_markets import small_market
from usufruct.indices import (
    Backtest,
    Position,
    Rulebook,
    apply_overlay,
    history_of,
    open_position,
    run_index,
    tax_lots_csv,
)
from usufruct.indices.errors import InvalidPosition
from usufruct.indices.history import IndexHistory
from usufruct.indices.lots import Lot
from usufruct.indices.overlays import core_satellite, overlay_values, stop_and_size
from usufruct.indices.rulebook import Overlay


def backtest(seed: int = 1, **sections) -> Backtest:
    standard = {"name": "mine", "title": "Mine", "selection": {"count": 6}}
    return run_index(Rulebook.model_validate(standard | sections), small_market(seed))


def test_a_stop_loss_sells_the_day_after_and_comes_back():
    values = np.array([100, 110, 99, 90, 80, 88, 96.8])
    found = stop_and_size(values, Overlay(stop_loss=0.1, re_entry_days=2), 0.0, 100.0)
    assert found.stops == (2,)
    assert found.exposure.tolist() == [1, 1, 1, 0, 0, 1, 1]
    assert found.nav == pytest.approx([100, 110, 99, 90, 90, 90, 99])


def test_a_position_size_keeps_the_rest_in_cash():
    found = stop_and_size(np.array([100.0, 200.0]), Overlay(position_size=0.25), 0.0, 100.0)
    assert found.nav.tolist() == [100, 125]


def test_a_core_stands_beside_the_index_and_goes_back_to_its_share():
    core, satellite = np.array([1, 2, 2, 2.0]), np.array([1, 1, 1, 2.0])
    values, shares, went_back = core_satellite(core, satellite, 0.5, 1, 0.0)
    assert values.tolist() == [1, 1.5, 1.5, 2.25]
    assert shares.tolist() == [0.5] * 4
    assert went_back == (1, 2, 3)
    values, shares, went_back = core_satellite(core, satellite, 0.5, 100, 0.0)
    assert values.tolist() == [1, 1.5, 1.5, 2.0]
    assert shares.tolist() == pytest.approx([0.5, 2 / 3, 2 / 3, 0.5])
    assert went_back == ()
    assert core_satellite(core, satellite, 0.5, 1, 0.01)[0][1] == pytest.approx(1.5 * (1 - 0.01 * 1 / 3))


def test_an_overlay_of_a_rulebook_is_applied():
    plain = backtest()
    name = plain.data.panel.assets[6].id
    found = apply_overlay(backtest(overlay={"core": (name, 0.5), "stop_loss": 0.2, "position_size": 0.8}))
    assert len(found.nav) == len(plain.nav)
    assert found.exposure.max() < 1
    assert (apply_overlay(plain).nav == plain.nav).all(), "without an overlay nothing changes"


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(
    "sections",
    [{}, {"delisting": {"after_days": 3, "value": "zero"}, "costs": {"fee_bps": 50.0}},
     {"trading": {"minimum_trade": 0.02}, "regime": {"window_days": 20, "minimum_hold_days": 5}}],
)  # fmt: skip
def test_a_position_follows_the_index_and_its_lots_reconcile(seed: int, sections: dict):
    found = history_of(backtest(seed, **sections))
    position = open_position(found, 5_000.0, found.day(9))
    bought = 5_000.0 / (1 + found.rulebook.costs.rate * (1 - found.weights_at(9)[1]))
    assert position.value == pytest.approx(bought * found.nav[-1] / found.nav[9], rel=1e-9)
    check_lots(position)


OVERLAYS = st.builds(
    Overlay,
    position_size=st.sampled_from([0.25, 0.8, 1.0]),
    stop_loss=st.sampled_from([0.0, 0.03, 0.1]),
    re_entry_days=st.integers(1, 12),
    core=st.none() | st.tuples(st.just("largest"), st.sampled_from([0.3, 1.0])),
    core_every_days=st.integers(1, 20),
)


@given(OVERLAYS, st.integers(1, 3), st.integers(9, 60), st.booleans())
@settings(max_examples=60, deadline=None)
def test_a_position_with_an_overlay_is_worth_what_the_overlay_says(overlay: Overlay, seed: int, at: int, outside: bool):
    found = history_of(backtest(seed))
    if overlay.core is not None:
        overlay = overlay.model_copy(update={"core": (core_of(found, at, outside=outside), overlay.core[1])})
    position = open_position(found, 1_000.0, found.day(at), overlay)
    core, rate = None, found.rulebook.costs.rate
    if overlay.core is not None:
        prices = found.valued[[each.id for each in found.assets].index(overlay.core[0]), at:]
        core = prices / prices[0]
    expected = overlay_values(found.nav[at:], overlay, rate, float(position.values.nav[0]), core)
    assert position.values.nav == pytest.approx(expected.nav, rel=1e-12)
    assert position.stops == tuple(found.day(at + each) for each in expected.stops)
    assert position.cash + sum(each.value for each in position.holdings) == pytest.approx(position.value)
    if expected.exposure[-1] == 0:
        assert not position.holdings
        assert position.cash == position.value
    check_lots(position)


def core_of(found: IndexHistory, at: int, *, outside: bool) -> str:
    """Return an asset with a price on a day that the index held, or else never did, if there is one."""
    ever = found.held.any(axis=1) != outside
    chosen = np.flatnonzero(ever & (found.valued[:, at] > 0)).tolist() or np.flatnonzero(found.valued[:, at] > 0)
    return found.assets[chosen[-1]].id


def slow_lots(position: Position) -> list[Lot]:
    """Match lots one after the other: the obvious way."""
    found, last = [], position.history.valued[:, -1]
    for row, asset in enumerate(position.history.assets):
        queue: deque[list[Any]] = deque()
        has = 0.0
        for day, wanted, price in zip(position.traded, position.units[row], position.prices[row], strict=True):
            change = wanted - has if abs(wanted - has) > 1e-9 * wanted else 0.0
            if change > 0:
                queue.append([day, change, price])
            while change < 0 and queue:
                part = min(queue[0][1], -change)
                found.append(Lot(asset.id, queue[0][0], day, part, part * queue[0][2], part * price))
                queue[0][1] -= part
                change += part
                if not queue[0][1]:
                    queue.popleft()
            has = wanted
        found += [Lot(asset.id, day, None, units, units * price, units * last[row]) for day, units, price in queue]
    return found


def check_lots(position: Position) -> None:
    lots = position.lots()
    gains = sum(each.gain for each in lots)
    assert gains - position.costs == pytest.approx(position.profit, rel=1e-9, abs=1e-6)
    assert all(each.sold is None or each.bought <= each.sold for each in lots)
    held: dict[str, float] = {}
    for each in lots:
        if each.sold is None:
            held[each.asset] = held.get(each.asset, 0.0) + each.units
    assert held == pytest.approx({each.asset.id: each.units for each in position.holdings if each.units}, rel=1e-6)
    rows = list(csv.reader(tax_lots_csv(lots).splitlines()))
    assert rows[0] == ["asset", "bought", "sold", "units", "cost", "proceeds", "gain"]
    assert float(rows[-1][-1]) == pytest.approx(sum(float(each[-1]) for each in rows[1:-1]), abs=1e-4)
    for asset in {each.asset for each in lots}:
        days = [each.bought for each in lots if each.asset == asset and each.sold]
        assert days == sorted(days), "first in, first out"
    assert sums(lots) == pytest.approx(sums(slow_lots(position)), rel=1e-6, abs=1e-6)


def sums(lots: list[Lot]) -> dict[tuple[str, str, str], float]:
    """Return the proceeds by asset, purchase and sale, without crumbs of rounding."""
    found: dict[tuple[str, str, str], float] = {}
    for each in lots:
        key = each.asset, str(each.bought), str(each.sold)
        found[key] = found.get(key, 0.0) + each.proceeds
    return {key: value for key, value in found.items() if value > 1e-5}


def test_an_asset_in_lots_is_no_formula():
    lot = Lot('=HYPERLINK("http://x")', date(2024, 1, 1), None, 1.0, 1.0, 1.0)
    assert list(csv.reader(tax_lots_csv([lot]).splitlines()))[1][0] == '\'=HYPERLINK("http://x")'


def test_lots_for_spreadsheets_of_languages_with_a_decimal_comma():
    lots = open_position(history_of(backtest()), 1_000.0).lots()
    rows = list(csv.reader(tax_lots_csv(lots, ";").splitlines(), delimiter=";"))
    plain = list(csv.reader(tax_lots_csv(lots).splitlines()))
    assert [[each.replace(",", ".") for each in row] for row in rows] == plain
    assert "," in rows[1][3]


@pytest.mark.parametrize("seed", [1, 2])
def test_a_history_has_the_engines_prices_and_weights(seed: int):
    found = backtest(seed, delisting={"after_days": 3, "value": "zero"})
    history = history_of(found)
    assert [each.id for each in history.assets[: len(found.ids())]] == list(found.ids())
    for at in range(0, len(found.nav), 7):
        assert history.valued[: len(found.ids()), at].tolist() == found.valued_at(found.first + at).tolist()
    for number, at in enumerate(history.traded.tolist()):
        weights, cash = history.weights_at(at)
        assert weights[: len(found.ids())] == pytest.approx(found.held[:, number])
        assert cash == pytest.approx(float(found.cash[number]))


def test_a_position_is_refused_outside_the_index_or_without_money():
    found = history_of(backtest())
    with pytest.raises(InvalidPosition, match="choose a day from 2024-01-02 to"):
        open_position(found, 100.0, found.first_day)
    with pytest.raises(InvalidPosition, match="amount is -1; it must be more than 0"):
        open_position(found, -1.0)
    with pytest.raises(InvalidPosition, match="'nothing' cannot be the core; choose an asset that the index held"):
        open_position(found, 1.0, None, Overlay(core=("nothing", 0.5)))
    late = found.assets[int(np.flatnonzero(found.valued[:, 1] == 0)[0])].id
    with pytest.raises(InvalidPosition, match=f"{late} had no price on 2024-01-02; choose a later day"):
        open_position(found, 1.0, found.day(1), Overlay(core=(late, 0.5)))


def test_a_position_knows_the_next_decision():
    found = history_of(backtest())
    assert open_position(found, 100.0, found.last_day).next_decision == date(2024, 5, 6)
    calendar = found.rulebook.calendar.model_copy(update={"every": "never"})
    never = replace(found, rulebook=found.rulebook.model_copy(update={"calendar": calendar}))
    assert open_position(never, 100.0, found.last_day).next_decision is None
