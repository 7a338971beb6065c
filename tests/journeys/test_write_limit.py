"""Every route that changes something is limited by network, whether or not its caller is signed in."""

import re
from collections.abc import AsyncIterator, Set
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.journeys.test_market_x402 import PLATFORM
from tests.support.devnet_template import DevnetTemplate
from tests.support.x402_installation import x402_installation
from usufruct.app import Installation, open_installation
from usufruct.config import GovernanceConfig, MarketsConfig
from usufruct.web import Router
from usufruct.web.write_limit import WRITE_METHODS

MOST = 2
KEYS_A_DAY = 5
PAID = "without a payment it is refused with the price; payers have limits on calls and on abandoned answers"
BOUNDED = {
    ("POST", "/v1/chat/completions"): PAID,
    ("POST", "/v1/embeddings"): PAID,
    ("POST", "/v2/tmai"): PAID,
    ("POST", "/v2/keys"): "a network makes five keys a day",
    ("DELETE", "/v2/keys/current"): "without a market key it is refused and writes nothing, and a key ends once",
}
"""Routes that the limit does not count, each with what bounds its callers."""

Writes = Set[tuple[str, str]]
"""Methods and paths."""


def writes(installation: Installation) -> Writes:
    """Return the routes that change something."""
    routes = [route for component in installation.components for route in component.routes()]
    return {(each.method, each.path) for each in routes if each.method in WRITE_METHODS}


@asynccontextmanager
async def caller(app: Router, address: str) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, client=(address, 4_000))
    async with httpx.AsyncClient(transport=transport, base_url="http://test", timeout=60) as http:
        yield http


async def answers_of(app: Router, method: str, path: str, network: str, times: int) -> list[httpx.Response]:
    """Send the same request several times from one network, with any text for the path's parameters."""
    target = re.sub(r"\{\w+(:path)?\}", "0x" + "12" * 16, path)
    async with caller(app, network) as http:
        return [await http.request(method, target, json={}) for _ in range(times)]


async def check_limited(app: Router, known: Writes) -> None:
    for number, (method, path) in enumerate(sorted(known)):
        answers = await answers_of(app, method, path, f"2001:db8:0:{number:x}::1", MOST + 1)
        assert [each.status_code == 429 for each in answers] == [False] * MOST + [True], (method, path)
        assert answers[-1].json()["error"]["code"] == "too_many_writes", path
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 61, path


async def check_bounded(app: Router) -> None:
    for method, path in BOUNDED.keys() - {("POST", "/v2/keys")}:
        answers = await answers_of(app, method, path, "203.0.113.7", MOST + 2)
        assert {each.status_code for each in answers} <= {400, 401, 402, 503}, (path, [each.text for each in answers])
    *made, refused = await answers_of(app, "POST", "/v2/keys", "203.0.113.7", KEYS_A_DAY + 1)
    assert [each.status_code for each in made] == [201] * KEYS_A_DAY
    assert (refused.status_code, int(refused.headers["retry-after"]) > 0) == (429, True)


async def check_described(app: Router, known: Writes) -> None:
    async with caller(app, "127.0.0.1") as http:
        paths: dict[str, dict[str, Any]] = (await http.get("/openapi.json")).json()["paths"]
    for method, path in known:
        operation = paths.get(path.replace(":path", ""), {}).get(method.lower())
        assert operation is None or "429" in operation["responses"], (method, path)


@pytest.mark.anvil
async def test_many_requests_of_one_network_end_in_429_at_every_route(devnet_template: DevnetTemplate, tmp_path: Path):
    markets, voting = MarketsConfig(api="yes"), GovernanceConfig(quorum_floor="10000000")
    async with x402_installation(
        devnet_template, tmp_path, markets=markets, platform_token=PLATFORM, governance=voting
    ) as world:
        config = world.installation.config
        limited = replace(config, gateway=replace(config.gateway, writes_per_minute=MOST))
        async with open_installation(limited) as installation:
            app, known = installation.router(), writes(installation)
            assert BOUNDED.keys() <= known
            assert len(known) > 100
            for name in ("sessions", "sessions/challenge", "keys", "offers", "purchases", "deposits"):
                assert ("POST", f"/v1/{name}") in known - BOUNDED.keys()
            await check_limited(app, known - BOUNDED.keys())
            await check_bounded(app)
            await check_described(app, known - BOUNDED.keys())
