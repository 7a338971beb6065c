"""The seller's desk, `/desk`: what services earn, and a page for each that changes its price or takes it off sale."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from usufruct.console import sale_forms as forms
from usufruct.console.access_pages import ShowSeller, operators_only, see_other, sellers_only
from usufruct.console.node_answers import known
from usufruct.console.operators import Operators
from usufruct.console.refusals import field_of
from usufruct.console.seller_desk import Announced, Desk
from usufruct.console.sellers import Seller, Sellers
from usufruct.core import Address, Conflict, NotFound, Unavailable, UsufructError, format_asset, format_units
from usufruct.gateway import Catalogue
from usufruct.web import Request
from usufruct.web.ui import PageRoute, Pages

PATH = "/desk"

Act = Callable[[Address, str, forms.Form], Awaitable[Sequence[object]]]
"""Does what a form asks for; returns what the seller's wallet has still to send for it."""

IsPasskey = Callable[[Address], Awaitable[bool]]


def desk_pages(
    desk: Desk,
    catalogue: Catalogue,
    sellers: Sellers,
    operators: Operators,
    pages: Pages,
    registry: Address,
    is_passkey: IsPasskey,
) -> list[PageRoute]:
    """Return the routes of the desk's pages."""
    operator = desk.operator

    def common(error: UsufructError | None = None) -> dict[str, Any]:
        return {
            "error": error,
            "field_of": field_of,
            "moment": lambda seconds: datetime.fromtimestamp(seconds, UTC),
            "money": lambda language, amount: language.money(amount, operator.decimals, operator.symbol),
            "each": lambda language, amount, calls: language.money(
                amount * 1000 // calls, operator.decimals + 3, operator.symbol
            ),
            "unit": 10**operator.decimals,
            "decimals": operator.decimals,
            "symbol": operator.symbol,
            "service_path": lambda name: f"/s/{quote(name)}",
            "path_of": lambda asset: f"{PATH}/{format_asset(asset)}",
        }

    async def overview(request: Request, seller: Seller) -> Response:
        page = forms.read_page(request.query_params)

        async def draw() -> dict[str, Any]:
            return {
                "figures": await desk.figures(seller, page),
                "is_operator": seller.is_operator,
                "page_path": lambda page: f"{PATH}?page={page}",
                **common(),
            }

        return await pages.kept(request, "console/desk.html", await desk.revision(), draw, of=(seller, page))

    async def service(request: Request, seller: Seller, error: UsufructError | None = None) -> Response:
        listing = await sellers.service_of(seller, request.path_params["service"])
        name, address = listing.name, seller.address
        served = await catalogue.find(name)
        announced, due = await _on_chain(desk, seller, name)
        return pages.answer(
            request,
            "console/desk_service.html",
            status=error.status if error else 200,
            served=served,
            card=served.card(desk.now()),
            earned=await desk.earned(name),
            announced=announced,
            due=due,
            offer=(offer := await desk.sample_offer(name)),
            sample=forms.sample_fields(offer.sample),
            levels=", ".join(format_units(each, 2) for each in desk.every_discount),
            level_discount=format_units(served.level_discount_bps, 2),
            seller=address,
            is_operator=seller.is_operator,
            registry=registry,
            asks_wallet=served.registered and desk.asks_wallet(address),
            passkey_account=await is_passkey(address),
            done=request.query_params.get("done", ""),
            **common(error),
        )

    def doing(act: Act, done: str) -> ShowSeller:
        async def handle(request: Request, seller: Seller) -> Response:
            form, id_ = await request.form_fields(), request.path_params["service"]
            listing = await sellers.service_of(seller, id_)
            try:
                if await act(seller.address, listing.name, form):
                    raise scripts_needed()
            except UsufructError as error:
                if error.status >= 500 or isinstance(error, NotFound):
                    raise
                return await service(request, replace(seller, node=sellers.node()), error)
            return see_other(request, f"{PATH}/{id_}?done={done}")

        return handle

    async def price(seller: Address, name: str, form: forms.Form) -> Sequence[object]:
        return (await desk.set_price(seller, name, forms.read_new_price(form))).transactions

    async def retire(seller: Address, name: str, form: forms.Form) -> Sequence[object]:
        return (await desk.retire(seller, name)).transactions

    async def pause(seller: Address, name: str, form: forms.Form) -> Sequence[object]:
        await desk.pause(name)
        return ()

    async def resume(seller: Address, name: str, form: forms.Form) -> Sequence[object]:
        await desk.resume(name)
        return ()

    async def offer_sample(seller: Address, name: str, form: forms.Form) -> Sequence[object]:
        await desk.offer_sample(name, forms.read_new_sample(form))
        return ()

    async def end_sample(seller: Address, name: str, form: forms.Form) -> Sequence[object]:
        await desk.offer_sample(name, None)
        return ()

    async def discount(seller: Address, name: str, form: forms.Form) -> Sequence[object]:
        await desk.give_level_discount(name, forms.read_level_discount(form))
        return ()

    async def key(seller: Address, name: str, form: forms.Form) -> Sequence[object]:
        await desk.replace_key(name, forms.read_key(form))
        return ()

    async def collect(seller: Address, name: str, form: forms.Form) -> Sequence[object]:
        return (await desk.collect(seller, name)).transactions

    one = f"{PATH}/{{service}}"

    def page(show: ShowSeller) -> Callable[[Request], Awaitable[Response]]:
        return sellers_only(sellers, operators, pages, show)

    async def replace_key(request: Request, _: Address) -> Response:
        return await page(doing(key, "key"))(request)

    return [
        PageRoute("GET", PATH, page(overview)),
        PageRoute("GET", one, page(service)),
        PageRoute("POST", f"{one}/price", page(doing(price, "price"))),
        PageRoute("POST", f"{one}/retire", page(doing(retire, "retire"))),
        PageRoute("POST", f"{one}/pause", page(doing(pause, "pause"))),
        PageRoute("POST", f"{one}/resume", page(doing(resume, "resume"))),
        PageRoute("POST", f"{one}/sample", page(doing(offer_sample, "sample"))),
        PageRoute("POST", f"{one}/sample/end", page(doing(end_sample, "no_sample"))),
        PageRoute("POST", f"{one}/discount", page(doing(discount, "discount"))),
        PageRoute("POST", f"{one}/key", operators_only(operators, pages, replace_key)),
        PageRoute("POST", f"{one}/collect", page(doing(collect, "collect"))),
    ]


async def _on_chain(desk: Desk, seller: Seller, name: str) -> tuple[Announced | None, int | None]:
    """Return what the chain has announced of a service, and what is due to the seller; None: not known in time."""
    try:
        async with seller.node.limit():
            return await asyncio.gather(known(desk.announced(name)), known(desk.due(seller.address, name)))
    except Unavailable:
        return None, None


def scripts_needed() -> Conflict:
    """Return what a form is answered with whose transaction the wallet of its sender has to send."""
    return Conflict(
        "your wallet has to send this, which needs scripts: allow them, or use the command line", code="wallet_needed"
    )
