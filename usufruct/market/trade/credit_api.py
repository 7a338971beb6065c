"""Prepaid credits as JSON, for those who buy and use them: packages, activation, keys, what is given back."""

from collections.abc import Sequence
from secrets import token_hex

from starlette.responses import Response

from usufruct.accounts import Sessions
from usufruct.accounts.passkeys import Wallet
from usufruct.chain import Call
from usufruct.core import Address, AssetId, UsufructError
from usufruct.market.trade.credit_use import GRANTS, CreditUse
from usufruct.market.trade.errors import InvalidGrant, InvalidPurchase
from usufruct.market.trade.offer_book import OfferBook
from usufruct.market.trade.offer_documents import asset_of, exchange_transaction
from usufruct.market.trade.packages import Packages
from usufruct.market.trade.pass_api import PASSES
from usufruct.market.trade.signers import Signers
from usufruct.web import Operation, Request, Route, document_response
from usufruct.web.ui import PageRoute
from usufruct_client.pass_documents import (
    ActivationWish,
    CreditsRefundWish,
    GrantSecret,
    GrantWish,
    PackageRequest,
    PackageWish,
    PassTransactions,
    SignedGrant,
)
from usufruct_client.trade_documents import ExchangeTransaction
from usufruct_client.wire import SigningRequest

_COOKIE = {"cookie": "the session's"}
_REFUSES = {
    401: "no one is signed in",
    404: "the service or the plan is unknown",
    409: "it cannot be done now; the code says why",
    503: "the chain's node does not answer",
}
_BUY = Operation(
    "Return what the signed-in account signs or sends to buy packages of a plan.",
    PackageRequest,
    PackageWish,
    takes=_COOKIE,
    refuses=_REFUSES | {402: "the account holds too little"},
)
_ACTIVATE = Operation(
    "Return the transaction by which the signed-in account activates credits for calls.",
    PassTransactions,
    ActivationWish,
    takes=_COOKIE,
    refuses=_REFUSES,
)
_REFUND = Operation(
    "Return the transactions by which the signed-in account gives unused credits of a plan back.",
    PassTransactions,
    CreditsRefundWish,
    takes=_COOKIE,
    refuses=_REFUSES,
)
_ASK_GRANT = Operation(
    "Return what the signed-in account signs for a key that pays with its activated credits.",
    SigningRequest,
    GrantWish,
    takes=_COOKIE,
    refuses=_REFUSES,
)
_GRANT = Operation(
    "Return a key of a grant that its holder signed; nothing of it is kept.",
    GrantSecret,
    SignedGrant,
    refuses={401: "its holder did not sign this, or its time is over", 503: "the chain's node does not answer"},
)


def credit_routes(
    book: OfferBook, packages: Packages, use: CreditUse, signers: Signers, sessions: Sessions, wallet: Wallet | None
) -> list[Route]:
    """Return the routes of holders; `wallet` asks passkeys for operations, where there are any."""

    async def buy(request: Request) -> Response:
        buyer, asset = (await sessions.require(request.exchange)).address, await _asset(request)
        wish = await request.read(PackageWish, _purchase_refusal)
        terms = await packages.terms(buyer, asset, wish)
        asked, transactions = None, []
        if wallet is not None and await wallet.owns(buyer):
            asked = await wallet.call_once(buyer, terms.calls, terms.name)
        else:
            transactions = await _transactions(buyer, terms.calls, f"pass/buy/{terms.name}")
        return document_response(PackageRequest(terms.price, terms.credits, asked, transactions))

    async def activate(request: Request) -> Response:
        holder, asset = (await sessions.require(request.exchange)).address, await _asset(request)
        wish = await request.read(ActivationWish, _purchase_refusal)
        call = await use.activation(holder, await packages.plan(asset, wish.plan), wish.amount)
        return document_response(PassTransactions(0, await _transactions(holder, [call], f"pass/{token_hex(16)}")))

    async def refund(request: Request) -> Response:
        holder, asset = (await sessions.require(request.exchange)).address, await _asset(request)
        wish = await request.read(CreditsRefundWish, _purchase_refusal)
        amount, calls = await use.refund(holder, await packages.plan(asset, wish.plan))
        return document_response(PassTransactions(amount, await _transactions(holder, calls, f"pass/{token_hex(16)}")))

    async def ask_grant(request: Request) -> Response:
        holder = (await sessions.require(request.exchange)).address
        wish = await request.read(GrantWish, _grant_refusal)
        asset = (await book.by_id(AssetId(wish.plan >> 128))).id
        await packages.plan(asset, wish.plan)
        return document_response(await signers.for_signing(use.grant_request(holder, wish), holder))

    async def grant(request: Request) -> Response:
        signed = await request.read(SignedGrant, _grant_refusal)
        made = await use.grant(signed, signers.site(request.exchange, signed.assertion))
        account = use.terms.account_id(use.terms.credits(made.plan, made.holder))
        secret = GrantSecret(made.text(), made.asset, made.plan, account, made.limit, made.expires_at)
        answer = document_response(secret)
        answer.headers["cache-control"] = "no-store"
        return answer

    async def _asset(request: Request) -> AssetId:
        return (await book.by_id(asset_of(request))).id

    async def _transactions(account: Address, calls: Sequence[Call], key: str) -> list[ExchangeTransaction]:
        """Return calls as transactions; those of the demo account are sent here, once by the key."""
        made = []
        for index, call in enumerate(calls):
            sent = await signers.send_for_demo(call, account, f"{key}/{index}")
            made.append(exchange_transaction(book, call, sent=sent))
        return made

    return [
        PageRoute("POST", f"{PASSES}/{{asset}}/packages", buy, _BUY),
        PageRoute("POST", f"{PASSES}/{{asset}}/activation", activate, _ACTIVATE),
        PageRoute("POST", f"{PASSES}/{{asset}}/refund", refund, _REFUND),
        PageRoute("POST", f"{GRANTS}/requests", ask_grant, _ASK_GRANT),
        Route("POST", GRANTS, grant, _GRANT),
    ]


def _purchase_refusal(message: str, field: str) -> UsufructError:
    return InvalidPurchase(message, field=field)


def _grant_refusal(message: str, field: str) -> UsufructError:
    return InvalidGrant(message, field=field)
