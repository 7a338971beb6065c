"""The page of a service's revenue shares, `/shares/NAME`: prices, offers, income that goes with them, one's own."""

from urllib.parse import quote

from starlette.responses import Response

from usufruct.accounts import Sessions
from usufruct.assets import SHARE_DECIMALS, SUPPLY
from usufruct.core import Unavailable
from usufruct.market.trade.model import GoodsGroup
from usufruct.market.trade.offer_book import OfferBook
from usufruct.market.trade.page_values import trade_values
from usufruct.market.trade.share_income import ShareIncome
from usufruct.market.trade.signers import Signers
from usufruct.web import Operation, Request
from usufruct.web.ui import NavigationLink, PageRoute, Pages

_PAGE = Operation(
    "Show people a service's revenue shares.",
    {"type": "string"},
    media_types=("text/html",),
    refuses={404: "the service is unknown, or has no shares"},
)
_MILLION = 10**6 * 10**SHARE_DECIMALS


def share_pages(
    book: OfferBook, income: ShareIncome, signers: Signers, sessions: Sessions, pages: Pages
) -> list[PageRoute]:
    """Return the route of the page, to which the section of a service's payees links."""
    pages.add_section("payees", NavigationLink("/shares/{name}", "Buy and sell revenue shares"))

    async def show(request: Request) -> Response:
        listing = await book.by_name(request.path_params["name"])
        session = await sessions.find(request.exchange)
        payer = session.address if session else None
        node, state, account = book.node(), None, None
        try:
            state = await income.state(listing, node)
            account = await income.account(listing, payer, node) if payer else None
        except Unavailable:  # the page says so: what is known without the node is shown
            pass
        after = request.query_params.get("after", "")
        answer = pages.answer(
            request,
            "market/shares.html",
            payer=payer,
            by_passkey=payer is not None and await signers.holds_passkey(payer),
            state=state,
            account=account,
            deducted=state.fee_bps if state else 0,
            contract=listing.pay_to,
            supply=SUPPLY,
            million=_MILLION,
            page_path=f"/shares/{quote(listing.name)}",
            **await trade_values(book, node, listing, GoodsGroup(listing.id), payer, after, SHARE_DECIMALS),
        )
        answer.headers["cache-control"] = "private, no-store"  # else "back" shows offers from before a purchase
        return answer

    return [PageRoute("GET", "/shares/{name:path}", show, _PAGE)]
