"""Pages in a browser call a gateway as its operator configured: preflights are answered, headers can be read."""

import re
from pathlib import Path

import httpx
import pytest

import usufruct
from usufruct.config import GatewayConfig
from usufruct.core.components import Context
from usufruct.gateway.component import build
from usufruct.web import RawRoute, Router, allow_browsers
from usufruct.web.cors import EXPOSED_HEADERS

PAGE = "https://app.example"
PREFLIGHT = {
    "origin": PAGE,
    "access-control-request-method": "POST",
    "access-control-request-headers": "authorization,content-type,payment-signature",
}
SOURCE = Path(usufruct.__file__).parent
GATEWAYS = build(Context()).exposed_headers


async def priced(exchange) -> None:
    exchange.attach([(b"payment-required", b"e30=")])
    await exchange.answer_json({}, status=402)


APP = Router([RawRoute("POST", "/v1/chat/completions", priced)])


def browser(origins: str) -> httpx.AsyncClient:
    app = allow_browsers(APP, origins.split(), GATEWAYS)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway", timeout=120)


@pytest.mark.parametrize("origins", ["*", PAGE, f"https://other.example {PAGE}"])
async def test_a_page_that_may_call_is_answered_and_reads_the_headers(origins):
    async with browser(origins) as http:
        asked = await http.options("/v1/chat/completions", headers=PREFLIGHT)
        assert asked.status_code == 200
        assert asked.headers["access-control-allow-origin"] in ("*", PAGE)
        assert "POST" in asked.headers["access-control-allow-methods"]
        allowed = asked.headers["access-control-allow-headers"].lower()
        assert {"authorization", "payment-signature"} <= {each.strip() for each in allowed.split(",")}
        assert "access-control-allow-credentials" not in asked.headers
        answer = await http.post("/v1/chat/completions", headers={"origin": PAGE})
        assert answer.status_code == 402
        assert answer.headers["access-control-allow-origin"] in ("*", PAGE)
        exposed = {each.strip() for each in answer.headers["access-control-expose-headers"].split(",")}
        assert {"payment-required", "payment-response", "x-request-id", "x-usufruct-receipt"} <= exposed


@pytest.mark.parametrize("origins", ["", "https://other.example"])
async def test_other_pages_are_not_let_in(origins):
    async with browser(origins) as http:
        asked = await http.options("/v1/chat/completions", headers=PREFLIGHT)
        assert asked.status_code in (400, 405)
        assert "access-control-allow-origin" not in asked.headers
        answer = await http.post("/v1/chat/completions", headers={"origin": PAGE})
        assert "access-control-allow-origin" not in answer.headers


async def test_who_is_no_browser_sees_no_difference():
    async with browser(GatewayConfig().cors_origins) as http:
        answer = await http.post("/v1/chat/completions")
        assert not [name for name in answer.headers if name.startswith("access-control")]
        assert (await http.options("/v1/chat/completions")).status_code == 405


def test_every_header_of_ours_can_be_read():
    """Whatever is sent as bytes under one of these names is a response's; requests' are read by `exchange.header`."""
    sent = re.compile(r'\(b"((?:x-usufruct|payment|x-request|x-should|retry)-?[a-z-]*)",')
    names = {name for path in SOURCE.rglob("*.py") for name in sent.findall(path.read_text())}
    assert {"x-usufruct-ceiling", "x-request-id"} <= names
    assert names <= {*EXPOSED_HEADERS, *GATEWAYS}
