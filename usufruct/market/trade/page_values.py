"""What the pages of shares and of passes show alike: offers of others, one's own, what was sold."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from usufruct.assets import Listing
from usufruct.core import Address, format_asset, format_units
from usufruct.market.trade.model import GoodsGroup
from usufruct.market.trade.node_view import NodeView
from usufruct.market.trade.offer_book import OfferBook
from usufruct_client.trade import WHOLE_BPS, price_of_one

_SHOWN_TRADES = 20


async def trade_values(
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
        return price_of_one(price, amount, unit_decimals, coin.decimals)

    return {
        "listing": listing,
        "asset": format_asset(listing.id),
        "exchange": book.exchange.address,
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
