"""The page of a service's title, `/titles/NAME`: what goes with it, offers of it alone and in a bundle, one's own."""

from decimal import Decimal

from starlette.responses import Response

from usufruct.assets import SHARE_DECIMALS, SUPPLY
from usufruct.core import Unavailable
from usufruct.market.trade.model import GoodsGroup
from usufruct.market.trade.titles import Titles
from usufruct.market.trade.trade_pages import TradePages, page_operation
from usufruct.web import Request
from usufruct.web.ui import NavigationLink, PageRoute
from usufruct_client.trade import GoodsKind

_PAGE = page_operation("Show people a service's title, and offers of it, alone and with shares and credits.")


def title_pages(trade: TradePages, titles: Titles) -> list[PageRoute]:
    """Return the route of the page, to which the section of a service's payees links."""
    trade.pages.add_section("payees", NavigationLink("/titles/{name}", "Buy and sell the owner NFT"))

    async def show(request: Request) -> Response:
        listing, payer = await trade.reader(request)
        node = trade.book.node()
        state = holdings = None
        try:
            state = await titles.state(listing, node)
            if payer is not None and payer == state.owner:
                holdings = await titles.holdings(listing, payer, node)
        except Unavailable:  # the page says so: without the node it is not known who owns the title
            pass
        return await trade.answer(
            request,
            "titles",
            node,
            listing,
            GoodsGroup(listing.id, GoodsKind.TITLE),
            payer,
            0,
            state=state,
            holdings=holdings,
            deducted=state.deductions.bps if state else 0,
            royalty=state.deductions.royalty_bps if state else 0,
            share_decimals=SHARE_DECIMALS,
            whole_shares=lambda amount: Decimal(amount).scaleb(-SHARE_DECIMALS),
            supply=SUPPLY,
        )

    return [PageRoute("GET", "/titles/{name:path}", show, _PAGE)]
