"""The stream of live prices, served as in production: news, staleness, resumption, limits, and a server that drains."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import pytest

from tests.support.fake_clock import FakeClock
from tests.support.gateway_server import served
from tests.support.waiting import until
from usufruct.analytics.live.api import PATH, STREAM, live_routes
from usufruct.analytics.live.feed import LivePriceFeed, StreamLimits
from usufruct.analytics.live.fixing import FixedPrice
from usufruct.analytics.live.model import LiveTable, StreamsTaken, TooManyStreams
from usufruct.analytics.live.price_file import LiveReader, updated, write_table
from usufruct.web import Router, Server

NOW = 1_770_000_000
STALE_AFTER = 60


@dataclass
class Live:
    """A gateway with live prices; the test is its worker."""

    folder: Path
    clock: FakeClock
    feed: LivePriceFeed
    table: LiveTable
    url: str = ""
    server: Server | None = None

    def publish(self, **prices: float) -> None:
        now = self.clock.now()
        fixed = [(asset, FixedPrice(price, now, ("alpha",))) for asset, price in prices.items()]
        self.table = updated(self.table, fixed, now)
        write_table(self.folder, self.table)


@dataclass
class Stream:
    """The events that a client reads."""

    response: aiohttp.ClientResponse

    async def event(self) -> dict[str, Any]:
        """Return the next event's fields, its data read from JSON; heartbeats are passed over."""
        fields: dict[str, Any] = {}
        async with asyncio.timeout(60):
            while True:
                line = (await self.response.content.readline()).decode()
                if line == "":
                    raise EOFError
                name, _, text = line.strip().partition(": ")
                if name in ("id", "event", "data"):
                    fields[name] = json.loads(text) if name == "data" else text
                elif line == "\n" and fields:
                    return fields


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[Live]:
    clock = FakeClock(NOW)
    feed = LivePriceFeed(LiveReader(tmp_path), clock, StreamLimits(total=3, per_network=2))
    world = Live(tmp_path, clock, feed, LiveTable(0, STALE_AFTER, synthetic=True))
    async with served(Router(live_routes(feed))) as (world.server, url, _):
        world.url = url.removesuffix("/v1")
        yield world


@asynccontextmanager
async def opened(live: Live, assets: str, last: str = "") -> AsyncIterator[Stream]:
    headers = {"last-event-id": last} if last else {}
    async with (
        aiohttp.ClientSession(live.url) as session,
        session.get(STREAM, params={"assets": assets}, headers=headers) as response,
    ):
        assert response.status == 200, await response.text()
        assert response.content_type == "text/event-stream"
        yield Stream(response)


def shown(event: dict[str, Any]) -> dict[str, tuple[float, bool]]:
    return {each["asset"]: (each["price"], each["stale"]) for each in event["data"]["prices"]}


async def test_a_stream_begins_with_all_and_goes_on_with_what_changed(live: Live):
    live.publish(a=1.0, b=2.0, c=3.0)
    async with opened(live, "a,b,nothing") as stream:
        first = await stream.event()
        assert shown(first) == {"a": (1.0, False), "b": (2.0, False)}
        assert first["data"]["missing"] == ["nothing"]
        assert first["id"] == str(live.table.version)
        live.publish(c=4.0)
        live.publish(b=2.5)
        assert shown(await stream.event()) == {"b": (2.5, False)}


async def test_a_price_that_no_venue_renews_is_sent_as_stale_with_its_age(live: Live):
    live.publish(a=1.0)
    async with opened(live, "a") as stream:
        await stream.event()
        live.clock.advance(STALE_AFTER)
        event = await stream.event()
        assert shown(event) == {"a": (1.0, True)}
        assert event["data"]["prices"][0]["age"] == STALE_AFTER
        live.publish(a=1.0)
        assert shown(await stream.event()) == {"a": (1.0, False)}


async def test_a_client_that_comes_back_is_sent_what_it_missed_and_what_is_stale(live: Live):
    live.publish(a=1.0, b=2.0)
    async with opened(live, "a,b") as stream:
        known = (await stream.event())["id"]
    live.publish(b=2.5)
    async with opened(live, "a,b", known) as stream:
        assert shown(await stream.event()) == {"b": (2.5, False)}
    live.clock.advance(STALE_AFTER)
    live.publish(b=2.75)
    async with opened(live, "a,b", str(live.table.version)) as stream:
        assert shown(await stream.event()) == {"a": (1.0, True)}
    async with opened(live, "a,b", "no number") as stream:
        assert shown(await stream.event()) == {"a": (1.0, True), "b": (2.75, False)}


async def test_who_reads_slowly_is_sent_the_newest_value_and_nothing_in_between(live: Live):
    live.publish(a=1.0)
    with live.feed.reading(["a"], None, lambda: False) as subscriber:
        for number in range(2, 100):
            live.publish(a=float(number))
            live.feed.look()
        assert await subscriber.wait(60)
        assert not subscriber._news.is_set(), "a hundred changes are one wake-up"
    async with opened(live, "a") as stream:
        assert shown(await stream.event()) == {"a": (99.0, False)}


async def test_streams_are_bounded_by_network_and_in_all_and_are_given_back(live: Live):
    live.publish(a=1.0)
    join = lambda network: live.feed.reading(["a"], network, lambda: False)  # noqa: E731
    with join("192.0.2.1"), join("192.0.2.1"):
        with pytest.raises(TooManyStreams, match="2 streams open"):
            join("192.0.2.1").__enter__()
        with join("192.0.2.2"), pytest.raises(StreamsTaken, match="all 3 streams"):
            join("192.0.2.3").__enter__()
    assert not live.feed._subscribers
    assert not live.feed._networks
    assert live.feed._looking is None, "without a reader the file is not looked at"


async def test_a_client_that_hangs_up_leaves_nothing_behind(live: Live):
    live.publish(a=1.0)
    async with opened(live, "a") as stream:
        await stream.event()
        assert len(live.feed._subscribers) == 1
    await until(lambda: not live.feed._subscribers)


async def test_a_draining_server_ends_streams_with_their_last_event_whole(live: Live):
    live.publish(a=1.0)
    async with opened(live, "a") as stream:
        await stream.event()
        assert live.server is not None
        live.publish(a=2.0)
        live.server.drain()
        async with asyncio.timeout(60):
            rest = (await stream.response.content.read()).decode()
    assert rest.endswith("\n\n") or not rest, "nothing is cut"
    for line in rest.splitlines():
        if line.startswith("data: "):
            json.loads(line.removeprefix("data: "))


async def test_the_same_as_json_with_what_is_missing_and_what_is_refused(live: Live):
    async with httpx.AsyncClient(base_url=live.url, timeout=120) as client:
        assert (await client.get(PATH, params={"assets": "a"})).status_code == 503
        assert (await client.get(STREAM, params={"assets": "a"})).json()["error"]["code"] == "no_live_prices"
        live.publish(a=1.0)
        live.clock.advance(7)
        body = (await client.get(PATH, params={"assets": "b,a,a"})).json()
        assert body == {
            "now": NOW + 7,
            "staleAfter": STALE_AFTER,
            "synthetic": True,
            "prices": [{"asset": "a", "price": 1.0, "at": NOW, "age": 7, "stale": False, "venues": ["alpha"]}],
            "missing": ["b"],
        }
        for assets in ("", ",".join(map(str, range(101)))):
            assert (await client.get(PATH, params={"assets": assets})).json()["error"]["param"] == "assets"
