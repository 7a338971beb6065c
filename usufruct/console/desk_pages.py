"""The seller's desk, `/desk`: what services earn, and a page for each that changes its price or takes it off sale."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from starlette.responses import Response

from usufruct.console import sale_forms as forms
from usufruct.console.access_pages import Show, operators_only, see_other
from usufruct.console.operators import Operators
from usufruct.console.refusals import field_of
from usufruct.console.seller_desk import Desk
from usufruct.core import Address, NotFound, UsufructError, format_asset
from usufruct.gateway import Catalogue
from usufruct.web import Request
from usufruct.web.ui import PageRoute, Pages

PATH = "/desk"

Act = Callable[[Address, str, forms.Form], Awaitable[object]]


def desk_pages(desk: Desk, catalogue: Catalogue, operators: Operators, pages: Pages) -> list[PageRoute]:
    """Return the routes of the desk's pages."""
    operator = desk.operator

    def common(error: UsufructError | None = None) -> dict[str, Any]:
        return {
            "error": error,
            "field_of": field_of,
            "moment": lambda seconds: datetime.fromtimestamp(seconds, UTC),
            "money": lambda language, amount: language.money(amount, operator.decimals, operator.symbol),
            "unit": 10**operator.decimals,
            "symbol": operator.symbol,
            "path_of": lambda asset: f"{PATH}/{format_asset(asset)}",
        }

    async def overview(request: Request, seller: Address) -> Response:
        return pages.answer(request, "console/desk.html", figures=await desk.figures(), **common())

    async def service(request: Request, seller: Address, error: UsufructError | None = None) -> Response:
        name = await desk.name_of(request.path_params["service"])
        served = await catalogue.find(name)
        figures = await desk.figures()
        mine = next((each for each in figures.services if each.name == name), None)
        return pages.answer(
            request,
            "console/desk_service.html",
            status=error.status if error else 200,
            served=served,
            card=served.card(desk.now()),
            earned=mine,
            due=await desk.due(seller, name),
            done=request.query_params.get("done", ""),
            **common(error),
        )

    def doing(act: Act, done: str) -> Show:
        async def handle(request: Request, seller: Address) -> Response:
            form, id_ = await request.form_fields(), request.path_params["service"]
            name = await desk.name_of(id_)
            try:
                await act(seller, name, form)
            except UsufructError as error:
                if error.status >= 500 or isinstance(error, NotFound):
                    raise
                return await service(request, seller, error)
            return see_other(request, f"{PATH}/{id_}?done={done}")

        return handle

    async def price(seller: Address, name: str, form: forms.Form) -> object:
        return await desk.set_price(seller, name, forms.read_new_price(form))

    async def retire(seller: Address, name: str, form: forms.Form) -> object:
        return await desk.retire(seller, name)

    async def key(seller: Address, name: str, form: forms.Form) -> None:
        await desk.replace_key(name, forms.read_key(form).key)

    async def collect(seller: Address, name: str, form: forms.Form) -> object:
        return await desk.collect(seller, name)

    one = f"{PATH}/{{service}}"

    def page(show: Show) -> Callable[[Request], Awaitable[Response]]:
        return operators_only(operators, pages, show)

    return [
        PageRoute("GET", PATH, page(overview)),
        PageRoute("GET", one, page(service)),
        PageRoute("POST", f"{one}/price", page(doing(price, "price"))),
        PageRoute("POST", f"{one}/retire", page(doing(retire, "retire"))),
        PageRoute("POST", f"{one}/key", page(doing(key, "key"))),
        PageRoute("POST", f"{one}/collect", page(doing(collect, "collect"))),
    ]
