"""A server of `make bench-ratings`: `/v2/price` of a simulated market, or a bare FastAPI endpoint with its bytes.

`python -m bench.ratings_server usufruct|fastapi FOLDER` prints {"url", "key"}; both run on the settings of `usufruct
serve`. The bare one checks no key and counts no call. It reads the bytes from `FOLDER/price.json`.
"""

import asyncio
import json
import sys
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from usufruct.accounts import Sessions
from usufruct.analytics.api import MarketTables, market_routes
from usufruct.analytics.api_answer import MarketApi
from usufruct.analytics.api_keys import KeyPolicy, MarketKeys
from usufruct.analytics.snapshot_build import MarketInputs, build_snapshot
from usufruct.analytics.snapshot_files import SnapshotReader, write_snapshot
from usufruct.connectors.prices import Bars, Interval, SyntheticMarket, synthesize
from usufruct.core import Clock
from usufruct.payments.pricing import NoLevels
from usufruct.store import Stamp, ensure_current, open_database
from usufruct.web import HttpExchange, Router, Server, base_url, event_loop_factory, listen

ASSETS, DAYS = 100, 200


async def our_app(folder: Path) -> tuple[Any, str]:
    """Return the market API on a simulated market, and a key of it."""
    clock = Clock()
    first = datetime.fromtimestamp(clock.now(), UTC).date() - timedelta(days=DAYS)
    panel = synthesize(SyntheticMarket(assets=ASSETS, days=DAYS, first_day=first))
    start = datetime(first.year, first.month, first.day, tzinfo=UTC)
    close = panel.close
    bars = Bars(Interval.DAY, start, panel.assets, close, close, close, close, panel.volume)
    write_snapshot(folder / "ratings", build_snapshot(MarketInputs(panel, bars), clock.now()))
    database = open_database(f"sqlite:///{folder / 'bench.db'}")
    await ensure_current(database)
    stamp = Stamp(b"a secret of this benchmark ......", "networks")
    policy = KeyPolicy(1 << 40, 1 << 40, 1_000)
    keys = MarketKeys(database, stamp, clock, NoLevels(), policy)
    scope = {"type": "http", "method": "POST", "path": "/", "headers": [], "client": ("127.0.0.1", 1)}
    text, _ = await keys.create(HttpExchange(scope, cast(Any, None), cast(Any, None)))
    sessions = cast(Sessions, None)  # only asked when keys are made over HTTP
    tables = MarketTables(SnapshotReader(folder / "ratings", clock), clock)
    return Router(market_routes(tables, MarketApi(keys), keys, sessions)), text


def bare_app(folder: Path) -> Any:
    """Return one FastAPI endpoint that answers with the bytes of a file."""
    fastapi = import_module("fastapi")  # only in the peer's folder
    content = (folder / "price.json").read_bytes()

    async def price(token_id: str = "") -> Any:
        return fastapi.Response(content, media_type="application/json")

    app = fastapi.FastAPI()
    app.get("/v2/price", response_model=None)(price)
    return app


async def serve(kind: str, folder: Path) -> None:
    """Serve until stopped."""
    app, key = await our_app(folder) if kind == "usufruct" else (bare_app(folder), "-")
    with listen("127.0.0.1", 0) as listening:
        print(json.dumps({"url": base_url(listening, "127.0.0.1"), "key": key}), flush=True)
        await Server(app, lifespan="off").serve(sockets=[listening])


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=event_loop_factory()) as runner:
        runner.run(serve(sys.argv[1], Path(sys.argv[2])))
