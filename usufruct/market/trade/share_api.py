"""Revenue shares as JSON: shares, holdings, their income, offers and trades."""

from secrets import token_hex

from starlette.responses import Response

from usufruct.accounts import Sessions
from usufruct.assets import SHARE_DECIMALS, SUPPLY
from usufruct.core import address
from usufruct.market.trade.model import GoodsGroup
from usufruct.market.trade.offer_book import OfferBook
from usufruct.market.trade.offer_documents import asset_of, exchange_transaction
from usufruct.market.trade.offer_lists import list_routes
from usufruct.market.trade.share_income import ShareIncome
from usufruct.market.trade.signers import Signers
from usufruct.web import Operation, Request, Route, document_response
from usufruct.web.ui import PageRoute
from usufruct_client.trade import GoodsKind
from usufruct_client.trade_documents import HoldingFacts, ShareCollection, SharesFacts

SHARES = "/v1/shares"

_COOKIE = {"cookie": "the session's"}
_SIGNED_OUT = {401: "no one is signed in"}
_NONE = {404: "the service is unknown, or has no shares"}
_CHAIN = {503: "the chain's node does not answer"}
_FACTS = Operation(
    "Show a service's revenue shares, and the income that goes with them.", SharesFacts, refuses=_NONE | _CHAIN
)
_HOLDING = Operation(
    "Show what an account holds of a service's shares, and its uncollected income.",
    HoldingFacts,
    refuses=_NONE | _CHAIN,
)
_COLLECT = Operation(
    "Return the transactions by which the signed-in holder collects the income of their shares.",
    ShareCollection,
    takes=_COOKIE,
    refuses=_SIGNED_OUT | _NONE | _CHAIN,
)


def share_routes(book: OfferBook, income: ShareIncome, signers: Signers, sessions: Sessions) -> list[Route]:
    """Return the routes that show shares, holdings, offers and trades, and by which holders collect income."""

    async def shares(request: Request) -> Response:
        listing = await book.by_id(asset_of(request))
        state = await income.state(listing)
        terms = book.terms
        facts = SharesFacts(
            listing.id,
            listing.name,
            listing.pay_to,
            book.exchange.address,
            SUPPLY,
            SHARE_DECIMALS,
            terms.token.address,
            terms.token.symbol,
            terms.token.decimals,
            state.fee_bps,
            state.unbooked,
            state.open_transfer,
            await book.count_trades(GoodsGroup(listing.id)),
        )
        return document_response(facts)

    async def holding(request: Request) -> Response:
        listing = await book.by_id(asset_of(request))
        found = await income.account(listing, address(request.path_params["holder"], "holder"))
        return document_response(HoldingFacts(found.holder, found.amount, found.booked, found.pending))

    async def collect(request: Request) -> Response:
        holder = (await sessions.require(request.exchange)).address
        listing = await book.by_id(asset_of(request))
        amount, calls = await income.collection(listing, holder)
        transactions = []
        for call in calls:
            sent = await signers.send_for_demo(call, holder, f"shares/collect/{listing.id:#x}/{token_hex(16)}")
            transactions.append(exchange_transaction(book, call, sent=sent))
        return document_response(ShareCollection(amount, transactions))

    return [
        Route("GET", f"{SHARES}/{{asset}}", shares, _FACTS),
        Route("GET", f"{SHARES}/{{asset}}/holders/{{holder}}", holding, _HOLDING),
        *list_routes(book, f"{SHARES}/{{asset}}", GoodsKind.SHARES),
        PageRoute("POST", f"{SHARES}/{{asset}}/collection", collect, _COLLECT),
    ]
