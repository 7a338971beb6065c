"""The seller's pages, `/sell`: one for each step. Forms work without scripts, and what is sent twice is done once."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from secrets import token_hex
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from usufruct.assets import USUAL_WINDOW
from usufruct.console import sale_forms as forms
from usufruct.console.access_pages import Show, operators_only, see_other
from usufruct.console.desk_pages import IsPasskey
from usufruct.console.operators import Operators
from usufruct.console.price_advice import margin_bps
from usufruct.console.refusals import REFUSALS, field_of
from usufruct.console.sales import Sales
from usufruct.core import Address, Conflict, NotFound, UsufructError, checksum, format_units, parse_units
from usufruct.gateway import Speed
from usufruct.http import Reach
from usufruct.web import Request
from usufruct.web.ui import Language, NavigationLink, PageRoute, Pages
from usufruct_client.sale_documents import SaleDraft, Suggestion

PATH = "/sell"

Take = Callable[[Address, str, forms.Form], Awaitable[str]]
"""Takes a form; returns the step that comes next."""


def sale_pages(sales: Sales, operators: Operators, pages: Pages, is_passkey: IsPasskey) -> list[PageRoute]:
    """Return the routes of the seller's pages."""
    pages.add_package("usufruct.console", [NavigationLink(PATH, "Sell", position=400)], REFUSALS)
    shown = SalePages(sales, pages, is_passkey)

    def page(show: Show) -> Callable[[Request], Awaitable[Response]]:
        return operators_only(operators, pages, show)

    async def choose_server(seller: Address, id_: str, form: forms.Form) -> str:
        wish = forms.read_server(form)
        await sales.start(seller, id_)
        await sales.choose_server(seller, id_, wish)
        return "server"

    async def choose_model(seller: Address, id_: str, form: forms.Form) -> str:
        await sales.choose_model(seller, id_, forms.read_model(form))
        return "server"

    async def set_price(seller: Address, id_: str, form: forms.Form) -> str:
        await sales.set_price(seller, id_, forms.read_price(form))
        return "owners"

    async def set_owners(seller: Address, id_: str, form: forms.Form) -> str:
        await sales.set_ownership(seller, id_, forms.read_ownership(form))
        return "review"

    async def confirm(seller: Address, id_: str, form: forms.Form) -> str:
        confirmation = await sales.confirm(seller, id_)
        if confirmation.transactions:
            raise Conflict(
                "your wallet has to send this, which needs scripts: allow them, or use `usufruct sell`",
                code="wallet_needed",
            )
        return "live"

    one = f"{PATH}/{{sale}}"
    return [
        PageRoute("GET", PATH, page(shown.begin)),
        PageRoute("GET", one, page(shown.go_on)),
        PageRoute("GET", f"{one}/server", page(shown.server)),
        PageRoute("POST", f"{one}/server", page(shown.taking(choose_server, shown.server))),
        PageRoute("POST", f"{one}/model", page(shown.taking(choose_model, shown.server))),
        PageRoute("GET", f"{one}/price", page(shown.price)),
        PageRoute("POST", f"{one}/price", page(shown.taking(set_price, shown.price))),
        PageRoute("POST", f"{one}/suggestion", page(shown.suggestion)),
        PageRoute("GET", f"{one}/owners", page(shown.owners)),
        PageRoute("POST", f"{one}/owners", page(shown.taking(set_owners, shown.owners))),
        PageRoute("GET", f"{one}/review", page(shown.review)),
        PageRoute("POST", f"{one}/confirm", page(shown.taking(confirm, shown.review))),
        PageRoute("GET", f"{one}/live", page(shown.live)),
    ]


class SalePages:
    """Draws each step; `error` and `form` are those of a form that was refused."""

    def __init__(self, sales: Sales, pages: Pages, is_passkey: IsPasskey) -> None:
        self._sales = sales
        self._pages = pages
        self._is_passkey = is_passkey
        operator = sales.operator
        self._common = {
            "moment": lambda seconds: datetime.fromtimestamp(seconds, UTC),
            "money": lambda language, amount: language.money(amount, operator.decimals, operator.symbol),
            "field_of": field_of,
            "share": _margin,
            "symbol": operator.symbol,
            "usual_window": USUAL_WINDOW,
        }

    def taking(self, take: Take, show: "Draw") -> Show:
        """Return what takes a form and opens the next step, or draws the same step with what is wrong."""

        async def handle(request: Request, seller: Address) -> Response:
            form = await request.form_fields()
            id_ = request.path_params["sale"]
            try:
                step = await take(seller, id_, form)
            except UsufructError as error:
                if error.status >= 500 or isinstance(error, NotFound):
                    raise
                if error.code == "sale_confirmed":
                    return see_other(request, f"{PATH}/{id_}/live")
                return await show(request, seller, error, form)
            return see_other(request, f"{PATH}/{id_}/{step}")

        return handle

    async def begin(self, request: Request, seller: Address) -> Response:
        """Show the first step of a new sale, and the sales that wait."""
        return await self._draw_server(request, seller, None, token_hex(16), None, None)

    async def go_on(self, request: Request, seller: Address) -> Response:
        """Open the first step of a sale that is not done."""
        draft = await self._draft(request, seller)
        return see_other(request, f"{PATH}/{draft.id}/{next_step(draft)}")

    async def server(
        self, request: Request, seller: Address, error: UsufructError | None = None, form: forms.Form | None = None
    ) -> Response:
        """Show the server, and what it was seen to do."""
        id_ = request.path_params["sale"]
        try:
            draft = await self._sales.find(seller, id_)
        except NotFound:
            if error is None:
                raise
            draft = None  # the first form of a sale was refused
        return await self._draw_server(request, seller, draft, id_, error, form)

    async def price(
        self,
        request: Request,
        seller: Address,
        error: UsufructError | None = None,
        form: forms.Form | None = None,
        suggestion: Suggestion | None = None,
    ) -> Response:
        """Show the price, and a suggestion if one was asked for."""
        draft = await self._draft(request, seller)
        if next_step(draft) == "server":
            return see_other(request, f"{PATH}/{draft.id}/server")
        fields = forms.price_fields(draft) | (form or {})
        return self._answer(request, "price", draft, error, fields=fields, suggestion=suggestion)

    async def suggestion(self, request: Request, seller: Address) -> Response:
        """Show the price with a suggestion, which fills the fields that are empty."""
        form = await request.form_fields()
        try:
            found = await self._sales.suggest(seller, request.path_params["sale"], forms.read_costs(form))
        except UsufructError as error:
            if error.status >= 500 or isinstance(error, NotFound):
                raise
            return await self.price(request, seller, error, form)
        decimals = self._sales.operator.decimals
        prices = {"input": found.input_price, "output": found.output_price}
        filled = form | {name: format_units(amount, decimals) for name, amount in prices.items()}
        return await self.price(request, seller, None, filled, found)

    async def owners(
        self, request: Request, seller: Address, error: UsufructError | None = None, form: forms.Form | None = None
    ) -> Response:
        """Show who receives the income."""
        draft = await self._draft(request, seller)
        if draft.price is None:
            return see_other(request, f"{PATH}/{draft.id}/{next_step(draft)}")
        fields = forms.owner_fields(draft) | (form or {})
        return self._answer(request, "owners", draft, error, fields=fields, seller=checksum(seller))

    async def review(
        self, request: Request, seller: Address, error: UsufructError | None = None, form: forms.Form | None = None
    ) -> Response:
        """Show everything once more, with the one button that confirms it."""
        draft = await self._draft(request, seller)
        if next_step(draft) != "review":
            return see_other(request, f"{PATH}/{draft.id}/{next_step(draft)}")
        assert draft.price is not None
        assert draft.ownership is not None
        given = sum(parse_units(each.percent, 6, "owners") for each in draft.ownership.owners)
        costs = draft.price.costs
        suggestion = await self._sales.suggest(seller, draft.id, costs) if costs else None
        card, ownership = self._sales.card(draft), self._sales.ownership
        calls = await ownership.calls(seller, draft, card)
        return self._answer(
            request,
            "review",
            draft,
            error,
            seller=checksum(seller),
            asks_wallet=ownership.asks_wallet(seller),
            passkey_account=await self._is_passkey(seller),
            calls=[f"{each.to} 0x{each.data.hex()}" for each in calls],
            card=card,
            fee_bps=await ownership.fee_bps(draft),
            kept=format_units(100_000_000 - given, 6),
            suggestion=suggestion,
        )

    async def live(self, request: Request, seller: Address) -> Response:
        """Show what is on sale, and how to show it to others."""
        draft = await self._sales.find(seller, request.path_params["sale"])
        if not draft.service:
            return see_other(request, f"{PATH}/{draft.id}/{next_step(draft)}")
        page = f"/s/{quote(draft.service)}"
        return self._answer(request, "live", draft, None, page=page, url=request.exchange.root + page)

    async def _draft(self, request: Request, seller: Address) -> SaleDraft:
        return await self._sales.find(seller, request.path_params["sale"])

    async def _draw_server(
        self,
        request: Request,
        seller: Address,
        draft: SaleDraft | None,
        id_: str,
        error: UsufructError | None,
        form: forms.Form | None,
    ) -> Response:
        if draft is not None and draft.service:
            return see_other(request, f"{PATH}/{id_}/live")
        others = [each for each in await self._sales.list(seller) if each.id != id_ and not each.service]
        checking = "hx-request" in request.headers
        return self._answer(
            request,
            "server",
            draft,
            error,
            fragment="check",
            id=id_,
            fields=forms.server_fields(draft) | (form or {}),
            found=[] if checking else await self._sales.servers(),
            local=self._sales.reach is Reach.PRIVATE,
            others=others[:6],
        )

    def _answer(
        self,
        request: Request,
        step: str,
        draft: SaleDraft | None,
        error: UsufructError | None,
        fragment: str = "price",
        **values: Any,
    ) -> Response:
        measured = draft.probe.speed if draft and draft.probe else None
        speed = measured and Speed(measured.tokens, measured.duration, measured.first_token)
        status = error.status if error and "hx-request" not in request.headers else 200
        common = self._common | {"draft": draft, "id": draft.id if draft else "", "error": error, "measured": speed}
        return self._pages.answer(
            request, f"console/{step}.html", fragment=fragment, status=status, **common | {"suggestion": None} | values
        )


Draw = Callable[[Request, Address, UsufructError, forms.Form], Awaitable[Response]]


def next_step(draft: SaleDraft) -> str:
    """Return the first step that is not done."""
    if draft.service:
        return "live"
    if draft.probe is None or draft.probe.state != "done":
        return "server"
    return "price" if draft.price is None else "owners" if draft.ownership is None else "review"


def _margin(language: Language, price: int, cost: int) -> str:
    margin = margin_bps(price, cost)
    return "–" if margin is None else language.share(margin / 10_000)
