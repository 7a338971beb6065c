"""Market data of a gateway: prices, grades, signals, reports and briefings, with and without an event loop.

::

    with Markets("https://gateway.example", api_key) as markets:
        for grade in markets.trader_grades(symbol="BTC", start="2026-01-01"):
            print(grade.date, grade.tm_trader_grade)

A call raises `Invalid`, `GatewayRefused` (its `reason` is the gateway's own code), `GatewayUnavailable`, `BadAnswer`
or `DataChanged`.
"""

import asyncio
import time
from collections.abc import Coroutine, Iterable, Mapping
from datetime import date
from typing import Any, TypeVar

import httpx

from usufruct_client.blocking import run_blocking
from usufruct_client.bulletin_documents import BriefingLine, KeptBriefing, KeptGuide
from usufruct_client.errors import GatewayUnavailable
from usufruct_client.live_price_documents import LivePriceList
from usufruct_client.market_calls import MarketCalls
from usufruct_client.market_data_documents import Answer, AskedAnswer, MarketKey, NewMarketKey
from usufruct_client.market_endpoints import Asked, Endpoint, MarketEndpoints
from usufruct_client.market_page_calls import read_briefing, read_briefings, read_guide, read_live_prices
from usufruct_client.market_table import MarketTable
from usufruct_client.urls import gateway_address

TIMEOUT_SECONDS = 60.0
WAIT_SECONDS = 60.0
"""A key's calls are limited by the minute: by default, a list of many pages goes on after it."""

Row = TypeVar("Row")


class Markets(MarketEndpoints):
    """The market data of one gateway; one thread at a time may use it."""

    def __init__(
        self,
        gateway_url: str,
        api_key: str = "",
        *,
        wait_seconds: float = WAIT_SECONDS,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Read from the gateway at `gateway_url`; without a key, `create_key` is what can be called.

        `wait_seconds`: how long a call may wait in all when the gateway says that it comes too soon, or has no data.

        Raises:
            Invalid: when `gateway_url` is not the address of a gateway.
        """
        url = _root(gateway_url)
        self._client = httpx.Client(headers=_headers(api_key), transport=transport, timeout=TIMEOUT_SECONDS)
        self._calls = MarketCalls(_BlockingSender(url, self._client), wait_seconds)

    def __enter__(self) -> "Markets":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def fetch(self, endpoint: Endpoint[..., Row], asked: Asked) -> MarketTable[Row]:
        """Return the rows of an endpoint; its attribute is the shorter way."""
        return run_blocking(self._calls.table(endpoint, asked))

    def ask(self, question: str) -> str:
        """Return the answer to a question about assets that it names, or about the market."""
        return run_blocking(_ask(self._calls, question))

    def live_prices(self, assets: str | Iterable[str]) -> LivePriceList:
        """Return the last live prices of up to 100 assets (`slug` of `tokens()`), with age and venues; no key needed.

        Raises:
            GatewayRefused: `no_live_prices` where no exchange is followed.
        """
        return run_blocking(read_live_prices(self._calls, assets))

    def briefings(self, limit: int | None = None) -> list[BriefingLine]:
        """Return the newest market briefings in a line each, so many or all; no key needed."""
        return run_blocking(read_briefings(self._calls, limit))

    def briefing(self, day: date | str) -> KeptBriefing:
        """Return the market briefing of a day; no key needed.

        Raises:
            GatewayRefused: `unknown_briefing` where none of the day is kept.
        """
        return run_blocking(read_briefing(self._calls, day))

    def guide(self, month: str = "") -> KeptGuide:
        """Return the guide to the ten largest assets of a month, YYYY-MM, or the newest one; no key needed.

        Raises:
            GatewayRefused: `unknown_guide` where none is kept.
        """
        return run_blocking(read_guide(self._calls, month))

    def create_key(self, label: str = "") -> NewMarketKey:
        """Make a key, free; a network may make a few a day. Its text is shown this once."""
        return run_blocking(_create_key(self._calls, label))

    def current_key(self) -> MarketKey:
        """Return the key's limits, and its calls in this month."""
        return run_blocking(_current_key(self._calls))

    def revoke_key(self) -> None:
        """Revoke the key at once."""
        run_blocking(_revoke_key(self._calls))


class AsyncMarkets(MarketEndpoints):
    """The same on an event loop; one task at a time may use it."""

    def __init__(
        self,
        gateway_url: str,
        api_key: str = "",
        *,
        wait_seconds: float = WAIT_SECONDS,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Read from the gateway at `gateway_url`, as `Markets` does."""
        url = _root(gateway_url)
        self._client = httpx.AsyncClient(headers=_headers(api_key), transport=transport, timeout=TIMEOUT_SECONDS)
        self._calls = MarketCalls(_AsyncSender(url, self._client), wait_seconds)

    async def __aenter__(self) -> "AsyncMarkets":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    def fetch(self, endpoint: Endpoint[..., Row], asked: Asked) -> Coroutine[Any, Any, MarketTable[Row]]:
        """Return the rows of an endpoint; its attribute is the shorter way."""
        return self._calls.table(endpoint, asked)

    async def ask(self, question: str) -> str:
        """Return the answer to a question about assets that it names, or about the market."""
        return await _ask(self._calls, question)

    async def live_prices(self, assets: str | Iterable[str]) -> LivePriceList:
        """Return the last live prices of up to 100 assets (`slug` of `tokens()`), with age and venues; no key needed.

        Raises:
            GatewayRefused: `no_live_prices` where no exchange is followed.
        """
        return await read_live_prices(self._calls, assets)

    async def briefings(self, limit: int | None = None) -> list[BriefingLine]:
        """Return the newest market briefings in a line each, so many or all; no key needed."""
        return await read_briefings(self._calls, limit)

    async def briefing(self, day: date | str) -> KeptBriefing:
        """Return the market briefing of a day; no key needed.

        Raises:
            GatewayRefused: `unknown_briefing` where none of the day is kept.
        """
        return await read_briefing(self._calls, day)

    async def guide(self, month: str = "") -> KeptGuide:
        """Return the guide to the ten largest assets of a month, YYYY-MM, or the newest one; no key needed.

        Raises:
            GatewayRefused: `unknown_guide` where none is kept.
        """
        return await read_guide(self._calls, month)

    async def create_key(self, label: str = "") -> NewMarketKey:
        """Make a key, free; a network may make a few a day. Its text is shown this once."""
        return await _create_key(self._calls, label)

    async def current_key(self) -> MarketKey:
        """Return the key's limits, and its calls in this month."""
        return await _current_key(self._calls)

    async def revoke_key(self) -> None:
        """Revoke the key at once."""
        await _revoke_key(self._calls)


async def _ask(calls: MarketCalls, question: str) -> str:
    content = {"messages": [{"user": question}]}
    return (await calls.document(AskedAnswer, "POST", "/tmai", content)).answer


async def _create_key(calls: MarketCalls, label: str) -> NewMarketKey:
    return await calls.row(NewMarketKey, "POST", "/keys", {"label": label})


async def _current_key(calls: MarketCalls) -> MarketKey:
    return await calls.row(MarketKey, "GET", "/keys/current")


async def _revoke_key(calls: MarketCalls) -> None:
    await calls.document(Answer[MarketKey], "DELETE", "/keys/current")


class _BlockingSender:
    def __init__(self, url: str, client: httpx.Client) -> None:
        self._url = url
        self._client = client

    async def send(
        self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], content: object
    ) -> httpx.Response:
        try:
            return self._client.request(method, self._url + path, params=query, headers=headers, json=content)
        except httpx.HTTPError as fault:
            raise _silence(self._url, fault) from fault

    async def pause(self, seconds: float) -> None:
        time.sleep(seconds)  # noqa: ASYNC251 - only its own thread waits: see `run_blocking`


class _AsyncSender:
    def __init__(self, url: str, client: httpx.AsyncClient) -> None:
        self._url = url
        self._client = client

    async def send(
        self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], content: object
    ) -> httpx.Response:
        try:
            return await self._client.request(method, self._url + path, params=query, headers=headers, json=content)
        except httpx.HTTPError as fault:
            raise _silence(self._url, fault) from fault

    async def pause(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def _root(url: str) -> str:
    """Return the address of a gateway; `url` may have `/v1` or `/v2` already.

    Raises:
        Invalid: when it is not the address of a gateway.
    """
    return gateway_address(url.rstrip("/").removesuffix("/v2"))


def _headers(api_key: str) -> dict[str, str]:
    return {"x-api-key": api_key} if api_key else {}


def _silence(url: str, fault: httpx.HTTPError) -> GatewayUnavailable:
    return GatewayUnavailable(
        f"{url} does not answer ({type(fault).__name__}); check that it runs and that the address is right"
    )
