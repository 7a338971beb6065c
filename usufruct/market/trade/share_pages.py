"""The page of a service's revenue shares, `/shares/NAME`: prices, offers, income that goes with them, one's own."""

from starlette.responses import Response

from usufruct.assets import SHARE_DECIMALS, SUPPLY
from usufruct.core import Unavailable
from usufruct.market.trade.model import GoodsGroup
from usufruct.market.trade.share_income import ShareIncome
from usufruct.market.trade.trade_pages import TradePages, page_operation
from usufruct.web import Request
from usufruct.web.ui import NavigationLink, PageRoute

_PAGE = page_operation("Show people a service's revenue shares.")
_MILLION = 10**6 * 10**SHARE_DECIMALS


def share_pages(trade: TradePages, income: ShareIncome) -> list[PageRoute]:
    """Return the route of the page, to which the section of a service's payees links."""
    trade.pages.add_section("payees", NavigationLink("/shares/{name}", "Buy and sell revenue shares"))

    async def show(request: Request) -> Response:
        listing, payer = await trade.reader(request)
        node, state, account = trade.book.node(), None, None
        try:
            state = await income.state(listing, node)
            account = await income.account(listing, payer, node) if payer else None
        except Unavailable:  # the page says so: what is known without the node is shown
            pass
        return await trade.answer(
            request,
            "shares",
            node,
            listing,
            GoodsGroup(listing.id),
            payer,
            SHARE_DECIMALS,
            state=state,
            account=account,
            deducted=state.fee_bps if state else 0,
            supply=SUPPLY,
            million=_MILLION,
        )

    return [PageRoute("GET", "/shares/{name:path}", show, _PAGE)]
