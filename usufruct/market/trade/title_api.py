"""Titles as JSON: a service's title, its offers and trades."""

from starlette.responses import Response

from usufruct.core.price_cards import PriceCard
from usufruct.market.trade.model import GoodsGroup
from usufruct.market.trade.offer_book import OfferBook
from usufruct.market.trade.offer_documents import asset_of
from usufruct.market.trade.offer_lists import list_routes
from usufruct.market.trade.titles import Titles
from usufruct.web import Operation, Request, Route, document_response
from usufruct_client.price_card import PriceCard as WirePriceCard
from usufruct_client.trade import GoodsKind
from usufruct_client.trade_documents import TitleFacts

TITLES = "/v1/titles"

_FACTS = Operation(
    "Show a service's title: its owner, prices and when they may change, what a sale deducts.",
    TitleFacts,
    refuses={404: "the service is unknown, or not registered", 503: "the chain's node does not answer"},
)


def title_routes(book: OfferBook, titles: Titles) -> list[Route]:
    """Return the routes that show a title, its offers and trades."""

    async def title(request: Request) -> Response:
        listing = await book.by_id(asset_of(request))
        state, terms = await titles.state(listing, book.node()), book.terms
        pending = state.next_price
        facts = TitleFacts(
            listing.id,
            listing.name,
            book.goods.titles,
            book.exchange.address,
            state.owner,
            listing.pay_to,
            book.goods.passes,
            _card(state.price),
            _card(pending.card) if pending else None,
            pending.starts_at if pending else None,
            state.currency.symbol,
            state.currency.decimals,
            state.notice_seconds,
            state.retires_at,
            terms.token.address,
            terms.token.symbol,
            terms.token.decimals,
            state.deductions.fee_bps,
            state.deductions.royalty_bps,
            await book.count_trades(GoodsGroup(listing.id, GoodsKind.TITLE)),
        )
        return document_response(facts)

    return [
        Route("GET", f"{TITLES}/{{asset}}", title, _FACTS),
        *list_routes(book, f"{TITLES}/{{asset}}", GoodsKind.TITLE),
    ]


def _card(card: PriceCard) -> WirePriceCard:
    return WirePriceCard(
        card.version,
        card.unit.value,
        card.input_per_million,
        card.output_per_million,
        card.cached_input_bps,
        card.per_call,
    )
