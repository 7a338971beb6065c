"""Trade as JSON: offers, and purchases of parts of them."""

from secrets import token_hex

from starlette.responses import Response

from usufruct.accounts import Sessions
from usufruct.core import UsufructError, hash32
from usufruct.market.trade.errors import InvalidOffer, InvalidPurchase
from usufruct.market.trade.offer_book import OfferBook
from usufruct.market.trade.offer_documents import exchange_transaction, offer_facts
from usufruct.market.trade.offers import OFFERS, Offers
from usufruct.market.trade.purchases import PURCHASES, Purchases
from usufruct.market.trade.signers import Signers
from usufruct.web import Operation, Request, Route, document_response
from usufruct.web.ui import PageRoute
from usufruct_client.trade_documents import (
    ExchangeTransaction,
    OfferFacts,
    OfferWish,
    PurchaseFacts,
    PurchaseRequest,
    PurchaseWish,
    SaleRequest,
    SignedOffer,
    SignedPurchase,
)

_COOKIE = {"cookie": "the session's"}
_SIGNED_OUT = {401: "no one is signed in"}
_NONE = {404: "the service is unknown, or has no such goods"}
_GONE = {404: "the offer is unknown"}
_OFFER = Operation("Show an offer.", OfferFacts, refuses=_GONE)
_SELL = Operation(
    "Return what a wallet signs to sell shares, credits of a plan, or a title, alone or with shares and credits.",
    SaleRequest,
    OfferWish,
    takes=_COOKIE,
    refuses=_SIGNED_OUT | _NONE,
)
_PUBLISH = Operation(
    "Publish a signed offer; its permit is sent first where shares are not approved.",
    OfferFacts,
    SignedOffer,
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
    "Return what a wallet signs to buy a part of an offer, or all of a title's.",
    PurchaseRequest,
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


def offer_routes(book: OfferBook, offers: Offers, signers: Signers, sessions: Sessions) -> list[Route]:
    """Return the routes of offers. A signed offer needs no session: its signature says whose it is."""

    async def sell(request: Request) -> Response:
        maker = (await sessions.require(request.exchange)).address
        terms = await offers.terms(maker, await request.read(OfferWish, _offer_refusal))
        permit = terms.permit
        approvals = []
        for call in terms.approvals:
            sent = not permit and await signers.send_for_demo(call, maker, f"offer/approve/{token_hex(16)}")
            approvals.append(exchange_transaction(book, call, sent=sent))
        answer = SaleRequest(
            await signers.for_signing(permit, maker) if permit else None,
            approvals,
            await signers.for_signing(terms.offer, maker),
            terms.fee,
            terms.royalty,
            terms.proceeds,
        )
        return document_response(answer)

    async def publish(request: Request) -> Response:
        signed = await request.read(SignedOffer, _offer_refusal)
        made = await offers.publish(signed, signers.site(request.exchange, signed.assertion))
        return document_response(offer_facts((await book.standing([made]))[0]), 201)

    async def show(request: Request) -> Response:
        found = await book.offer(hash32(request.path_params["offer"], "offer"))
        return document_response(offer_facts((await book.standing([found]))[0]))

    async def cancel(request: Request) -> Response:
        maker = (await sessions.require(request.exchange)).address
        hash_ = hash32(request.path_params["offer"], "offer")
        call = await offers.cancellation(maker, hash_)
        sent = await signers.send_for_demo(call, maker, f"offer/cancel/{hash_}")
        return document_response(exchange_transaction(book, call, sent=sent))

    return [
        PageRoute("POST", f"{OFFERS}/requests", sell, _SELL),
        Route("POST", OFFERS, publish, _PUBLISH),
        Route("GET", f"{OFFERS}/{{offer}}", show, _OFFER),
        PageRoute("POST", f"{OFFERS}/{{offer}}/cancellation", cancel, _CANCEL),
    ]


def purchase_routes(book: OfferBook, purchases: Purchases, signers: Signers, sessions: Sessions) -> list[Route]:
    """Return the routes of buyers. A signed purchase needs no session."""

    async def buy(request: Request) -> Response:
        buyer = (await sessions.require(request.exchange)).address
        terms = await purchases.terms(buyer, await request.read(PurchaseWish, _purchase_refusal))
        asked = await signers.for_signing(terms.request, buyer)
        return document_response(PurchaseRequest(asked, terms.price, terms.fee, terms.royalty))

    async def purchase(request: Request) -> Response:
        signed = await request.read(SignedPurchase, _purchase_refusal)
        made = await purchases.submit(signed, signers.site(request.exchange, signed.assertion))
        return document_response(
            PurchaseFacts(signed.offer, signed.buyer, signed.amount, signed.price, made.transaction)
        )

    async def transaction(request: Request) -> Response:
        signed = await request.read(SignedPurchase, _purchase_refusal)
        call = await purchases.call(signed, signers.site(request.exchange, signed.assertion))
        return document_response(exchange_transaction(book, call))

    return [
        PageRoute("POST", f"{PURCHASES}/requests", buy, _BUY),
        Route("POST", PURCHASES, purchase, _PURCHASE),
        Route("POST", f"{PURCHASES}/transactions", transaction, _SEND_PURCHASE),
    ]


def _offer_refusal(message: str, field: str) -> UsufructError:
    return InvalidOffer(message, field=field)


def _purchase_refusal(message: str, field: str) -> UsufructError:
    return InvalidPurchase(message, field=field)
