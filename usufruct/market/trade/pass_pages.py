"""The page of a service's prepaid credits, `/passes/NAME`: plans, offers of credits, one's own."""

from urllib.parse import quote

from starlette.responses import Response

from usufruct.accounts import Sessions
from usufruct.core import Unavailable
from usufruct.market.trade.model import GoodsGroup
from usufruct.market.trade.offer_book import OfferBook
from usufruct.market.trade.packages import Packages
from usufruct.market.trade.page_values import trade_values
from usufruct.market.trade.pass_plans import PassPlans
from usufruct.market.trade.signers import Signers
from usufruct.web import Operation, Request
from usufruct.web.ui import NavigationLink, PageRoute, Pages

_PAGE = Operation(
    "Show people a service's plans of prepaid credits, and offers of credits.",
    {"type": "string"},
    media_types=("text/html",),
    refuses={404: "the service is unknown, or not registered"},
)


def pass_pages(
    book: OfferBook, plans: PassPlans, packages: Packages, signers: Signers, sessions: Sessions, pages: Pages
) -> list[PageRoute]:
    """Return the route of the page, to which the section of a service's payees links."""
    pages.add_section("payees", NavigationLink("/passes/{name}", "Buy and sell prepaid credits"))

    async def show(request: Request) -> Response:
        listing = await book.by_name(request.path_params["name"])
        session = await sessions.find(request.exchange)
        payer = session.address if session else None
        node, state, credits_, in_packages = book.node(), None, None, None
        try:
            state = await plans.state(listing, node)
            if payer:
                in_packages = await packages.bought(payer, node)
                credits_ = await plans.credits(state, payer, node)
        except Unavailable:  # the page says so: without the node it is not known what a credit counts in
            pass
        unit, after = state.currency if state else book.terms.token, request.query_params.get("after", "")
        group = GoodsGroup(listing.id, credits=True)
        answer = pages.answer(
            request,
            "market/passes.html",
            payer=payer,
            by_passkey=payer is not None and await signers.holds_passkey(payer),
            state=state,
            credits=credits_,
            in_packages=in_packages,
            unit=unit,
            deducted=state.deductions.bps if state else 0,
            contract=book.goods.passes,
            page_path=f"/passes/{quote(listing.name)}",
            **await trade_values(book, node, listing, group, payer, after, unit.decimals),
        )
        answer.headers["cache-control"] = "private, no-store"  # else "back" shows offers from before a purchase
        return answer

    return [PageRoute("GET", "/passes/{name:path}", show, _PAGE)]
