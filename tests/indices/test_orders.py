"""The targets of an index as orders for an exchange and as weights of a vault."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.small_markets import small_market
from usufruct.connectors.exchanges import SymbolTable, TradedSymbol, UnmappedAsset
from usufruct.connectors.prices import Asset, Panel
from usufruct.core import Invalid
from usufruct.indices import Backtest, Rulebook, run_index
from usufruct.indices.orders import (
    Listing,
    OrderList,
    exchange_orders,
    last_closes,
    listings_by_ticker,
    listings_of_venue,
    target_cash,
    target_weights,
    vault_weights,
)

DAY = date(2024, 3, 30)
"""The last day of the market below."""


def bearish(*, dai: float = 0.9) -> Backtest:
    """Run an index that is bearish all the time, over three stablecoins, of which DAI may have lost its peg."""
    days, names = 90, ("bitcoin", "dai", "tether", "usd-coin")
    close = np.ones((days, 4)) * (40_000.0, dai, 1.0, 1.0)
    caps = np.ones((days, 4)) * (8e11, 5e9, 9e10, 3e10)
    tickers = ("BTC", "DAI", "USDT", "USDC")
    assets = tuple(
        Asset(name, at, tickers[at], name, frozenset({"stablecoin"} if at else {"layer-1"}))
        for at, name in enumerate(names)
    )
    panel = Panel(date(2024, 1, 1), assets, close, caps, caps / 10, source="a test")
    regime = {"start": "bearish", "window_days": 200}
    return run_index(Rulebook.model_validate({"name": "mine", "title": "Mine", "regime": regime}), panel)


def orders_of(
    found: Backtest, value: float = 1_000.0, held: dict[str, float] | None = None, table: SymbolTable | None = None
) -> OrderList:
    targets, held = target_weights(found), held or {}
    wanted = {*targets, *held}
    listings = (
        listings_by_ticker(found.data.panel.assets, wanted, "USDT")
        if table is None
        else listings_of_venue(table, "kraken", wanted, "USDT", found.last_day)
    )
    return exchange_orders(targets, held, last_closes(found), listings, value, found.last_day)


@given(
    st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.floats(1e-6, 1), min_size=1, max_size=20),
    st.floats(0, 1),
)
@settings(max_examples=100)
def test_vault_weights_sum_to_the_whole(targets: dict[str, float], cash: float):
    found = vault_weights(targets, cash)
    assert sum(each.weight_bps for each in found) == 10_000
    whole = sum(targets.values()) + cash
    exact = {("asset", name): weight for name, weight in targets.items()} | {("cash", ""): cash}
    for each in found:
        assert abs(each.weight_bps - 10_000 * exact[each.kind, each.asset] / whole) < 1
    assert [each.kind for each in found] == sorted(each.kind for each in found), "cash is the last line"


def test_a_vault_keeps_the_cash_of_a_basket_of_two_coins():
    found = bearish()
    assert target_weights(found) == {"tether": 0.4, "usd-coin": 0.4}
    weights = vault_weights(target_weights(found), target_cash(found))
    assert [(each.kind, each.asset, each.weight_bps) for each in weights] == [
        ("asset", "tether", 4_000),
        ("asset", "usd-coin", 4_000),
        ("cash", "", 2_000),
    ]
    assert vault_weights({}) == []


def test_the_quote_is_not_ordered_against_itself():
    found = orders_of(bearish(), held={"tether": 50.0})
    assert [(each.symbol, each.side, each.value) for each in found.orders] == [("USDC/USDT", "buy", 400.0)]
    assert [(each.asset, each.value) for each in found.stays] == [("tether", 400.0), ("", pytest.approx(200.0))]
    assert "USDT itself" in found.stays[0].why
    assert found.left_out == ()


def test_a_holding_of_the_quote_is_not_sold_for_itself():
    found = bearish(dai=1.0)
    assert len(target_weights(found)) == 3
    table = SymbolTable([TradedSymbol("kraken", "USDT/USD", "tether"), TradedSymbol("kraken", "USDC/USDT", "usd-coin")])
    listings = listings_of_venue(table, "kraken", ["tether"], "USDT", found.last_day)
    orders = exchange_orders({}, {"tether": 50.0}, last_closes(found), listings, 1_000.0, found.last_day)
    assert orders.orders == ()
    assert [each.asset for each in orders.stays] == ["tether", ""]


def test_orders_bring_a_holding_to_the_targets():
    found = run_index(
        Rulebook.model_validate({"name": "mine", "title": "Mine", "selection": {"count": 6}}),
        small_market(3, clean=True),
    )
    targets, closes = target_weights(found), last_closes(found)
    listings = {each: Listing(f"{each.upper()}/USDT") for each in closes}
    gone = next(each for each in closes if each not in targets)
    held = {gone: 50 / closes[gone].price, max(targets, key=targets.__getitem__): 1.0}
    orders = exchange_orders(targets, held, closes, listings, 10_000.0, found.last_day).orders
    sides = [each.side for each in orders]
    assert sides == sorted(sides, reverse=True), "sells first: they pay for the buys"
    after = dict(held)
    for order in orders:
        sign = 1 if order.side == "buy" else -1
        after[order.asset] = after.get(order.asset, 0.0) + sign * order.amount
        assert order.symbol == f"{order.asset.upper()}/USDT"
    assert after[gone] == 0
    for asset, weight in targets.items():
        assert after.get(asset, 0.0) * closes[asset].price == pytest.approx(weight * 10_000, abs=10)
    with pytest.raises(Invalid, match="the prices have no asset 'nothing'") as refused:
        exchange_orders(targets, {"nothing": 1.0}, closes, listings, 100.0, found.last_day)
    assert refused.value.code == "unknown_asset"


def test_an_asset_without_a_price_is_named_and_the_others_are_ordered():
    whole = bearish(dai=1.0)
    panel = whole.data.panel
    close = panel.close.copy()
    close[-2:, panel.column["usd-coin"]] = np.nan
    found = run_index(
        whole.rulebook.model_copy(update={"calendar": whole.rulebook.calendar.model_copy(update={"every": "never"})}),
        replace(panel, close=close),
        last=DAY,
    )
    assert "usd-coin" not in target_weights(found), "a coin without a price has lost its peg"
    orders = exchange_orders(
        {"usd-coin": 0.4, "dai": 0.4},
        {},
        last_closes(found),
        listings_by_ticker(panel.assets, {"usd-coin", "dai"}, "USDT"),
        1_000.0,
        DAY,
    )
    assert [each.asset for each in orders.orders] == ["dai"]
    (left,) = orders.left_out
    assert (left.asset, left.why) == ("usd-coin", "it has no price on 2024-03-30; its last is of 2024-03-28")


def test_a_ticker_that_two_assets_share_is_refused_with_both_names():
    assets = [Asset("bitcoin", 1, "BTC", "Bitcoin"), Asset("pepe", 2, "PEPE", "Pepe"), Asset("pepe-2", 3, "pepe", "P")]
    assert listings_by_ticker(assets, {"bitcoin"}, "USDT") == {"bitcoin": Listing("BTC/USDT")}
    with pytest.raises(Invalid, match=r"PEPE is the ticker of pepe and of pepe-2: .* pass --table") as refused:
        listings_by_ticker(assets, {"bitcoin", "pepe"}, "USDT")
    assert refused.value.code == "ambiguous_ticker"


def test_a_table_names_the_symbol_and_its_units():
    table = SymbolTable(
        [
            TradedSymbol("kraken", "XBT/USDT", "bitcoin"),
            TradedSymbol("kraken", "1000SATS/USDT", "sats", units=1_000.0),
            TradedSymbol("kraken", "OLD/USDT", "renamed", last=date(2024, 3, 30)),
            TradedSymbol("kraken", "NEW/USDT", "renamed", first=date(2024, 3, 31)),
            TradedSymbol("kraken", "EUROC/EUR", "euro-coin"),
            TradedSymbol("kraken", "USDT/USD", "tether"),
            TradedSymbol("binance", "ETH/USDT", "ethereum"),
        ]
    )
    wanted = ["bitcoin", "sats", "renamed", "euro-coin", "tether", "ethereum"]
    found = listings_of_venue(table, "kraken", wanted, "USDT", DAY)
    assert found["bitcoin"] == Listing("XBT/USDT")
    assert found["sats"] == Listing("1000SATS/USDT", 1_000.0)
    assert found["renamed"] == Listing("NEW/USDT"), "orders are sent after the close of the last day"
    assert found["tether"].is_quote
    assert "EUROC/EUR, which is not in USDT" in found["euro-coin"].missing
    assert "no symbol of it at kraken on 2024-03-31" in found["ethereum"].missing
    with pytest.raises(UnmappedAsset):
        listings_of_venue(table, "nowhere", wanted, "USDT", DAY)


def test_an_amount_is_in_units_of_the_symbol():
    whole = bearish(dai=1.0)
    table = SymbolTable(
        [
            TradedSymbol("kraken", "USDT/USD", "tether"),
            TradedSymbol("kraken", "1000USDC/USDT", "usd-coin", units=1_000.0),
        ]
    )
    found = orders_of(whole, 10_000.0, {"usd-coin": 1_000.0}, table)
    (order,) = found.orders
    weight = target_weights(whole)["usd-coin"]
    assert (order.symbol, order.side) == ("1000USDC/USDT", "buy")
    assert order.amount == pytest.approx((10_000 * weight - 1_000) / 1_000)
    assert [each.asset for each in found.left_out] == ["dai"]
