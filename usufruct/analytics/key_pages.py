"""The page of market API keys, `/market-keys`: make one by one tap, see what it used, delete it.

A key travels in the body of a form, never in an address, and the page that shows a new one is kept by no one.
"""

from typing import Any

from starlette.responses import Response

from usufruct.accounts import Sessions
from usufruct.analytics.api_keys import MarketKeys
from usufruct.web import Operation, Request, Route
from usufruct.web.ui import PageRoute, Pages

KEYS = "/market-keys"

_PAGE = Operation("Show people how to get a market API key.", {"type": "string"}, media_types=("text/html",))
_TEMPLATE = "analytics/keys.html"


def key_pages(keys: MarketKeys, sessions: Sessions, pages: Pages) -> list[Route]:
    """Return the routes of the page."""

    async def show(request: Request) -> Response:
        return await _answer(request)

    async def create(request: Request) -> Response:
        session = await sessions.find(request.exchange)
        account = None if session is None else session.address
        text, caller = await keys.create(
            request.exchange, (await request.form_fields()).get("label", "").strip(), account
        )
        return await _answer(request, made=text, holder=caller)

    async def use(request: Request) -> Response:
        text = (await request.form_fields()).get("key", "").strip()
        return await _answer(request, shown=text, holder=await keys.show(text))

    async def revoke(request: Request) -> Response:
        await keys.revoke(await keys.show((await request.form_fields()).get("key", "").strip()))
        return await _answer(request, revoked=True)

    async def _answer(request: Request, **found: Any) -> Response:
        session = await sessions.find(request.exchange)
        values = {"made": "", "shown": "", "holder": None, "revoked": False, **found}
        root = request.exchange.root
        answer = pages.answer(
            request, _TEMPLATE, policy=keys.policy, signed_in=session is not None, root=root, **values
        )
        answer.headers["cache-control"] = "private, no-store"
        return answer

    return [
        PageRoute("GET", KEYS, show, _PAGE),
        PageRoute("POST", KEYS, create),
        PageRoute("POST", f"{KEYS}/use", use),
        PageRoute("POST", f"{KEYS}/delete", revoke),
    ]
