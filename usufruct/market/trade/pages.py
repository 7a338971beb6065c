"""The page of a service's revenue shares, `/shares/NAME`: prices, offers, income that goes with them, one's own."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from usufruct.accounts import Sessions
from usufruct.assets import SHARE_DECIMALS, SUPPLY, Listing
from usufruct.core import Address, Unavailable, format_asset, format_units
from usufruct.market.trade.service import ShareMarket
from usufruct.market.trade.signers import Signers
from usufruct.market.trade.store import Trade
from usufruct.web import Operation, Request
from usufruct.web.ui import NavigationLink, PageRoute, Pages
from usufruct_client.share_trade import WHOLE_BPS, price_of_one
from usufruct_client.wire import Token

_PAGE = Operation(
    "Show people a service's revenue shares.",
    {"type": "string"},
    media_types=("text/html",),
    refuses={404: "the service is unknown, or has no shares"},
)
_SHOWN_TRADES = 20
_MILLION = 10**6 * 10**SHARE_DECIMALS


def share_pages(market: ShareMarket, signers: Signers, sessions: Sessions, pages: Pages) -> list[PageRoute]:
    """Return the route of the page, to which the section of a service's payees links."""
    pages.add_section("payees", NavigationLink("/shares/{name}", "Buy and sell revenue shares"))

    async def show(request: Request) -> Response:
        listing = await market.by_name(request.path_params["name"])
        session = await sessions.find(request.exchange)
        payer = session.address if session else None
        values = await _values(market, listing, payer, request.query_params.get("after", ""))
        by_passkey = payer is not None and await signers.holds_passkey(payer)
        answer = pages.answer(request, "market/shares.html", payer=payer, by_passkey=by_passkey, **values)
        answer.headers["cache-control"] = "private, no-store"  # else "back" shows offers from before a purchase
        return answer

    return [PageRoute("GET", "/shares/{name:path}", show, _PAGE)]


async def _values(market: ShareMarket, listing: Listing, payer: Address | None, after: str) -> Mapping[str, Any]:
    offers, next_page = await market.offers(listing.id, after)
    trades = await market.trades(listing.id)
    state = account = None
    try:
        state = await market.state(listing)
        account = await market.account(listing, payer) if payer else None
    except Unavailable:  # the page says so: what is known without the node is shown
        pass
    token = market.terms.token
    return {
        "listing": listing,
        "asset": format_asset(listing.id),
        "exchange": market.exchange.address,
        "token": token,
        "state": state,
        "account": account,
        "offers": [each for each in offers if payer is None or each.offer.maker != payer],
        "next_page": next_page,
        "own": await market.offers_of(listing.id, payer) if payer else [],
        "bought": await market.bought_by(payer, offers) if payer else {},
        "trades": trades[:_SHOWN_TRADES],
        "points": _points(trades, token),
        "lowest": next((each for each in offers if each.available), None),
        "supply": SUPPLY,
        "million": _MILLION,
        "share_decimals": SHARE_DECIMALS,
        "whole_bps": WHOLE_BPS,
        "share_price": _share_price(token),
        "share_count": lambda amount: Decimal(amount).scaleb(-SHARE_DECIMALS),
        "plain": format_units,
        "moment": _moment,
        "service_path": lambda name: f"/s/{quote(name)}",
        "page_path": f"/shares/{quote(listing.name)}",
    }


def _share_price(token: Token) -> Callable[[int, int], Decimal]:
    """Return a function that computes the price of one share in whole coins."""
    return lambda price, amount: price_of_one(price, amount, SHARE_DECIMALS, token.decimals)


def _points(trades: Sequence[Trade], token: Token) -> list[tuple[datetime, Decimal]]:
    """Return time and price of one share of each trade, the oldest first."""
    share_price = _share_price(token)
    return [(_moment(each.time), share_price(each.price, each.amount)) for each in reversed(trades) if each.time]


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
