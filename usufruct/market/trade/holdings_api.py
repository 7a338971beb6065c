"""What an account holds, and the open offers of all services, as JSON."""

from starlette.responses import Response

from usufruct.accounts import Sessions
from usufruct.core import AssetId, address
from usufruct.market.trade.errors import InvalidOffer
from usufruct.market.trade.holdings import Holdings
from usufruct.market.trade.model import OfferFilter
from usufruct.market.trade.offer_documents import asset_number, offer_facts
from usufruct.market.trade.offers import OFFERS
from usufruct.web import Operation, Parameter, Request, Route, document_response
from usufruct.web.ui import PageRoute
from usufruct_client.trade import GoodsKind
from usufruct_client.trade_documents import (
    AccountHoldings,
    HeldServiceCredits,
    HeldShares,
    HeldTitle,
    OfferList,
)

HOLDINGS = "/v1/account/holdings"

_KINDS = {"shares": GoodsKind.SHARES, "credits": GoodsKind.CREDITS, "title": GoodsKind.TITLE}
_HOLDINGS = Operation(
    "Return what the signed-in account holds: shares, titles, credits, income to collect, its open offers.",
    AccountHoldings,
    takes={"cookie": "the session's"},
    refuses={401: "no one is signed in", 503: "the chain's node does not answer"},
)
_OFFERS = Operation(
    "List open offers of all services; the newest first.",
    OfferList,
    asks={
        "kind": Parameter("only of these goods", {"type": "string", "enum": [*_KINDS]}),
        "asset": Parameter("only of this service", {"type": "string", "pattern": "^0x[0-9a-f]{32}$"}),
        "maker": Parameter("only of this account", {"type": "string", "pattern": "^0x[0-9a-f]{40}$"}),
        "after": Parameter(
            "`next` of the page before", {"type": "string", "pattern": "^[0-9]{1,77}[.]0x[0-9a-f]{64}$"}
        ),
    },
    refuses={400: "a filter, or `after`, is not one"},
)


def holdings_routes(holdings: Holdings, sessions: Sessions) -> list[Route]:
    """Return the route of what an account holds, and the list of all open offers."""
    book = holdings.book

    async def show(request: Request) -> Response:
        account = (await sessions.require(request.exchange)).address
        node = book.node()
        held, more_shares = await holdings.shares(account, node)
        titles = await holdings.titles(account, node)
        credits_ = await holdings.credits(account)
        offers, more_offers = await holdings.offers(account, node)
        answer = AccountHoldings(
            account,
            book.terms.token.symbol,
            book.terms.token.decimals,
            sum(each.pending for each in held),
            [
                HeldShares(each.listing.id, each.listing.name, each.listing.pay_to, each.amount, each.pending)
                for each in held
            ],
            [HeldTitle(each.id, each.name) for each in titles],
            [
                HeldServiceCredits(
                    AssetId(int(each.asset, 16)),
                    each.name,
                    each.currency.symbol,
                    each.currency.decimals,
                    each.circulating,
                    each.left,
                )
                for each in credits_.services
            ],
            [offer_facts(each) for each in offers],
            more_shares or credits_.more or more_offers,
        )
        return document_response(answer)

    async def offers(request: Request) -> Response:
        filters, node = _filters(request), book.node()
        await book.catch_up(node)
        found, after = await book.open_offers(filters, request.query_params.get("after", ""), node)
        return document_response(OfferList([offer_facts(each) for each in found], after))

    return [PageRoute("GET", HOLDINGS, show, _HOLDINGS), Route("GET", OFFERS, offers, _OFFERS)]


def _filters(request: Request) -> OfferFilter:
    asked = request.query_params
    kind, asset, maker = asked.get("kind", ""), asked.get("asset", ""), asked.get("maker", "")
    if kind and kind not in _KINDS:
        raise InvalidOffer(f"kind is {kind[:60]!r}; it is one of {', '.join(_KINDS)}", field="kind")
    return OfferFilter(
        _KINDS.get(kind), asset_number(asset) if asset else None, address(maker, "maker") if maker else None
    )
