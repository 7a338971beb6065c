"""The engine's rules one by one, on markets that are small enough to compute by hand, and on the simulated one."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pytest

from tests.support.small_markets import small_market
from usufruct.connectors.prices import COLLAPSED_CHAIN, COLLAPSED_EXCHANGE, Asset, Panel
from usufruct.core import Invalid
from usufruct.indices import (
    CapsInfeasible,
    NoTrade,
    Rulebook,
    TooFewAssets,
    load_rulebook,
    rebalances,
    record_bytes,
    record_hash,
    restate,
    run_index,
)
from usufruct.indices.market_data import MarketData

MONDAY = date(2024, 1, 1)


def rules(**sections) -> Rulebook:
    free = {"fee_bps": 0.0, "half_spread_bps": 0.0}
    standard = {"name": "mine", "title": "Mine", "calendar": {"every": "week"}, "costs": free}
    return Rulebook.model_validate(standard | sections)


def market(prices: dict[str, list[float]], caps: dict[str, float] | None = None, words=None) -> Panel:
    """Prices by id; the market cap of each is its price times 1, or a fixed one."""
    close = np.array(list(prices.values())).T
    cap = close if caps is None else np.tile([caps[each] for each in prices], (len(close), 1)).astype(float)
    assets = tuple(
        Asset(each, at, each, each, frozenset((words or {}).get(each, ()))) for at, each in enumerate(prices)
    )
    return Panel(MONDAY, assets, close, cap, np.full(close.shape, 1e9))


def test_a_decision_is_traded_the_day_after():
    panel = market({"a": [1, 2, 4, 8], "b": [1, 1, 1, 1]}, {"a": 3, "b": 1})
    found = run_index(rules(), panel)
    assert found.nav.tolist() == [1000, 1000, 1000 * (0.75 * 2 + 0.25), 1000 * (0.75 * 4 + 0.25)]
    (only,) = rebalances(found)
    assert (only.decided, only.traded, only.cause) == (MONDAY, MONDAY + timedelta(days=1), "launch")
    assert {each.asset: each.weight for each in only.holdings} == {"a": 0.75, "b": 0.25}


def test_costs_are_paid_of_what_is_traded():
    panel = market({"a": [1.0] * 10, "b": [1.0] * 10}, {"a": 1, "b": 1})
    found = run_index(rules(costs={"fee_bps": 100.0, "half_spread_bps": 0.0}), panel)
    assert found.nav[1] == pytest.approx(1000 / 1.01), "what is bought and its fee are what there was"
    assert found.nav[-1] == found.nav[1], "nothing to trade a week later"
    assert found.level[-1] == 1000


def test_impact_and_gas_depend_on_what_is_invested():
    panel = small_market(3, clean=True)
    losses = []
    for capital in (1e4, 1e6, 1e8):
        costs = {"fee_bps": 0.0, "half_spread_bps": 0.0, "impact": 1.0, "capital": capital}
        found = run_index(rules(selection={"count": 5}, costs=costs), panel)
        losses.append(1 - found.nav[-1] / found.level[-1])
    assert losses[0] < losses[1] < losses[2]
    gas = {"fee_bps": 0.0, "half_spread_bps": 0.0, "gas_per_trade": 10.0, "capital": 1000.0}
    assert run_index(rules(selection={"count": 5}, costs=gas), panel).kept[0] == pytest.approx(1 - 50 / 1000)


def test_the_divisor_links_what_was_held_to_what_is_held():
    found = run_index(rules(selection={"count": 5}, weights={"each_at_most": 0.4}), small_market(4, clean=True))
    log = rebalances(found)
    price = {each.id: at for at, each in enumerate(found.data.panel.assets)}
    for before, now in pairwise(log):
        close = found.data.panel.close[found.data.panel.row(now.traded)]
        for event in (before, now):
            worth = sum(each.index_shares * close[price[each.asset]] for each in event.holdings)
            assert worth / event.divisor == pytest.approx(now.level, rel=1e-12), "old and new basket have one level"


def test_both_ways_to_trade_give_the_same_bytes():
    """A band of the smallest number trades everything, but one rebalance after the other."""
    panel = small_market(5, days=200, clean=True)
    both = [
        run_index(rules(selection={"count": 6}, costs={"fee_bps": 20.0}, trading=trading), panel)
        for trading in ({}, {"minimum_trade": 5e-324})
    ]
    assert both[0].nav.tobytes() == both[1].nav.tobytes()
    assert both[0].held.tobytes() == both[1].held.tobytes()
    assert both[0].kept.tobytes() == both[1].kept.tobytes()


def test_a_band_and_a_cap_on_turnover_trade_less():
    panel = small_market(6, days=200, clean=True)
    free = run_index(rules(selection={"count": 6}), panel)
    banded = run_index(rules(selection={"count": 6}, trading={"minimum_trade": 0.02}), panel)
    slow = run_index(rules(selection={"count": 6}, trading={"turnover_at_most": 0.01}), panel)
    assert banded.traded.sum() < free.traded.sum()
    assert slow.traded[1:].max() <= 0.02 + 1e-12
    assert free.traded[1:].max() > 0.02


@pytest.mark.parametrize(("value", "left"), [("last", 0.75 + 0.25), ("zero", 0.75)])
def test_an_asset_that_ends_is_settled_at_its_last_price_or_at_nothing(value: str, left: float):
    panel = market({"a": [1.0] * 20, "b": [1.0, 1.0, 1.0, *[np.nan] * 17]}, {"a": 3, "b": 1})
    found = run_index(rules(delisting={"after_days": 5, "value": value}), panel)
    assert found.nav[7] == 1000, "a gap keeps the last price"
    assert found.nav[8] == 1000 * left, "after five days without a price it is gone"
    assert found.nav[-1] == 1000 * left
    log = rebalances(found)
    assert [each.asset for each in log[-1].holdings] == ["a"]
    assert "no price" in next(each.why for each in log[1].moves if each.asset == "b")


def test_a_gap_on_the_day_of_the_trade_freezes_the_position():
    prices = {"a": [1.0] * 9, "b": [1.0] * 9, "c": [1.0] * 9}
    panel = market(prices, {"a": 1, "b": 1, "c": 1})
    panel.market_cap[7:, :] = [1.0, 1.0, 2.0]
    panel.close[8, 1] = np.nan
    found = run_index(rules(), panel)
    assert dict(zip(found.ids(), found.held[:, 1], strict=True)) == pytest.approx(
        {"a": (2 / 3) / 3, "b": 1 / 3, "c": (2 / 3) * 2 / 3}
    )
    moves = {each.asset: each for each in rebalances(found)[1].moves}
    assert "not traded" in moves["b"].why


def test_prices_that_are_not_prices_are_not_known():
    prices = {"a": [1.0] * 9, "zero": [1.0, 0.0, *[1.0] * 7], "minus": [-1.0] * 9, "inf": [np.inf] * 9}
    found = run_index(rules(), market(prices, dict.fromkeys(prices, 1)))
    assert set(found.ids()) == {"a", "zero"}
    assert np.isfinite(found.nav).all()


def test_fewer_assets_than_the_rulebook_wants():
    panel = small_market(7, clean=True)
    found = run_index(rules(selection={"count": 100, "minimum_count": 2}), panel)
    assert "10 members of 100" in rebalances(found)[0].notes
    with pytest.raises(
        TooFewAssets, match=r"10 assets are eligible for mine on 2024-01-01, of at least 50; begin later"
    ):
        run_index(rules(selection={"count": 100, "minimum_count": 50}), panel)


def test_with_too_few_assets_later_the_members_stay():
    panel = market({"a": [1.0] * 30, "b": [1.0] * 30}, {"a": 1, "b": 1})
    panel.market_cap[10:20, 1] = np.nan
    found = run_index(rules(selection={"count": 2, "minimum_count": 2}), panel)
    assert (found.held == 0.5).all()
    assert len(found.decided) == 4, "one decision is left out"


def test_caps_that_cannot_be_met_are_noted_or_refused():
    panel = small_market(8, clean=True)
    tight = {"each_at_most": 0.05}
    found = run_index(rules(weights=tight), panel)
    assert any("caps could not be met" in note for note in rebalances(found)[0].notes)
    assert found.held[:, 0].max() == pytest.approx(0.1)
    with pytest.raises(CapsInfeasible, match="10 assets cannot be at most"):
        run_index(rules(weights=tight | {"if_infeasible": "refuse"}), panel)


@pytest.mark.parametrize(("first", "last"), [(MONDAY - timedelta(days=1), None), (None, date(2030, 1, 1))])
def test_days_outside_the_data_are_refused(first: date | None, last: date | None):
    with pytest.raises(Invalid, match="is outside the data; choose a day from 2024-01-01 to") as caught:
        run_index(rules(), small_market(9), first, last)
    assert caught.value.code == "day_out_of_range"


def test_a_range_without_a_trade_is_refused():
    with pytest.raises(NoTrade, match="choose a range of more than 1 days"):
        run_index(rules(), small_market(9), MONDAY, MONDAY)


def test_free_float_counts_from_the_day_it_was_known():
    panel = market({"a": [1.0] * 20, "b": [1.0] * 20}, {"a": 1, "b": 1})
    factor = {"asset": "a", "factor": 0.5, "known_from": MONDAY + timedelta(days=7)}
    found = run_index(rules(float_factors=[factor]), panel)
    assert found.held[0].tolist() == pytest.approx([1 / 2, 1 / 3, 1 / 3])


def test_a_replay_gives_the_same_bytes_and_another_order_of_columns_too():
    panel = small_market(10)
    rulebook = load_rulebook("global-100").model_copy(
        update={"universe": rules().universe, "selection": rules().selection}
    )
    first = run_index(rulebook, panel, panel.day(20))
    turned = panel.of([each.id for each in reversed(panel.assets)])
    again = run_index(rulebook, turned, panel.day(20))
    assert record_bytes(again) == record_bytes(first)
    other = replace(panel, close=panel.close * np.where(np.arange(panel.days) == 60, 1.01, 1)[:, None])
    assert record_hash(run_index(rulebook, other, panel.day(20))) != record_hash(first)
    hashes = [[each.input_hash for each in rebalances(run_index(rulebook, p, panel.day(20)))] for p in (panel, other)]
    at = next(i for i, (a, b) in enumerate(zip(*hashes, strict=False)) if a != b)
    assert rebalances(first)[at].decided >= panel.day(60) > rebalances(first)[at - 1].decided


def test_corrected_data_restate_what_changed_enough():
    panel = small_market(11, clean=True)
    published = run_index(rules(), panel)
    slightly, clearly = (replace(panel, close=panel.close.copy()) for _ in range(2))
    largest = published.data.order[published.targets.columns[int(np.argmax(published.held[:, 0]))]]
    slightly.close[50, largest] *= 1.0001
    clearly.close[50, largest] *= 1.05
    level, threshold = published.level, published.rulebook.restatement.threshold
    assert restate(panel.first_day, level, run_index(rules(), published.data.panel).level, threshold).days == ()
    small = restate(panel.first_day, level, run_index(rules(), slightly).level, threshold)
    assert (small.version, small.days) == (1, ())
    assert 0 < small.unpublished_change < 0.001
    new = run_index(rules(), clearly).level
    found = restate(panel.first_day, level[:-5], new, threshold, version=3)
    assert found.version == 4
    assert found.days[0].day == panel.day(50)
    assert {each.day for each in found.days} <= {panel.day(at) for at in range(len(level) - 5)}
    first = found.days[0]
    assert (first.published, first.corrected) == (level[50], new[50])
    assert first.change == pytest.approx(new[50] / level[50] - 1)


def test_a_price_that_leaves_its_market_cap_behind_does_not_move_the_market():
    """Of 2021: a vendor's price of 1e-35 for three days, whose return home was 10^36, beside a cap that stayed."""
    panel = small_market(11, clean=True)
    every = np.ones(len(panel.assets), dtype=bool)
    plain = MarketData(panel).market_index(every, 0, 119)
    broken = panel.close.copy()
    broken[60:63, 7] = 1e-35
    found = MarketData(replace(panel, close=broken)).market_index(every, 0, 119)
    assert np.abs(found / plain - 1).max() < 0.2
    redenominated = panel.close.copy()
    redenominated[60:, 7] *= 1_000
    found = MarketData(replace(panel, close=redenominated)).market_index(every, 0, 119)
    assert np.abs(found / plain - 1).max() < 0.2
    fallen, caps = panel.close.copy(), panel.market_cap.copy()
    fallen[60:, 7] /= 1_000
    caps[60:, 7] *= 2
    found = MarketData(replace(panel, close=fallen, market_cap=caps)).market_index(every, 0, 119)
    weight = panel.market_cap[59, 7] / panel.market_cap[59].sum()
    assert found[60] / plain[60] == pytest.approx(1 - weight, abs=0.05), "a collapse with an exploding supply counts"
    risen, caps = panel.close.copy(), panel.market_cap.copy()
    risen[60:, 7] *= 1_000
    caps[60:, 7] *= 1_000
    found = MarketData(replace(panel, close=risen, market_cap=caps)).market_index(every, 0, 119)
    assert found[60] > 1.4 * plain[60], "a price that its cap follows counts"


# On the simulated market


def test_global_100_holds_its_members_or_stablecoins_and_switches_the_day_after(market: Panel):
    found = run_index(load_rulebook("global-100"), market, date(2019, 8, 1))
    coins = {each.id for each in market.assets if "stablecoin" in each.categories}
    states = set()
    for event in rebalances(found):
        held = {each.asset for each in event.holdings}
        assert sum(each.weight for each in event.holdings) + event.cash == pytest.approx(1)
        assert event.traded - event.decided == timedelta(days=1)
        if event.regime == "bullish":
            assert not held & coins
            assert 100 <= len(held) <= 102, "an asset without a price cannot be sold"
            assert max(each.weight for each in event.holdings) < 0.155
        elif event.cause == "regime change":
            assert len(held - coins) <= 1, "an asset without a price cannot be sold"
            assert max(each.weight for each in event.holdings) <= 0.4 + 1e-12
        states.add(event.regime)
    assert states == {"bullish", "bearish"}


@pytest.mark.parametrize("asset", [COLLAPSED_CHAIN, COLLAPSED_EXCHANGE])
def test_a_collapse_costs_at_most_its_weight(market: Panel, asset: str):
    """Like LUNA and FTT: with both delisting bounds the index loses no more than what it held of it."""
    rulebook = load_rulebook("top-100").model_copy(update={"costs": rules().costs})
    without = rulebook.model_copy(
        update={"universe": rulebook.universe.model_copy(update={"exclude_assets": (asset,)})}
    )
    for value in ("last", "zero"):
        bound = {"delisting": rulebook.delisting.model_copy(update={"value": value})}
        found = run_index(rulebook.model_copy(update=bound), market, date(2019, 8, 1))
        spared = run_index(without.model_copy(update=bound), market, date(2019, 8, 1))
        place = found.ids().index(asset)
        weight = max(found.held[place].max(), found.drifted[place].max())
        assert 0 < weight <= 0.151
        close = market.close[:, market.column[asset]]
        assert np.nanmin(close[found.first :]) < 0.05 * np.nanmax(close), "it did collapse"
        relative = found.nav / spared.nav
        fall = 1 - (relative / np.maximum.accumulate(relative)).min()
        assert fall <= 2.5 * weight
        assert found.held[place, -1] < weight / 2
