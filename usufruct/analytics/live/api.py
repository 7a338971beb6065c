"""`/v1/markets/prices` as one answer and as a stream of events, each with the newest prices of what changed."""

from collections.abc import Sequence
from typing import Final

import orjson
from starlette.responses import Response

from usufruct.analytics.api_query import InvalidParameter
from usufruct.analytics.live.feed import LivePriceFeed, LiveSubscriber
from usufruct.analytics.live.model import LiveMedian, LiveTable
from usufruct.web import (
    EVENT_STREAM,
    HttpExchange,
    Operation,
    Parameter,
    RawRoute,
    Request,
    Route,
    client_network,
    document_response,
)
from usufruct_client.live_price_documents import LivePriceFacts, LivePriceList

PATH: Final = "/v1/markets/prices"
STREAM: Final = f"{PATH}/stream"
MOST_ASSETS: Final = 100
HEARTBEAT_SECONDS: Final = 15.0

_LONGEST_ID: Final = 15
"""Digits of a version that are read: milliseconds since 1970 have 13."""
_HEARTBEAT: Final = b": still here\n\n"
_RETRY: Final = b"retry: 3000\n\n"
_ASSETS = Parameter(f"ids of assets, by commas; at most {MOST_ASSETS}", required=True)
_NO_PRICES = "no exchange is followed, or none has sent a price yet"
_PRICES = Operation(
    "Return the live prices of assets, each with its age.",
    LivePriceList,
    asks={"assets": _ASSETS},
    refuses={503: _NO_PRICES},
)
_STREAM = Operation(
    "Stream live prices: an event `prices` with all, then one with those that changed or became stale.",
    LivePriceList,
    media_types=("text/event-stream",),
    asks={"assets": _ASSETS},
    takes={"last-event-id": "id of the last event that was read; only what is newer, or stale, is sent first"},
    refuses={429: "the network has as many streams as it may", 503: f"{_NO_PRICES}; or all streams are taken"},
)


def live_routes(feed: LivePriceFeed) -> list[RawRoute | Route]:
    """Return the routes of live prices."""
    writer = _EventWriter()

    async def prices(request: Request) -> Response:
        assets, table = _assets(request), feed.table
        known = table.news_since(0, assets, feed.now)
        return document_response(price_list(table, known, feed.now, assets), headers={"cache-control": "no-store"})

    async def stream(exchange: HttpExchange) -> None:
        assets, table = _assets(Request(exchange)), feed.table
        with feed.reading(assets, client_network(exchange), lambda: exchange.is_draining) as subscriber:
            stay = exchange.when_disconnected(subscriber.leave)
            try:
                await _send(exchange, feed, subscriber, writer, table, assets)
            finally:
                stay()

    return [Route("GET", PATH, prices, _PRICES), RawRoute("GET", STREAM, stream, _STREAM)]


def price_list(table: LiveTable, medians: Sequence[LiveMedian], now: int, asked: Sequence[str] = ()) -> LivePriceList:
    """Return prices as a document; of what was asked for, it names what has none."""
    missing = [each for each in asked if each not in table.medians]
    facts = [_facts(table, each, now) for each in medians]
    return LivePriceList(now, table.stale_after, table.synthetic, facts, missing)


class _EventWriter:
    """Writes events; of prices that many readers want at one moment, each is written once."""

    def __init__(self) -> None:
        self._moment = (0, 0)
        self._written: dict[str, orjson.Fragment] = {}

    def event(self, table: LiveTable, medians: Sequence[LiveMedian], now: int, asked: Sequence[str] = ()) -> bytes:
        """Return an event with prices; of what was asked for, it names what has none."""
        if self._moment != (table.version, now):
            self._moment, self._written = (table.version, now), {}
        for each in medians:
            if each.asset not in self._written:
                self._written[each.asset] = orjson.Fragment(orjson.dumps(_facts(table, each, now).as_json()))
        content = price_list(table, (), now, asked).as_json() | {
            "prices": [self._written[each.asset] for each in medians]
        }
        return b"id: %d\nevent: prices\ndata: %b\n\n" % (table.version, orjson.dumps(content))


def _facts(table: LiveTable, median: LiveMedian, now: int) -> LivePriceFacts:
    stale = table.is_stale(median, now)
    return LivePriceFacts(median.asset, median.price, int(median.at), median.age(now), stale, list(median.venues))


async def _send(
    exchange: HttpExchange,
    feed: LivePriceFeed,
    subscriber: LiveSubscriber,
    writer: _EventWriter,
    table: LiveTable,
    assets: Sequence[str],
) -> None:
    """Send events until the client hangs up or the server drains; a client that reads slowly skips prices."""
    await exchange.start(200, EVENT_STREAM)
    now = feed.now
    sent = _marks(table, assets, now)
    known = table.news_since(_last_event(exchange), assets, now)
    await exchange.write(_RETRY + writer.event(table, known, now, assets))
    while not subscriber.ends:
        if not await subscriber.wait(HEARTBEAT_SECONDS):
            await exchange.write(_HEARTBEAT)
            continue
        table, now = feed.table, feed.now
        marks = _marks(table, assets, now)
        changed = [table.medians[each] for each, mark in marks.items() if sent.get(each) != mark]
        sent = marks
        if changed:
            await exchange.write(writer.event(table, changed, now))
    await exchange.write(b"", more=False)


def _marks(table: LiveTable, assets: Sequence[str], now: int) -> dict[str, tuple[int, bool]]:
    """Return what differs when there is news of an asset."""
    return {each.asset: (each.version, table.is_stale(each, now)) for each in table.news_since(0, assets, now)}


def _last_event(exchange: HttpExchange) -> int:
    """Return the version that a client has read; 0 where it has none, or another than ours."""
    text = exchange.header(b"last-event-id")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _LONGEST_ID else 0


def _assets(request: Request) -> tuple[str, ...]:
    asked = [part.strip() for text in request.query_params.getlist("assets") for part in text.split(",")]
    names = tuple(dict.fromkeys(part for part in asked if part))
    if not 0 < len(names) <= MOST_ASSETS:
        raise InvalidParameter(
            f"`assets` names {len(names)} assets; name 1 to {MOST_ASSETS}, by commas: ids of /v1/markets",
            field="assets",
        )
    return names
