"""The market API in this process, with a key: what tests of `/v2` call."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.support.fake_clock import FakeClock
from usufruct.accounts import Session
from usufruct.analytics.api_answer import MarketApi
from usufruct.analytics.api_keys import KeyPolicy, MarketKeys
from usufruct.core import Address
from usufruct.payments.pricing import Benefits
from usufruct.store import Stamp, open_database
from usufruct.web import HttpExchange, RawRoute, Router, Unauthenticated, openapi_route

STAKER = Address("0x" + "ab" * 20)


class Staked:
    """Levels of an installation where one account has level 3: four times the usual quota."""

    discounts: tuple[int, ...] = ()

    async def of(self, payer: Address, *, funded: bool = True) -> Benefits:
        return Benefits(3, 500, 40_000) if payer == STAKER else Benefits()


class OneSession:
    """Sessions in which a header says who is signed in: an address, or anything else for the staker."""

    async def find(self, exchange: HttpExchange) -> Session | None:
        who = exchange.header(b"x-test-signed-in")
        return Session(Address(who) if who.startswith("0x") else STAKER, 0) if who else None

    async def require(self, exchange: HttpExchange) -> Session:
        if (session := await self.find(exchange)) is None:
            raise Unauthenticated("sign in with your wallet first", code="not_signed_in", field="cookie")
        return session

    def known_site(self, exchange: HttpExchange) -> str:
        return exchange.root


@dataclass
class MarketWorld:
    """The API with a key; `client` sends it."""

    client: httpx.AsyncClient
    keys: MarketKeys
    clock: FakeClock
    folder: Path
    key: str
    app: Router

    async def get(self, path: str, **parameters: Any) -> dict[str, Any]:
        answer = await self.client.get(f"/v2{path}", params=parameters or None)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        assert body["success"]
        assert body["length"] == len(body["data"])
        return body

    async def rows(self, path: str, **parameters: Any) -> list[dict[str, Any]]:
        data: list[dict[str, Any]] = (await self.get(path, **parameters))["data"]
        return data


@asynccontextmanager
async def market_world(
    url: str, folder: Path, clock: FakeClock, build: Callable[[MarketApi, MarketKeys], Sequence[RawRoute]]
) -> AsyncIterator[MarketWorld]:
    """Serve the routes that `build` returns, and make a key; one of them is `POST /v2/keys`."""
    database = open_database(url)
    policy = KeyPolicy(calls_per_month=300, calls_per_minute=200, keys_per_day=3)
    keys = MarketKeys(database, Stamp(b"a secret of these tests .........", "networks"), clock, Staked(), policy)
    routes = build(MarketApi(keys), keys)
    app = Router([*routes, openapi_route(routes, "1")])
    transport = httpx.ASGITransport(app, client=("203.0.113.7", 40_000))
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway.test", timeout=120) as client:
        made = await client.post("/v2/keys", json={"label": "tests"})
        assert made.status_code == 201, made.text
        key = made.json()["data"][0]["KEY"]
        client.headers["x-api-key"] = key
        yield MarketWorld(client, keys, clock, folder, key, app)
    await database.close()
