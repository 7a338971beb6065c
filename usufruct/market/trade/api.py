"""Trade in revenue shares as JSON: shares, holdings, offers, purchases, trades."""

from secrets import token_hex

from starlette.responses import Response

from usufruct.accounts import Sessions
from usufruct.assets import SHARE_DECIMALS, SUPPLY
from usufruct.chain import Call
from usufruct.core import AssetId, UsufructError, address, hash32
from usufruct.market.trade.errors import InvalidPurchase, InvalidShareOffer
from usufruct.market.trade.offers import OFFERS, ShareOffers
from usufruct.market.trade.purchases import PURCHASES, SharePurchases
from usufruct.market.trade.service import ShareMarket, StandingOffer
from usufruct.market.trade.signers import Signers
from usufruct.market.trade.store import Trade
from usufruct.web import Operation, Request, Route, document_response
from usufruct.web.ui import PageRoute
from usufruct_client.trade_documents import (
    ExchangeTransaction,
    HoldingFacts,
    PurchaseFacts,
    PurchaseWish,
    ShareCollection,
    ShareOfferFacts,
    ShareOfferList,
    ShareOfferTerms,
    SharePurchaseRequest,
    ShareSaleRequest,
    SharesFacts,
    ShareTrade,
    ShareTrades,
    SignedPurchase,
    SignedShareOffer,
)

SHARES = "/v1/shares"

_COOKIE = {"cookie": "the session's"}
_SIGNED_OUT = {401: "no one is signed in"}
_NONE = {404: "the service is unknown, or has no shares"}
_GONE = {404: "the offer is unknown"}
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
_LIST = Operation(
    "List offers of a service's shares, the lowest price of a share first; `after`: where to go on.",
    ShareOfferList,
    refuses=_NONE,
)
_OFFER = Operation("Show an offer of shares.", ShareOfferFacts, refuses=_GONE)
_SELL = Operation(
    "Return what a wallet signs to sell shares.",
    ShareSaleRequest,
    ShareOfferTerms,
    takes=_COOKIE,
    refuses=_SIGNED_OUT | _NONE,
)
_PUBLISH = Operation(
    "Publish a signed offer of shares; its permit is sent first where the shares are not approved.",
    ShareOfferFacts,
    SignedShareOffer,
    201,
    refuses=_NONE | {409: "the exchange would not sell it; the code says why", 429: "the relayer pays no more today"},
)
_CANCEL = Operation(
    "Return the transaction by which the signed-in maker ends an offer.",
    ExchangeTransaction,
    takes=_COOKIE,
    refuses=_SIGNED_OUT | _GONE | {403: "another account made the offer"},
)
_BUY = Operation(
    "Return what a wallet signs to buy shares of an offer.",
    SharePurchaseRequest,
    PurchaseWish,
    takes=_COOKIE,
    refuses=_SIGNED_OUT | _GONE | {402: "the wallet holds too little", 409: "the offer cannot be filled like that"},
)
_PURCHASE = Operation(
    "Make a purchase that was signed, once; the operator pays the gas.",
    PurchaseFacts,
    SignedPurchase,
    refuses=_GONE
    | {409: "it cannot be made; the code says why", 429: "the relayer pays no more today", 503: "it is on its way"},
)
_SEND_PURCHASE = Operation(
    "Return the transaction that makes a signed purchase, for a wallet that sends it itself.",
    ExchangeTransaction,
    SignedPurchase,
    refuses=_GONE,
)
_TRADES = Operation("List the last trades of a service's shares, the newest first.", ShareTrades, refuses=_NONE)


def share_routes(market: ShareMarket) -> list[Route]:
    """Return the routes that show shares, holdings, offers and trades."""

    async def shares(request: Request) -> Response:
        listing = await market.by_id(asset_of(request))
        state = await market.state(listing)
        terms = market.terms
        facts = SharesFacts(
            listing.id,
            listing.name,
            listing.pay_to,
            market.exchange.address,
            SUPPLY,
            SHARE_DECIMALS,
            terms.token.address,
            terms.token.symbol,
            terms.token.decimals,
            state.fee_bps,
            state.unbooked,
            state.open_transfer,
            await market.count_trades(listing.id),
        )
        return document_response(facts)

    async def holding(request: Request) -> Response:
        listing = await market.by_id(asset_of(request))
        found = await market.account(listing, address(request.path_params["holder"], "holder"))
        return document_response(HoldingFacts(found.holder, found.amount, found.booked, found.pending))

    async def offers(request: Request) -> Response:
        listing = await market.by_id(asset_of(request))
        found, after = await market.offers(listing.id, request.query_params.get("after", ""))
        return document_response(ShareOfferList([offer_facts(each) for each in found], after))

    async def offer(request: Request) -> Response:
        found = await market.offer(hash32(request.path_params["offer"], "offer"))
        return document_response(offer_facts((await market.standing([found]))[0]))

    async def trades(request: Request) -> Response:
        listing = await market.by_id(asset_of(request))
        return document_response(ShareTrades([trade_facts(each) for each in await market.trades(listing.id)]))

    return [
        Route("GET", f"{SHARES}/{{asset}}", shares, _FACTS),
        Route("GET", f"{SHARES}/{{asset}}/holders/{{holder}}", holding, _HOLDING),
        Route("GET", f"{SHARES}/{{asset}}/offers", offers, _LIST),
        Route("GET", f"{OFFERS}/{{offer}}", offer, _OFFER),
        Route("GET", f"{SHARES}/{{asset}}/trades", trades, _TRADES),
    ]


def holder_routes(market: ShareMarket, signers: Signers, sessions: Sessions) -> list[Route]:
    """Return the routes of holders, who collect income."""

    async def collect(request: Request) -> Response:
        holder = (await sessions.require(request.exchange)).address
        listing = await market.by_id(asset_of(request))
        amount, calls = await market.collection(listing, holder)
        transactions = []
        for call in calls:
            sent = await signers.send_for_demo(call, holder, f"shares/collect/{listing.id:#x}/{token_hex(16)}")
            transactions.append(_transaction(market, call, sent=sent))
        return document_response(ShareCollection(amount, transactions))

    return [PageRoute("POST", f"{SHARES}/{{asset}}/collection", collect, _COLLECT)]


def offer_routes(market: ShareMarket, offers: ShareOffers, signers: Signers, sessions: Sessions) -> list[Route]:
    """Return the routes of makers. A signed offer needs no session: its signature says whose it is."""

    async def sell(request: Request) -> Response:
        maker = (await sessions.require(request.exchange)).address
        terms = await offers.terms(maker, await request.read(ShareOfferTerms, _offer_refusal))
        permit, approval = terms.permit, terms.approval
        answer = ShareSaleRequest(
            await signers.for_signing(permit, maker) if permit else None,
            _transaction(market, approval) if approval else None,
            await signers.for_signing(terms.offer, maker),
            terms.fee,
            terms.proceeds,
        )
        return document_response(answer)

    async def publish(request: Request) -> Response:
        signed = await request.read(SignedShareOffer, _offer_refusal)
        made = await offers.publish(signed, signers.site(request.exchange, signed.assertion))
        return document_response(offer_facts((await market.standing([made]))[0]), 201)

    async def cancel(request: Request) -> Response:
        maker = (await sessions.require(request.exchange)).address
        hash_ = hash32(request.path_params["offer"], "offer")
        call = await offers.cancellation(maker, hash_)
        sent = await signers.send_for_demo(call, maker, f"share-offer/cancel/{hash_}")
        return document_response(_transaction(market, call, sent=sent))

    return [
        PageRoute("POST", f"{OFFERS}/requests", sell, _SELL),
        Route("POST", OFFERS, publish, _PUBLISH),
        PageRoute("POST", f"{OFFERS}/{{offer}}/cancellation", cancel, _CANCEL),
    ]


def purchase_routes(
    market: ShareMarket, purchases: SharePurchases, signers: Signers, sessions: Sessions
) -> list[Route]:
    """Return the routes of buyers. A signed purchase needs no session."""

    async def buy(request: Request) -> Response:
        buyer = (await sessions.require(request.exchange)).address
        terms = await purchases.terms(buyer, await request.read(PurchaseWish, _purchase_refusal))
        asked = await signers.for_signing(terms.request, buyer)
        return document_response(SharePurchaseRequest(asked, terms.price, terms.fee))

    async def purchase(request: Request) -> Response:
        signed = await request.read(SignedPurchase, _purchase_refusal)
        made = await purchases.submit(signed, signers.site(request.exchange, signed.assertion))
        return document_response(
            PurchaseFacts(signed.offer, signed.buyer, signed.amount, signed.price, made.transaction)
        )

    async def transaction(request: Request) -> Response:
        signed = await request.read(SignedPurchase, _purchase_refusal)
        call = await purchases.call(signed, signers.site(request.exchange, signed.assertion))
        return document_response(_transaction(market, call))

    return [
        PageRoute("POST", f"{PURCHASES}/requests", buy, _BUY),
        Route("POST", PURCHASES, purchase, _PURCHASE),
        Route("POST", f"{PURCHASES}/transactions", transaction, _SEND_PURCHASE),
    ]


def asset_of(request: Request) -> AssetId:
    """Return the asset that a request's path names."""
    text = request.path_params["asset"]
    try:
        number = int(text, 16)
    except ValueError:
        number = -1
    if not (0 <= number < 1 << 128 and text.startswith("0x")):
        raise InvalidShareOffer(f"asset is {text[:60]!r}; give its id: 0x and 32 hex digits", field="asset")
    return AssetId(number)


def offer_facts(standing: StandingOffer) -> ShareOfferFacts:
    """Return an offer as anyone may see it."""
    offer = standing.offer
    return ShareOfferFacts(
        offer.hash,
        offer.asset,
        offer.shares,
        offer.maker,
        offer.currency,
        offer.amount,
        offer.price,
        offer.left,
        standing.available,
        offer.expiry,
        offer.max_deduction_bps,
        offer.nonce,
        offer.signature,
        offer.created_at,
        standing.state.value,
    )


def trade_facts(trade: Trade) -> ShareTrade:
    """Return a trade as anyone may see it."""
    return ShareTrade(
        trade.offer,
        trade.maker,
        trade.buyer,
        trade.amount,
        trade.price,
        trade.fee,
        trade.time,
        trade.transaction,
    )


def _transaction(market: ShareMarket, call: Call, *, sent: bool = False) -> ExchangeTransaction:
    return ExchangeTransaction(market.terms.chain_id, call.to, f"0x{call.data.hex()}", call.value, sent)


def _offer_refusal(message: str, field: str) -> UsufructError:
    return InvalidShareOffer(message, field=field)


def _purchase_refusal(message: str, field: str) -> UsufructError:
    return InvalidPurchase(message, field=field)
