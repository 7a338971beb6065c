"""Requests that change something are limited by network, all routes together; the rest is not counted."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from starlette.responses import Response

from tests.support.fake_clock import FakeClock
from usufruct.web import Operation, RawRoute, Request, Route, Router, WriteLimit, json_response, openapi_route
from usufruct.web.ui import PageRoute, Pages, Site

MOST = 3


async def done(_: Request) -> Response:
    return json_response({"done": True})


async def done_raw(exchange) -> None:
    await exchange.answer_json({"done": True}, [])


ROUTES = [
    Route("GET", "/things", done, Operation("List.", {"type": "object"})),
    Route("POST", "/things", done, Operation("Make.", {"type": "object"}, refuses={429: "the day's are made"})),
    PageRoute("DELETE", "/things/{thing}", done, Operation("Remove.", {"type": "object"})),
    RawRoute("POST", "/calls", done_raw, Operation("Call.", {"type": "object"}, refuses={402: "the price"}, paid=True)),
    RawRoute("POST", "/keys", done_raw, Operation("Make a key.", {"type": "object"}, has_own_limit=True)),
]


@asynccontextmanager
async def caller(router: Router, address: str) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(router, client=(address, 4_000))
    async with httpx.AsyncClient(transport=transport, base_url="http://test", timeout=120) as http:
        yield http


def router(clock: FakeClock, most: int = MOST) -> Router:
    limit, pages = WriteLimit(most, clock), Pages(Site())
    routes = [limit.limited(each) for each in ROUTES]
    return Router([*routes, openapi_route(routes, "1")], error_page=pages.error_page)


async def statuses(http: httpx.AsyncClient, method: str, path: str, times: int) -> list[int]:
    return [(await http.request(method, path)).status_code for _ in range(times)]


async def test_a_network_sends_so_many_in_a_minute_to_all_routes_together():
    clock = FakeClock()
    app = router(clock)
    async with caller(app, "2001:db8::7") as here, caller(app, "203.0.113.7") as there:
        assert await statuses(here, "POST", "/things", 2) == [200, 200]
        assert await statuses(here, "DELETE", "/things/1", 2) == [200, 429]
        refused = await here.post("/things")
        assert (refused.status_code, refused.json()["error"]["code"]) == (429, "too_many_writes")
        assert refused.headers["retry-after"] == "61"
        assert refused.json()["error"]["details"] == {"most": "3", "retry_after": "61"}
        async with caller(app, "2001:db8::8") as neighbour:
            assert await statuses(neighbour, "POST", "/things", 1) == [429], "of the same network"
        assert await statuses(there, "POST", "/things", 1) == [200]
        assert await statuses(here, "GET", "/things", 9) == [200] * 9
        clock.advance(60)
        assert await statuses(here, "POST", "/things", MOST + 1) == [200] * MOST + [429]


@pytest.mark.parametrize("path", ["/calls", "/keys"])
async def test_what_is_paid_or_has_a_limit_of_its_own_is_not_counted(path):
    async with caller(router(FakeClock()), "203.0.113.7") as http:
        assert await statuses(http, "POST", path, MOST * 3) == [200] * MOST * 3
        assert await statuses(http, "POST", "/things", 1) == [200]


@pytest.mark.parametrize(("address", "most"), [("127.0.0.1", MOST), ("", MOST), ("203.0.113.7", 0)])
async def test_this_machine_and_a_limit_of_0_are_not_counted(address, most):
    async with caller(router(FakeClock(), most), address) as http:
        assert await statuses(http, "POST", "/things", MOST * 3) == [200] * MOST * 3


async def test_the_limit_is_described_and_a_reader_gets_a_page():
    async with caller(router(FakeClock(), 1), "203.0.113.7") as http:
        described = (await http.get("/openapi.json")).json()["paths"]
        assert "429" not in described["/things"]["get"]["responses"]
        assert "429" not in described["/calls"]["post"]["responses"]
        own = described["/things"]["post"]["responses"]["429"]["description"]
        assert own.startswith("the day's are made; or the caller's network sent")
        assert described["/things/{thing}"]["delete"]["responses"]["429"]["description"].startswith("the caller's")
        await http.post("/things")
        page = await http.post("/things", headers={"accept": "text/html", "accept-language": "de"})
        assert (page.status_code, page.headers["retry-after"]) == (429, "61")
        assert "Aus Ihrem Netz" in page.text
