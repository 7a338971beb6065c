"""The page of market API keys, `/market-keys`: make one by one tap, see what it used, delete it.

A signed-in person sees the keys that they made, and deletes one without its text. A key's text travels in the body of
a form, never in an address. No cache keeps a page that shows one.
"""

from datetime import UTC, datetime
from functools import partial
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

    async def revoke_mine(request: Request) -> Response:
        session = await sessions.require(request.exchange)
        await keys.revoke_of(session.address, (await request.form_fields()).get("id", ""))
        return await _answer(request, revoked=True)

    async def _answer(request: Request, **found: Any) -> Response:
        session = await sessions.find(request.exchange)
        values: dict[str, Any] = {"made": "", "shown": "", "holder": None, "revoked": False, **found}
        values |= {"policy": keys.policy, "signed_in": session is not None, "root": request.exchange.root}
        values["mine"] = () if session is None else await keys.of(session.address)
        answer = pages.answer(request, _TEMPLATE, moment=partial(datetime.fromtimestamp, tz=UTC), **values)
        answer.headers["cache-control"] = "private, no-store"
        return answer

    return [
        PageRoute("GET", KEYS, show, _PAGE),
        PageRoute("POST", KEYS, create),
        PageRoute("POST", f"{KEYS}/use", use),
        PageRoute("POST", f"{KEYS}/delete", revoke),
        PageRoute("POST", f"{KEYS}/delete-mine", revoke_mine),
    ]
