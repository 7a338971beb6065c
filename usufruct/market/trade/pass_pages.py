"""The page of a service's prepaid credits, `/passes/NAME`: plans, offers of credits, one's own."""

from starlette.responses import Response

from usufruct.core import Unavailable
from usufruct.market.trade.model import GoodsGroup
from usufruct.market.trade.packages import Packages
from usufruct.market.trade.pass_plans import PassPlans
from usufruct.market.trade.trade_pages import TradePages, page_operation
from usufruct.web import Request
from usufruct.web.ui import NavigationLink, PageRoute
from usufruct_client.trade import GoodsKind

_PAGE = page_operation("Show people a service's plans of prepaid credits, and offers of credits.")


def pass_pages(trade: TradePages, plans: PassPlans, packages: Packages) -> list[PageRoute]:
    """Return the route of the page, to which the section of a service's payees links."""
    trade.pages.add_section("payees", NavigationLink("/passes/{name}", "Buy and sell prepaid credits"))

    async def show(request: Request) -> Response:
        listing, payer = await trade.reader(request)
        node, state, credits_, in_packages = trade.book.node(), None, None, None
        try:
            state = await plans.state(listing, node)
            if payer:
                in_packages = await packages.bought(payer, node)
                credits_ = await plans.credits(state, payer, node)
        except Unavailable:  # the page says so: without the node it is not known what a credit counts in
            pass
        unit = state.currency if state else trade.book.terms.token
        return await trade.answer(
            request,
            "passes",
            node,
            listing,
            GoodsGroup(listing.id, GoodsKind.CREDITS),
            payer,
            unit.decimals,
            state=state,
            credits=credits_,
            in_packages=in_packages,
            unit=unit,
            least_deposit=trade.book.terms.least_deposit,
            deducted=state.deductions.bps if state else 0,
        )

    return [PageRoute("GET", "/passes/{name:path}", show, _PAGE)]
