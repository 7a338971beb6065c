"""What every page of the console begins with: an operator's session, or the way to one."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from starlette.responses import Response

from usufruct.console.operators import NotOperator, Operators
from usufruct.console.sellers import Seller, Sellers
from usufruct.console.till_ownership import TillOwnership
from usufruct.core import Address
from usufruct.web import HttpExchange, Request, Unauthenticated
from usufruct.web.ui import PageRoute, Pages

_ENTER = "/operator/sign-in"

T = TypeVar("T")
Show = Callable[[Request, Address], Awaitable[Response]]
ShowSeller = Callable[[Request, Seller], Awaitable[Response]]


def operators_only(operators: Operators, pages: Pages, show: Show) -> Callable[[Request], Awaitable[Response]]:
    """Return a handler that gives `show` the operator; others get a page on which they can sign in (403)."""
    return _with_access(operators, pages, operators.require, show)


def sellers_only(
    sellers: Sellers, operators: Operators, pages: Pages, show: ShowSeller
) -> Callable[[Request], Awaitable[Response]]:
    """Return a handler that gives `show` the seller; others get a page on which they can sign in (403)."""
    return _with_access(operators, pages, sellers.require, show)


def owners_only(
    ownership: TillOwnership, operators: Operators, pages: Pages, show: Show
) -> Callable[[Request], Awaitable[Response]]:
    """Return a handler as `operators_only` does; `show` gets also the account that the till is offered to."""
    return _with_access(operators, pages, ownership.require, show)


def _with_access(
    operators: Operators,
    pages: Pages,
    require: Callable[[HttpExchange], Awaitable[T]],
    show: Callable[[Request, T], Awaitable[Response]],
) -> Callable[[Request], Awaitable[Response]]:
    async def handle(request: Request) -> Response:
        try:
            answer = await show(request, await require(request.exchange))
        except (Unauthenticated, NotOperator) as refused:
            session = await operators.find(request.exchange)
            answer = pages.answer(
                request,
                "console/sign_in.html",
                status=200 if session is None and request.method == "GET" else refused.status,
                payer=session.address if session else None,
                enter=operators.may_enter(request.exchange),
                back=request.exchange.path,
            )
        answer.headers["cache-control"] = "private, no-store"
        return answer

    return handle


def see_other(request: Request, path: str) -> Response:
    """Return an answer that has a browser open another page: reloading it sends no form twice."""
    return Response(status_code=303, headers={"location": request.exchange.root + path})


def access_routes(operators: Operators) -> list[PageRoute]:
    """Return the form by which a devnet's operator signs in, also without scripts."""

    async def enter(request: Request) -> Response:
        back = (await request.form_fields()).get("back", "")
        await operators.enter(request.exchange)
        return see_other(request, back if back in _PLACES else _PLACES[0])

    return [PageRoute("POST", _ENTER, enter)]


_PLACES = ("/sell", "/desk", "/operator", "/operator/owner")
"""Where a sign-in may lead: never to an address that a form names."""
