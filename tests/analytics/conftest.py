"""The market API served in this process, from a snapshot of a simulated market."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.fake_clock import FakeClock
from tests.support.market_archive import simulated_inputs
from usufruct.accounts import Session
from usufruct.analytics.api import MarketTables, market_routes
from usufruct.analytics.api_answer import MarketApi
from usufruct.analytics.api_keys import KeyPolicy, MarketKeys
from usufruct.analytics.snapshot import Snapshot
from usufruct.analytics.snapshot_build import build_snapshot
from usufruct.analytics.snapshot_files import SnapshotReader, write_snapshot
from usufruct.core import Address
from usufruct.payments.pricing import Benefits
from usufruct.store import Stamp, open_database
from usufruct.web import HttpExchange, Router, openapi_route

LAST_DAY = datetime(2026, 1, 31, tzinfo=UTC)
NOW = int(datetime(2026, 2, 1, 0, 30, tzinfo=UTC).timestamp())
STAKER = Address("0x" + "ab" * 20)


class Staked:
    """Levels of an installation where one account has level 3: four times the usual quota."""

    discounts: tuple[int, ...] = ()

    async def of(self, payer: Address, *, funded: bool = True) -> Benefits:
        return Benefits(3, 500, 40_000) if payer == STAKER else Benefits()


class OneSession:
    """Sessions in which a header says who is signed in."""

    async def find(self, exchange: HttpExchange) -> Session | None:
        return Session(STAKER, 0) if exchange.header(b"x-test-signed-in") else None


@dataclass
class MarketWorld:
    """The API with a key; `client` sends it."""

    client: httpx.AsyncClient
    keys: MarketKeys
    clock: FakeClock
    snapshot: Snapshot
    folder: Path
    key: str
    app: Router

    async def get(self, path: str, **parameters: Any) -> dict[str, Any]:
        answer = await self.client.get(f"/v2{path}", params=parameters)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        assert body["success"]
        assert body["length"] == len(body["data"])
        return body

    async def rows(self, path: str, **parameters: Any) -> list[dict[str, Any]]:
        data: list[dict[str, Any]] = (await self.get(path, **parameters))["data"]
        return data


@pytest.fixture(scope="session")
def snapshot() -> Snapshot:
    return build_snapshot(simulated_inputs(LAST_DAY), NOW)


@pytest.fixture
def sqlite_url(databases: Any) -> str:
    return str(databases.migrated("sqlite"))


@pytest.fixture
async def market(sqlite_url: str, snapshot: Snapshot, tmp_path: Path) -> AsyncIterator[MarketWorld]:
    clock = FakeClock(NOW)
    database = open_database(sqlite_url)
    write_snapshot(tmp_path / "ratings", snapshot)
    policy = KeyPolicy(calls_per_month=300, calls_per_minute=200, keys_per_day=3)
    keys = MarketKeys(database, Stamp(b"a secret of these tests .........", "networks"), clock, Staked(), policy)
    tables = MarketTables(SnapshotReader(tmp_path / "ratings", clock), clock)
    routes = market_routes(tables, MarketApi(keys), keys, OneSession())  # type: ignore[arg-type]
    app = Router([*routes, openapi_route(routes, "1")])
    transport = httpx.ASGITransport(app, client=("203.0.113.7", 40_000))
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway.test", timeout=120) as client:
        made = await client.post("/v2/keys", json={"label": "tests"})
        assert made.status_code == 201, made.text
        key = made.json()["data"][0]["KEY"]
        client.headers["x-api-key"] = key
        yield MarketWorld(client, keys, clock, snapshot, tmp_path / "ratings", key, app)
    await database.close()
