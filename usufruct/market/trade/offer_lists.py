"""The lists of a service's offers and trades as JSON, for shares, credits and titles alike."""

from starlette.responses import Response

from usufruct.market.trade.model import GoodsGroup
from usufruct.market.trade.offer_book import OfferBook
from usufruct.market.trade.offer_documents import asset_of, offer_facts, trade_facts
from usufruct.web import Operation, Request, Route, document_response
from usufruct_client.trade import GoodsKind
from usufruct_client.trade_documents import OfferList, TradeList

_AFTER = {"after": "`next` of the page before"}
_NONE = {404: "the service is unknown, or has no such goods"}
_GOODS = {
    GoodsKind.SHARES: ("shares", "the lowest price of a share first"),
    GoodsKind.CREDITS: ("credits, of all plans", "the lowest price of a credit first"),
    GoodsKind.TITLE: ("title, alone or with shares and credits", "the lowest price first"),
}


def list_routes(book: OfferBook, path: str, kind: GoodsKind) -> list[Route]:
    """Return the routes that list offers and trades of goods of a kind, under the path of one asset of them."""
    goods, order = _GOODS[kind]
    listed = f"List offers of a service's {goods}; {order}."
    traded = f"List the last trades of a service's {goods}; the newest first."

    async def offers(request: Request) -> Response:
        listing = await book.by_id(asset_of(request))
        node = book.node()
        await book.catch_up(node)
        found, after = await book.offers(GoodsGroup(listing.id, kind), request.query_params.get("after", ""), node)
        return document_response(OfferList([offer_facts(each) for each in found], after))

    async def trades(request: Request) -> Response:
        listing = await book.by_id(asset_of(request))
        await book.catch_up(book.node())
        found = await book.trades(GoodsGroup(listing.id, kind))
        return document_response(TradeList([trade_facts(each) for each in found]))

    return [
        Route("GET", f"{path}/offers", offers, Operation(listed, OfferList, asks=_AFTER, refuses=_NONE)),
        Route("GET", f"{path}/trades", trades, Operation(traded, TradeList, refuses=_NONE)),
    ]
