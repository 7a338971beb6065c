"""The operator's pages, `/operator`, and the same as JSON: how the installation does, and whom its till pays."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from usufruct.console.access_pages import Show, operators_only, see_other
from usufruct.console.desk_pages import PATH as DESK
from usufruct.console.desk_pages import IsPasskey, scripts_needed
from usufruct.console.installation_view import InstallationView, Search
from usufruct.console.operators import Operators
from usufruct.console.payees import Payees
from usufruct.console.refusals import field_of
from usufruct.console.sale_forms import Form, read_cap, read_page, read_payee, refuse
from usufruct.core import Address, UsufructError, divide_down, divide_up, format_asset
from usufruct.web import Operation, Request, document_response
from usufruct.web.ui import Language, PageRoute, Pages
from usufruct_client.operator_documents import CapWish, HealthFacts, InstallationFacts, PayeeWish, TillChange
from usufruct_client.sale_documents import WalletTransaction

PATH = "/operator"

_MOST_TEXT = 200
_NAMED = 5
"""Services that are named for a payee."""

_DIGITS = 5
_SHOWN = 10 ** (18 - _DIGITS)

_COOKIE = {"cookie": "the session's"}
_REFUSES = {401: "no one is signed in", 403: "the signed-in wallet is not an operator's"}
_SHOW = Operation("Return how the installation does.", InstallationFacts, takes=_COOKIE, refuses=_REFUSES)
_HEALTH = Operation("Ask what `usufruct doctor` asks.", HealthFacts, takes=_COOKIE, refuses=_REFUSES)
_OWNERS = {401: "no one is signed in", 403: "the signed-in wallet does not own the till"}
_PAYEE = Operation(
    "Return what the owner's wallet sends, so that the till pays an address, or no more.",
    TillChange,
    PayeeWish,
    takes=_COOKIE,
    refuses=_OWNERS,
)
_CAP = Operation(
    "Return what the owner's wallet sends, so that the till caps what a payee gets a day.",
    TillChange,
    CapWish,
    takes=_COOKIE,
    refuses=_OWNERS,
)

Act = Callable[[Address, Form], Awaitable[Sequence[WalletTransaction]]]


def operator_routes(
    view: InstallationView, payees: Payees, operators: Operators, pages: Pages, is_passkey: IsPasskey
) -> list[PageRoute]:
    """Return the routes of the operator's pages."""
    operator = view.operator
    common: dict[str, Any] = {
        "moment": lambda seconds: datetime.fromtimestamp(seconds, UTC),
        "money": lambda language, amount: language.money(amount, operator.decimals, operator.symbol),
        "coins": _coins_down,
        "coins_up": _coins_up,
        "path_of": lambda asset: f"{DESK}/{format_asset(asset)}",
        "field_of": field_of,
    }

    async def page(request: Request, who: Address, error: UsufructError | None = None) -> Response:
        found = await view.page(_read_search(request))
        facts, search = found.facts, found.search
        return pages.answer(
            request,
            "console/operator.html",
            status=error.status if error else 200,
            facts=facts,
            health=None,
            token=operator.token,
            who=who,
            asks_wallet=payees.asks_wallet(who),
            passkey_account=await is_passkey(who),
            done=request.query_params.get("done", ""),
            error=error,
            search=search,
            pages=found.pages,
            payee_pages=found.payee_pages,
            page_path=lambda page: _path(replace(search, page=page)),
            payee_path=lambda page: f"{_path(replace(search, payee_page=page))}#payees",
            payee_choices=[(each.pay_to, f"{_named(each.services)} ({each.pay_to})") for each in facts.payees],
            named=_named,
            **common,
        )

    async def health_page(request: Request, _: Address) -> Response:
        health = await view.health()
        return pages.answer(request, "console/operator.html", fragment="health", facts=None, health=health, **common)

    async def show(request: Request) -> Response:
        await operators.require(request.exchange)
        return document_response(await view.facts())

    async def health(request: Request) -> Response:
        await operators.require(request.exchange)
        return document_response(await view.health())

    async def payee(request: Request) -> Response:
        who, wish = await operators.require(request.exchange), await request.read(PayeeWish, refuse)
        return document_response(TillChange(await payees.set_listed(who, wish)))

    async def cap(request: Request) -> Response:
        who, wish = await operators.require(request.exchange), await request.read(CapWish, refuse)
        return document_response(TillChange(await payees.set_cap(who, wish)))

    def doing(act: Act, done: str) -> Show:
        async def handle(request: Request, who: Address) -> Response:
            try:
                if await act(who, await request.form_fields()):
                    raise scripts_needed()
            except UsufructError as error:
                if error.status >= 500:
                    raise
                return await page(request, who, error)
            return see_other(request, f"{PATH}?done={done}")

        return handle

    set_payee = doing(lambda who, form: payees.set_listed(who, read_payee(form)), "payee")
    set_cap = doing(lambda who, form: payees.set_cap(who, read_cap(form)), "cap")

    return [
        PageRoute("GET", PATH, operators_only(operators, pages, page)),
        PageRoute("GET", f"{PATH}/health", operators_only(operators, pages, health_page)),
        PageRoute("POST", f"{PATH}/payees", operators_only(operators, pages, set_payee)),
        PageRoute("POST", f"{PATH}/caps", operators_only(operators, pages, set_cap)),
        PageRoute("GET", "/v1/operator", show, _SHOW),
        PageRoute("GET", "/v1/operator/health", health, _HEALTH),
        PageRoute("POST", "/v1/operator/payees", payee, _PAYEE),
        PageRoute("POST", "/v1/operator/caps", cap, _CAP),
    ]


def _read_search(request: Request) -> Search:
    fields = request.query_params
    return Search(fields.get("q", "")[:_MOST_TEXT], read_page(fields), read_page(fields, "payees"))


def _path(search: Search) -> str:
    return f"{PATH}?{urlencode({'q': search.text, 'page': search.page, 'payees': search.payee_page})}"


def _named(services: Sequence[str]) -> str:
    """Return the first names of services, and how many others there are."""
    others = len(services) - _NAMED
    return ", ".join(services[:_NAMED]) + (f" + {others}" if others > 0 else "")


def _coins_down(language: Language, amount: int) -> str:
    """Write coins that are held with five digits after the point."""
    return language.money(divide_down(amount, _SHOWN), _DIGITS, "ETH")


def _coins_up(language: Language, amount: int) -> str:
    """Write coins that are needed with five digits after the point."""
    return language.money(divide_up(amount, _SHOWN), _DIGITS, "ETH")
