"""What the pages of shares, passes and titles show alike: offers of others, one's own, what was sold."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from usufruct.accounts import Sessions
from usufruct.assets import Listing
from usufruct.core import Address, format_asset, format_units
from usufruct.market.trade.model import GoodsGroup
from usufruct.market.trade.node_view import NodeView
from usufruct.market.trade.offer_book import OfferBook
from usufruct.market.trade.signers import Signers
from usufruct.web import Operation, Request
from usufruct.web.ui import Pages
from usufruct_client.trade import WHOLE_BPS, price_of_one

_SHOWN_TRADES = 20


def page_operation(summary: str) -> Operation:
    """Describe a page of trade."""
    refuses = {404: "the service is unknown, or has no such goods"}
    return Operation(summary, {"type": "string"}, media_types=("text/html",), refuses=refuses)


@dataclass(frozen=True, slots=True)
class TradePages:
    """Makes the pages of trade in a service's goods."""

    book: OfferBook
    signers: Signers
    sessions: Sessions
    pages: Pages

    async def reader(self, request: Request) -> tuple[Listing, Address | None]:
        """Return the service that a page is of, and the account that is signed in, if one is."""
        session = await self.sessions.find(request.exchange)
        return await self.book.by_name(request.path_params["name"]), session.address if session else None

    async def answer(
        self, request: Request, template: str, node: NodeView, listing: Listing, group: GoodsGroup,
        payer: Address | None, unit_decimals: int, **values: Any,
    ) -> Response:  # fmt: skip
        """Return a page; `unit_decimals`: of one of the goods. `values` are what only this page shows."""
        after = request.query_params.get("after", "")
        answer = self.pages.answer(
            request,
            f"market/{template}.html",
            payer=payer,
            by_passkey=payer is not None and await self.signers.holds_passkey(payer),
            page_path=f"/{template}/{quote(listing.name)}",
            **await _trade_values(self.book, node, listing, group, payer, after, unit_decimals),
            **values,
        )
        answer.headers["cache-control"] = "private, no-store"  # else "back" shows offers from before a purchase
        return answer


async def _trade_values(
    book: OfferBook,
    node: NodeView,
    listing: Listing,
    group: GoodsGroup,
    payer: Address | None,
    after: str,
    unit_decimals: int,
) -> Mapping[str, Any]:
    """Return what a page shows of the trade in a group of a service's goods, one of which has so many decimals.

    `node_answers` tells whether the node answered everything that the page asked until then.
    """
    await book.catch_up(node)
    offers, next_page = await book.offers(group, after, node)
    own = await book.offers_of(group, payer, node) if payer else []
    trades = await book.trades(group)
    coin = book.terms.token

    def one(price: int, amount: int) -> Decimal:
        return price_of_one(price, amount or 1, unit_decimals, coin.decimals)  # 0: all that is sold with a title

    return {
        "listing": listing,
        "asset": format_asset(listing.id),
        "exchange": book.exchange.address,
        "passes": book.goods.passes,
        "titles": book.goods.titles,
        "token": coin,
        "offers": [each for each in offers if payer is None or each.offer.maker != payer],
        "next_page": next_page,
        "own": own,
        "bought": await book.bought_by(payer, offers) if payer else {},
        "node_answers": node.answers,
        "trades": trades[:_SHOWN_TRADES],
        "points": [(moment(each.time), one(each.price, each.amount)) for each in reversed(trades) if each.time],
        "lowest": next((each for each in offers if each.available), None),
        "whole_bps": WHOLE_BPS,
        "unit_decimals": unit_decimals,
        "unit_price": one,
        "count": lambda amount: Decimal(amount).scaleb(-unit_decimals),
        "plain": format_units,
        "moment": moment,
        "service_path": lambda name: f"/s/{quote(name)}",
    }


def moment(seconds: int) -> datetime:
    """Return a time in seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC)
