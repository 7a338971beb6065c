"""The page of the till's owner, `/operator/owner`, and the same as JSON: one offers the till, another accepts it."""

from typing import Any

from starlette.responses import Response

from usufruct.console.access_pages import Show, owners_only, see_other
from usufruct.console.desk_pages import IsPasskey, scripts_needed
from usufruct.console.operators import Operators
from usufruct.console.refusals import field_of
from usufruct.console.sale_forms import read_owner, refuse
from usufruct.console.till_ownership import TillOwnership
from usufruct.core import Address, UsufructError
from usufruct.web import Operation, Request, document_response
from usufruct.web.ui import PageRoute, Pages
from usufruct_client.operator_documents import OwnerFacts, OwnerWish, TillChange
from usufruct_client.sale_documents import WalletTransaction

PATH = "/operator/owner"
_API = "/v1/operator/owner"

_COOKIE = {"cookie": "the session's"}
_REFUSES = {401: "no one is signed in", 503: "the chain's node does not answer"}
_SHOW = Operation(
    "Return the till's owner, and to whom the till is offered.",
    OwnerFacts,
    takes=_COOKIE,
    refuses=_REFUSES | {403: "the signed-in account is not an operator's, and the till is not offered to it"},
)
_OFFER = Operation(
    "Return what the owner's wallet sends to offer the till to another owner, or to take the offer back.",
    TillChange,
    OwnerWish,
    takes=_COOKIE,
    refuses=_REFUSES | {403: "the signed-in account does not own the till", 409: "it owns the till already"},
)
_ACCEPT = Operation(
    "Return what the wallet sends that the till is offered to, to become its owner.",
    TillChange,
    takes=_COOKIE,
    refuses=_REFUSES | {403: "the till is not offered to the signed-in account"},
)


def owner_routes(
    ownership: TillOwnership, operators: Operators, pages: Pages, is_passkey: IsPasskey
) -> list[PageRoute]:
    """Return the routes of the page."""

    async def page(request: Request, who: Address, error: UsufructError | None = None) -> Response:
        return pages.answer(
            request,
            "console/till_owner.html",
            status=error.status if error else 200,
            facts=await ownership.facts(),
            who=who,
            asks_wallet=ownership.asks_wallet(who),
            passkey_account=await is_passkey(who),
            done=request.query_params.get("done", ""),
            error=error,
            field_of=field_of,
            address=f"{request.exchange.root}{PATH}",
        )

    async def show(request: Request) -> Response:
        await ownership.require(request.exchange)
        return document_response(await ownership.facts())

    async def offer(request: Request) -> Response:
        who = await ownership.require(request.exchange)
        return document_response(TillChange(await ownership.offer(who, await request.read(OwnerWish, refuse))))

    async def accept(request: Request) -> Response:
        return document_response(TillChange(await ownership.accept(await ownership.require(request.exchange))))

    async def offer_by_form(request: Request, who: Address) -> Response:
        form = await request.form_fields()
        try:
            return _done(
                request, await ownership.offer(who, read_owner(form)), "offer" if form.get("to") else "withdrawal"
            )
        except UsufructError as error:
            return await refused(request, who, error)

    async def accept_by_form(request: Request, who: Address) -> Response:
        try:
            return _done(request, await ownership.accept(who), "acceptance")
        except UsufructError as error:
            return await refused(request, who, error)

    async def refused(request: Request, who: Address, error: UsufructError) -> Response:
        if error.status >= 500:
            raise error
        return await page(request, who, error)

    def only(shown: Show) -> Any:
        return owners_only(ownership, operators, pages, shown)

    return [
        PageRoute("GET", PATH, only(page)),
        PageRoute("POST", PATH, only(offer_by_form)),
        PageRoute("POST", f"{PATH}/acceptance", only(accept_by_form)),
        PageRoute("GET", _API, show, _SHOW),
        PageRoute("POST", _API, offer, _OFFER),
        PageRoute("POST", f"{_API}/acceptance", accept, _ACCEPT),
    ]


def _done(request: Request, left: list[WalletTransaction], what: str) -> Response:
    if left:
        raise scripts_needed()
    return see_other(request, f"{PATH}?done={what}")
