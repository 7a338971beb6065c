"""The operator's pages, `/operator`, and the same as JSON: how the installation does."""

from datetime import UTC, datetime
from typing import Any

from starlette.responses import Response

from usufruct.console.access_pages import operators_only
from usufruct.console.desk_pages import PATH as DESK
from usufruct.console.installation_view import InstallationView
from usufruct.console.operators import Operators
from usufruct.core import Address, divide_down, divide_up, format_asset
from usufruct.web import Operation, Request, document_response
from usufruct.web.ui import Language, PageRoute, Pages
from usufruct_client.operator_documents import HealthFacts, InstallationFacts

PATH = "/operator"

_DIGITS = 5
_SHOWN = 10 ** (18 - _DIGITS)

_COOKIE = {"cookie": "the session's"}
_REFUSES = {401: "no one is signed in", 403: "the signed-in wallet is not an operator's"}
_SHOW = Operation("Return how the installation does.", InstallationFacts, takes=_COOKIE, refuses=_REFUSES)
_HEALTH = Operation("Ask what `usufruct doctor` asks.", HealthFacts, takes=_COOKIE, refuses=_REFUSES)


def operator_routes(view: InstallationView, operators: Operators, pages: Pages) -> list[PageRoute]:
    """Return the routes of the operator's pages."""
    operator = view.operator
    common: dict[str, Any] = {
        "moment": lambda seconds: datetime.fromtimestamp(seconds, UTC),
        "money": lambda language, amount: language.money(amount, operator.decimals, operator.symbol),
        "coins": _coins_down,
        "coins_up": _coins_up,
        "path_of": lambda asset: f"{DESK}/{format_asset(asset)}",
    }

    async def page(request: Request, _: Address) -> Response:
        facts = await view.facts()
        return pages.answer(request, "console/operator.html", facts=facts, health=None, **common)

    async def health_page(request: Request, _: Address) -> Response:
        health = await view.health()
        return pages.answer(request, "console/operator.html", fragment="health", facts=None, health=health, **common)

    async def show(request: Request) -> Response:
        await operators.require(request.exchange)
        return document_response(await view.facts())

    async def health(request: Request) -> Response:
        await operators.require(request.exchange)
        return document_response(await view.health())

    return [
        PageRoute("GET", PATH, operators_only(operators, pages, page)),
        PageRoute("GET", f"{PATH}/health", operators_only(operators, pages, health_page)),
        PageRoute("GET", "/v1/operator", show, _SHOW),
        PageRoute("GET", "/v1/operator/health", health, _HEALTH),
    ]


def _coins_down(language: Language, amount: int) -> str:
    """Write coins that are held with five digits after the point."""
    return language.money(divide_down(amount, _SHOWN), _DIGITS, "ETH")


def _coins_up(language: Language, amount: int) -> str:
    """Write coins that are needed with five digits after the point."""
    return language.money(divide_up(amount, _SHOWN), _DIGITS, "ETH")
