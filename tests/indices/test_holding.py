"""What follows from an index: overlays, orders, vault weights, positions and their tax lots."""

import csv
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.small_markets import small_market
from usufruct.core import Invalid
from usufruct.indices import (
    Backtest,
    Rulebook,
    apply_overlay,
    exchange_orders,
    last_prices,
    open_position,
    run_index,
    target_weights,
    tax_lots_csv,
    vault_weights,
)
from usufruct.indices.overlays import core_satellite, stop_and_size
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
    assert core_satellite(core, satellite, 0.5, 1, 0.0).tolist() == [1, 1.5, 1.5, 2.25]
    assert core_satellite(core, satellite, 0.5, 100, 0.0).tolist() == [1, 1.5, 1.5, 2.0]
    assert core_satellite(core, satellite, 0.5, 1, 0.01)[1] == pytest.approx(1.5 * (1 - 0.01 * 1 / 3))


def test_an_overlay_of_a_rulebook_is_applied():
    plain = backtest()
    name = plain.data.panel.assets[6].id
    found = apply_overlay(backtest(overlay={"core": (name, 0.5), "stop_loss": 0.2, "position_size": 0.8}))
    assert len(found.nav) == len(plain.nav)
    assert found.exposure.max() < 1
    assert (apply_overlay(plain).nav == plain.nav).all(), "without an overlay nothing changes"


@given(st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.floats(1e-6, 1), min_size=1, max_size=20))
@settings(max_examples=100)
def test_vault_weights_sum_to_the_whole(targets: dict[str, float]):
    found = vault_weights(targets)
    assert sum(found.values()) == 10**18
    whole = sum(targets.values())
    for asset, weight in targets.items():
        assert found[asset] / 10**18 == pytest.approx(weight / whole, abs=1e-12)


def test_orders_bring_a_holding_to_the_targets():
    found = backtest(3)
    targets, prices = target_weights(found), last_prices(found)
    symbols = {each.id: each.symbol for each in found.data.panel.assets}
    gone = next(each for each in prices if each not in targets)
    held = {gone: 50 / prices[gone], max(targets, key=targets.__getitem__): 1.0}
    orders = exchange_orders(targets, held, prices, symbols, 10_000.0)
    sides = [each.side for each in orders]
    assert sides == sorted(sides, reverse=True), "sells first: they pay for the buys"
    after = dict(held)
    for order in orders:
        sign = 1 if order.side == "buy" else -1
        after[order.asset] = after.get(order.asset, 0.0) + sign * order.amount
        assert order.symbol == f"{symbols[order.asset]}/USDT"
    assert after[gone] == 0
    for asset, weight in targets.items():
        assert after.get(asset, 0.0) * prices[asset] == pytest.approx(weight * 10_000, abs=10)
    with pytest.raises(Invalid, match="there is no price of nothing"):
        exchange_orders(targets, {"nothing": 1.0}, prices, symbols, 100.0)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(
    "sections",
    [{}, {"delisting": {"after_days": 3, "value": "zero"}, "costs": {"fee_bps": 50.0}},
     {"trading": {"minimum_trade": 0.02}, "regime": {"window_days": 20, "minimum_hold_days": 5}}],
)  # fmt: skip
def test_a_position_follows_the_index_and_its_lots_reconcile(seed: int, sections: dict):
    found = backtest(seed, **sections)
    opened = found.first_day + timedelta(days=9)
    position = open_position(found, 5_000.0, opened)
    bought = 5_000.0 / (1 + found.rulebook.costs.rate * (1 - position_cash(found, opened)))
    assert position.value == pytest.approx(bought * found.nav[-1] / found.nav[9], rel=1e-9)
    gains = sum(each.gain for each in position.lots)
    assert gains - position.costs == pytest.approx(position.profit, rel=1e-9, abs=1e-6)
    assert all(each.sold is None or each.bought <= each.sold for each in position.lots)
    rows = list(csv.reader(tax_lots_csv(position).splitlines()))
    assert rows[0] == ["asset", "bought", "sold", "units", "cost", "proceeds", "gain"]
    assert float(rows[-1][-1]) == pytest.approx(sum(float(each[-1]) for each in rows[1:-1]), abs=1e-4)
    for asset in {each.asset for each in position.lots}:
        days = [each.bought for each in position.lots if each.asset == asset and each.sold]
        assert days == sorted(days), "first in, first out"


def position_cash(found: Backtest, day: date) -> float:
    at = int(np.searchsorted(found.traded_on, found.data.panel.row(day), side="right")) - 1
    return float(found.cash[at])


def test_a_position_is_refused_outside_the_index_or_without_money():
    found = backtest()
    with pytest.raises(Invalid, match="choose a day from 2024-01-02 to"):
        open_position(found, 100.0, found.first_day)
    with pytest.raises(Invalid, match="an amount must be positive"):
        open_position(found, -1.0, found.last_day)


def test_a_position_knows_the_next_decision():
    found = backtest()
    assert open_position(found, 100.0, found.last_day).next_decision == date(2024, 5, 6)
    never = replace(
        found,
        rulebook=found.rulebook.model_copy(
            update={"calendar": found.rulebook.calendar.model_copy(update={"every": "never"})}
        ),
    )
    assert open_position(never, 100.0, found.last_day).next_decision is None
