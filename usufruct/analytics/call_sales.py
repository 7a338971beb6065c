"""Calls of `/v2` that are paid one by one, by x402 or a bearer key of the gateway, by callers without a market key.

Prices are the operator's settings. A caller whose key has calls left never pays: the key comes first.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from usufruct.analytics.api_keys import MonthUsedUp
from usufruct.chain import TokenFacts, amount_of, fee_sink_of
from usufruct.config import Config, InvalidSetting
from usufruct.core import Address, UsufructError, address, format_units
from usufruct.core.setting_texts import read_call_prices
from usufruct.payments.x402 import Answer, EndpointPayments, PaidEndpoint
from usufruct.web import HttpExchange, Unauthenticated

_PER_CENT_BPS = 100
_FREE_KEY = "send a key as `x-api-key` or `api_key`; POST /v2/keys makes one, free"
_SETTING = "markets.call_prices"


@dataclass(frozen=True, slots=True)
class CallSale:
    """An endpoint on sale; `shown` is its price in whole units, with the token's symbol."""

    endpoint: PaidEndpoint
    shown: str
    payments: EndpointPayments

    def takes(self, exchange: HttpExchange, refusal: UsufructError) -> bool:
        """Tell whether a request that the keys refused may be paid: it names no key, or one whose month is used up.

        A key that has made the calls of its minute waits, unless its caller pays already.
        """
        if isinstance(refusal, Unauthenticated):
            return refusal.code == "key_missing"
        return isinstance(refusal, MonthUsedUp) or bool(exchange.header(b"payment-signature"))

    async def serve(self, exchange: HttpExchange, answer: Answer, refusal: UsufructError) -> None:
        """Answer a paid request; ask for the payment where there is none, and name `refusal`'s remedy beside it.

        Raises:
            UsufructError: every refusal and fault; nothing was charged.
        """
        other_way = _FREE_KEY if isinstance(refusal, Unauthenticated) else f"wait: {refusal.message}"
        await self.payments.serve(exchange, self.endpoint, answer, other_way)


@dataclass(frozen=True, slots=True)
class CallPrices:
    """What calls cost: `usual`, or what `prices` names for a path, in whole units as text; "0": not sold."""

    usual: str
    prices: Mapping[str, str]
    token: TokenFacts
    pay_to: Address
    level_discount_bps: int

    @classmethod
    def of(cls, config: Config, token: TokenFacts) -> "CallPrices":
        """Return the operator's prices in a payment token."""
        settings = config.markets
        pay_to = address(settings.pay_to, "markets.pay_to") if settings.pay_to else fee_sink_of(config)
        discount = settings.staker_discount_percent * _PER_CENT_BPS
        return cls(settings.call_price, read_call_prices(settings.call_prices), token, pay_to, discount)

    def price_of(self, path: str) -> tuple[int, str]:
        """Return what a call of a path under `/v2` costs: atomic units, and for people. 0: it is not sold."""
        named = path in self.prices
        amount = amount_of(self.prices.get(path, self.usual), _SETTING if named else "markets.call_price", self.token)
        return amount, f"{format_units(amount, self.token.decimals)} {self.token.symbol}"

    def check_paths(self, paths: Iterable[str]) -> None:
        """Refuse a price for a path that is not there.

        Raises:
            InvalidSetting: names the path, and one that is like it.
        """
        known = sorted(paths)
        for path in self.prices.keys() - set(known):
            near = get_close_matches(path, known, 1)
            hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(known)}"
            raise InvalidSetting(f"{_SETTING} has a price for {path}, which /v2 does not have{hint}", key=_SETTING)


class CallSales:
    """Puts endpoints of `/v2` on sale."""

    def __init__(self, payments: EndpointPayments, prices: CallPrices) -> None:
        self._payments = payments
        self._prices = prices
        self._paths: list[str] = []

    def offer(
        self, method: str, path: str, parameters: Sequence[str] = (), example: Mapping[str, Any] | None = None
    ) -> CallSale | None:
        """Put an endpoint on sale, and return the sale; None where the operator's price is 0."""
        self._paths.append(path)
        price, shown = self._prices.price_of(path)
        if not price:
            return None
        prices = self._prices
        endpoint = PaidEndpoint(
            method, f"/v2{path}", price, prices.pay_to, prices.level_discount_bps, parameters, example or {}
        )
        self._payments.sell(endpoint)
        return CallSale(endpoint, shown, self._payments)

    def check(self) -> None:
        """Refuse prices of paths that were not offered, once any was; raises as `CallPrices.check_paths`."""
        if self._paths:
            self._prices.check_paths(self._paths)
