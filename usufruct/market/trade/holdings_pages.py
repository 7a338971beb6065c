"""The page of what an account holds, `/account/holdings`: shares and their income, titles, credits, open offers."""

from collections.abc import Awaitable
from decimal import Decimal
from typing import Any, TypeVar
from urllib.parse import quote

from starlette.responses import Response

from usufruct.assets import SHARE_DECIMALS, SUPPLY
from usufruct.core import Address, AssetId, Unavailable
from usufruct.market.trade.holdings import Holdings
from usufruct.market.trade.trade_pages import TradePages, moment
from usufruct.web import Request
from usufruct.web.ui import PageRoute
from usufruct_client.trade import GoodsKind

PATH = "/account/holdings"

_T = TypeVar("_T")
_PLACES = {GoodsKind.SHARES: "shares", GoodsKind.CREDITS: "passes", GoodsKind.TITLE: "titles"}


def holdings_pages(trade: TradePages, holdings: Holdings) -> list[PageRoute]:
    """Return the route of the page, to which the account's page links."""
    book = trade.book

    async def show(request: Request) -> Response:
        session = await trade.sessions.find(request.exchange)
        if session is None:
            return trade.pages.redirect(request, "/account")
        account = session.address
        answer = trade.pages.answer(
            request,
            "market/holdings.html",
            payer=account,
            by_passkey=await trade.signers.holds_passkey(account),
            token=book.terms.token,
            supply=SUPPLY,
            count=lambda amount: Decimal(amount).scaleb(-SHARE_DECIMALS),
            moment=moment,
            path_of=lambda kind, name: f"/{_PLACES[kind]}/{quote(name)}",
            goods=GoodsKind,
            **await _held(account),
        )
        answer.headers["cache-control"] = "private, no-store"  # else "back" shows it after sign-out
        return answer

    async def _held(account: Address) -> dict[str, Any]:
        """Return what is shown; None for a part that is not known while the node does not answer."""
        node = book.node()
        offers, more_offers = await holdings.offers(account, node)
        shares = await _or_none(holdings.shares(account, node))
        return {
            "shares": shares[0] if shares else None,
            "titles": await _or_none(holdings.titles(account, node)),
            "credits": await _or_none(holdings.credits(account)),
            "offers": offers,
            "names": await book.names({AssetId(each.offer.goods.asset) for each in offers}),
            "more_shares": bool(shares and shares[1]),
            "more_offers": more_offers,
        }

    return [PageRoute("GET", PATH, show)]


async def _or_none(asked: Awaitable[_T]) -> _T | None:
    try:
        return await asked
    except Unavailable:
        return None
