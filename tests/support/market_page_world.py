"""The pages of the market in this process, and as a browser reaches them: what tests of pages ask."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.support.fake_clock import FakeClock
from tests.support.market_world import OneSession, Staked
from usufruct.analytics.api import MarketTables, market_routes
from usufruct.analytics.api_answer import MarketApi
from usufruct.analytics.api_keys import KeyPolicy, MarketKeys
from usufruct.analytics.key_pages import key_pages
from usufruct.analytics.live.api import live_routes
from usufruct.analytics.live.feed import LivePriceFeed
from usufruct.analytics.live.fixing import FixedPrice
from usufruct.analytics.live.model import LiveTable
from usufruct.analytics.live.price_file import LiveReader, updated, write_table
from usufruct.analytics.pages import CurrentFigures, market_pages
from usufruct.analytics.snapshot import Snapshot
from usufruct.analytics.snapshot_files import SnapshotReader, write_snapshot
from usufruct.analytics.writing import ReportFile, Wording
from usufruct.store import Stamp, open_database
from usufruct.web import Router, openapi_route
from usufruct.web.ui import Pages, Site


class PagesWorld:
    """The pages and their API in this process, and as a browser reaches them."""

    def __init__(self, app: Router, clock: FakeClock, folder: Path) -> None:
        self.app = app
        self.clock = clock
        self.folder = folder
        self.live = LiveTable(0, 60, synthetic=True)
        transport = httpx.ASGITransport(app, client=("203.0.113.7", 40_000))
        self.client = httpx.AsyncClient(transport=transport, base_url="http://gateway.test", timeout=120)

    async def page(self, path: str, language: str = "en", **fields: str) -> str:
        """Return a page's text, whole words without markup."""
        headers = {"accept": "text/html", "accept-language": language}
        method = "POST" if fields else "GET"
        answer = await self.client.request(method, path, headers=headers, data=fields or None)
        assert answer.status_code in (200, 400, 401, 404, 503), answer.text
        text = re.sub(r"<(script|style|template).*?</\1>", "", answer.text, flags=re.DOTALL)
        return " ".join(re.sub(r"<[^>]+>", " ", text).replace("&nbsp;", " ").replace("\N{NO-BREAK SPACE}", " ").split())

    def publish(self, asset: str, price: float, *, synthetic: bool = True) -> None:
        """Write a live price of now, as a worker does."""
        now = self.clock.now()
        table = updated(self.live, [(asset, FixedPrice(price, now, ("alpha", "beta")))], now)
        self.live = LiveTable(table.version, table.stale_after, synthetic, table.medians)
        write_table(self.folder.parent, self.live)

    async def states(self, path: str) -> set[str]:
        """Return what a page without scripts says of its live prices: `live` or `stale`; nothing where it has none."""
        text = (await self.client.get(path, headers={"accept": "text/html"})).text
        return {name for name, hidden in re.findall(r'data-state="(\w+)"( hidden)?', text) if not hidden}

    async def json(self, path: str, **parameters: Any) -> dict[str, Any]:
        answer = await self.client.get(f"/v1{path}", params=parameters)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body


@asynccontextmanager
async def market_page_world(url: str, snapshot: Snapshot, folder: Path, now: int) -> AsyncIterator[PagesWorld]:
    """Serve the pages of a snapshot, which is written under `folder`."""
    clock, database, pages = FakeClock(now), open_database(url), Pages(Site())
    ratings = folder / "ratings"
    write_snapshot(ratings, snapshot)
    policy = KeyPolicy(keys_per_day=3)
    keys = MarketKeys(database, Stamp(b"a secret of these tests .........", "networks"), clock, Staked(), policy)
    tables, sessions = MarketTables(SnapshotReader(ratings, clock), clock), OneSession()
    feed = LivePriceFeed(LiveReader(folder), clock)
    routes = [
        *pages.static.routes,
        *market_routes(tables, MarketApi(keys), keys, sessions),  # type: ignore[arg-type]
        *market_pages(CurrentFigures(tables), pages, feed, Wording(reports=ReportFile(folder / "words"))),
        *live_routes(feed),
        *key_pages(keys, sessions, pages),  # type: ignore[arg-type]
    ]
    yield PagesWorld(Router([*routes, openapi_route(routes, "1")], error_page=pages.error_page), clock, ratings)
    await database.close()
