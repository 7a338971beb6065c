"""Prices of calls of `/v2` that are paid one by one, and who may pay."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from usufruct.analytics.api_keys import MonthUsedUp, TooManyRequests
from usufruct.analytics.call_sales import CallPrices, CallSale, CallSales
from usufruct.chain import TokenFacts
from usufruct.config import Config, InvalidSetting, load_config
from usufruct.core import Address
from usufruct.payments.x402 import PaidEndpoint
from usufruct.web import HttpExchange, Unauthenticated

DOLLAR = TokenFacts(Address("0x" + "dd" * 20), "Test Dollar", "TUSD", 6, "1")


class Till:
    """Remembers what is put on sale."""

    def __init__(self) -> None:
        self.sold: list[PaidEndpoint] = []

    def sell(self, endpoint: PaidEndpoint) -> None:
        self.sold.append(endpoint)

    async def serve(self, exchange: HttpExchange, endpoint: PaidEndpoint, answer: Any, other_way: str) -> None:
        raise AssertionError("nothing is called here")


def sales(**settings: Any) -> tuple[CallSales, Till]:
    till, config = Till(), Config()
    config = replace(config, markets=replace(config.markets, **settings))
    return CallSales(till, CallPrices.of(config, DOLLAR)), till


def exchange(**headers: str) -> HttpExchange:
    named = [(name.replace("_", "-").encode(), text.encode()) for name, text in headers.items()]
    scope = {"type": "http", "method": "GET", "path": "/v2/price", "headers": named, "query_string": b""}
    unused: Callable[..., Any] = NotImplemented
    return HttpExchange(scope, unused, unused)


def test_an_endpoint_has_its_own_price_or_the_usual_one():
    selling, till = sales(call_price="0.01", call_prices="/price=0.002, /free=0", staker_discount_percent=10)
    price, usual, free = (selling.offer("GET", path) for path in ("/price", "/other", "/free"))
    assert isinstance(price, CallSale)
    assert isinstance(usual, CallSale)
    assert free is None, "a price of 0 needs a key"
    assert (price.shown, usual.shown) == ("0.002 TUSD", "0.01 TUSD")
    assert [(each.path, each.price) for each in till.sold] == [("/v2/price", 2_000), ("/v2/other", 10_000)]
    assert {each.level_discount_bps for each in till.sold} == {1_000}
    selling.check()


def test_a_fraction_of_a_unit_is_rounded_up():
    selling, till = sales(call_price="0.0000011", call_prices="")
    selling.offer("GET", "/price")
    assert till.sold[0].price == 2


def test_a_price_of_a_path_that_is_not_there_is_refused_with_the_nearest_one():
    selling, _ = sales(call_prices="/pricce=1")
    selling.offer("GET", "/price")
    with pytest.raises(InvalidSetting, match="did you mean /price"):
        selling.check()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("CALL_PRICE", "free"),
        ("CALL_PRICE", "-1"),
        ("CALL_PRICE", "0.0000001"),
        ("CALL_PRICE", "101"),
        ("CALL_PRICES", "/price"),
        ("CALL_PRICES", "price=1"),
        ("CALL_PRICES", "/price=1,/price=2"),
        ("CALL_PRICES", "/price=1e3"),
        ("STAKER_DISCOUNT_PERCENT", "51"),
    ],
)
def test_a_price_out_of_bounds_is_refused_at_the_start(name: str, text: str):
    with pytest.raises(InvalidSetting, match=f"markets.{name.lower()}"):
        load_config({f"USUFRUCT_MARKETS_{name}": text, "USUFRUCT_CONFIG": "/dev/null"})


def test_who_has_calls_left_or_a_wrong_key_is_not_asked_for_money():
    selling, _ = sales()
    sale = selling.offer("GET", "/price")
    assert isinstance(sale, CallSale)
    bare, paying = exchange(), exchange(payment_signature="e30=")
    for refusal, takes in (
        (Unauthenticated("no key", code="key_missing"), (True, True)),
        (Unauthenticated("a wrong key", code="key_unknown"), (False, False)),
        (Unauthenticated("a revoked key", code="key_revoked"), (False, False)),
        (MonthUsedUp("all calls of the month", retry_after=900), (True, True)),
        (TooManyRequests("all calls of the minute", retry_after=9), (False, True)),
    ):
        assert tuple(sale.takes(each, refusal) for each in (bare, paying)) == takes, refusal.message
