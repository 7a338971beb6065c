"""`/_gallery`: every component in each of its states, for those who make pages; served on local chains only."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from starlette.responses import Response

from usufruct.core import Invalid
from usufruct.web.http_exchange import EVENT_STREAM, HttpExchange
from usufruct.web.request import Request
from usufruct.web.router import AnyRoute, RawRoute
from usufruct.web.ui.page_route import PageRoute
from usufruct.web.ui.pages import Pages

PATH = "/_gallery"

_WORST_NAME = "<script>alert(1)</script> & a name of sixty characters without any"
_TEMPLATE = "ui/gallery.html"
_SAMPLES: dict[str, Any] = {
    "address": "0x52908400098527886E0F7030069857D2E4169EE7",
    "at": datetime(2026, 11, 28, 14, 5, tzinfo=UTC),
    "income": [("Mon", 120), ("Tue", 340), ("Wed", 180), ("Thu", 510), ("Fri", 470), ("Sat", 60), ("Sun", 95)],
    "prices": [(f"{day}.", 200 + 9 * day - day * day // 3) for day in range(1, 31)],
    "holders": [("Ada", 40), ("Grace", 25), ("Alan", 15), ("Edsger", 10), ("Barbara", 6), ("Donald", 4)],
    "name": _WORST_NAME,
}
_STEPS = (("warn", "1/3"), ("warn", "2/3"), ("good", "3/3"))
_STEP_SECONDS = 0.4


def gallery_routes(pages: Pages) -> list[AnyRoute]:
    """Return the gallery and the endpoints of its live examples."""

    async def gallery(request: Request) -> Response:
        return pages.answer(request, _TEMPLATE, **_SAMPLES, error="", amount="")

    async def loaded(request: Request) -> Response:
        return pages.answer(request, _TEMPLATE, fragment="loaded", **_SAMPLES, error="", amount="")

    async def order(request: Request) -> Response:
        amount = (await request.form_fields()).get("amount", "")
        error = "" if amount.isdecimal() else "a whole number, such as 5"
        return pages.answer(request, _TEMPLATE, fragment="form", **_SAMPLES, error=error, amount=amount)

    async def fail(request: Request) -> Response:
        raise Invalid("this button always fails; nothing was changed", code="gallery_failure")

    async def steps(exchange: HttpExchange) -> None:  # Starlette's `StreamingResponse` takes two more tasks for each
        await exchange.start(200, EVENT_STREAM)
        for kind, text in _STEPS:
            await exchange.write(f'data: <span class="status {kind}">{text}</span>\n\n'.encode())
            await asyncio.sleep(_STEP_SECONDS)
        await exchange.write(b"event: done\ndata:\n\n", more=False)

    return [
        PageRoute("GET", PATH, gallery),
        PageRoute("GET", f"{PATH}/loaded", loaded),
        RawRoute("GET", f"{PATH}/steps", steps),
        PageRoute("POST", f"{PATH}/order", order),
        PageRoute("POST", f"{PATH}/fail", fail),
    ]
