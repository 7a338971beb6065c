"""A passkey account's settings, payments and recovery as JSON: what its owner signs, and what is sent of it."""

from starlette.responses import Response

from usufruct.accounts.passkeys.api import operation_facts, packed
from usufruct.accounts.passkeys.operation import InvalidOperation
from usufruct.accounts.passkeys.passkeys import Passkeys
from usufruct.accounts.passkeys.wallet import SEND, AccountSigner, Pending, Wallet
from usufruct.accounts.passkeys.webauthn import PasskeyRefused
from usufruct.accounts.sessions import Sessions
from usufruct.chain import Call
from usufruct.chain.contracts.passkey_account import PasskeyAccount
from usufruct.chain.entry_point import ENTRY_POINT
from usufruct.core import Address, Invalid, NotFound, UsufructError, address
from usufruct.web import Operation, Request, document_response
from usufruct.web.ui import PageRoute
from usufruct_client.passkey_wire import (
    AddressSignerWish,
    CallFacts,
    CallsFacts,
    CallsWish,
    NewSignerWish,
    OperationFacts,
    PasskeyOperationWish,
    PaymentWish,
    PendingFacts,
    RecoveryStartWish,
    RecoveryWish,
    RemovalWish,
    SignerFacts,
    WalletFacts,
)
from usufruct_client.wire import SigningRequest
from usufruct_client.wire_types import Document

_PATH = "/v1/account/wallet"
_COOKIE = {"cookie": "the session's"}
_REFUSES = {401: "no one is signed in", 404: "the signed-in account is not a passkey account"}


def _asks(what: str, wish: type[Document] | None = None) -> Operation:
    return Operation(f"Return what a passkey signs to {what}.", SigningRequest, wish, takes=_COOKIE, refuses=_REFUSES)


_STATE = Operation(
    "Show a passkey account, and what is needed to use it without this site.",
    WalletFacts,
    takes=_COOKIE,
    refuses=_REFUSES,
)
_SEND = Operation(
    "Send an operation that a passkey signed.",
    OperationFacts,
    PasskeyOperationWish,
    takes=_COOKIE,
    refuses=_REFUSES | {429: "the relayer pays no more today"},
)
_EXPORT = Operation(
    "Return a signed operation as calls that anyone can send.",
    CallsFacts,
    PasskeyOperationWish,
    takes=_COOKIE,
    refuses=_REFUSES,
)
_START = Operation(
    "Keep the passkey of a recovery, and return the call that the signed-in recovery wallet sends.",
    CallFacts,
    RecoveryStartWish,
    takes=_COOKIE,
    refuses={401: "no one is signed in", 403: "another wallet is the account's recovery wallet"},
)
_FINISH = Operation("Return the call that finishes a recovery; anyone may send it.", CallFacts)


def wallet_routes(wallet: Wallet, passkeys: Passkeys, sessions: Sessions, chain_id: int) -> list[PageRoute]:
    """Return the routes under `/v1/account/wallet`, of sending what was signed, and of recoveries."""

    async def own(request: Request) -> Address:
        account = (await sessions.require(request.exchange)).address
        if not await passkeys.store.list(account):
            raise NotFound(f"{account} is not a passkey account of this site", code="passkey_account_unknown")
        return account

    async def state(request: Request) -> Response:
        account = await own(request)
        found = await wallet.state(account)
        facts = WalletFacts(
            account,
            chain_id,
            ENTRY_POINT,
            found.exists,
            _call(await passkeys.creation(account)),
            [_signer(each) for each in found.signers],
            found.recovery_wallet,
            found.delay,
            _pending(found.recovery),
            _pending(found.change),
        )
        return document_response(facts)

    async def add_passkey(request: Request) -> Response:
        account, wish = await own(request), await request.read(NewSignerWish, _refusal)
        data = wish.authenticator_data, wish.client_data
        made = await passkeys.add(request.exchange, account, *data, wish.label)
        return document_response(await wallet.add_signer(account, made.signer))

    async def add_address(request: Request) -> Response:
        account, wish = await own(request), await request.read(AddressSignerWish, _refusal)
        return document_response(await wallet.add_signer(account, bytes.fromhex(wish.address[2:])))

    async def remove(request: Request) -> Response:
        account, wish = await own(request), await request.read(RemovalWish, _refusal)
        return document_response(await wallet.remove_signer(account, wish.signer))

    async def recovery(request: Request) -> Response:
        account, wish = await own(request), await request.read(RecoveryWish, _refusal)
        return document_response(await wallet.set_recovery(account, wish.wallet, wish.days))

    async def veto(request: Request) -> Response:
        return document_response(await wallet.veto(await own(request)))

    async def cancel(request: Request) -> Response:
        return document_response(await wallet.cancel(await own(request)))

    async def pay(request: Request) -> Response:
        account, wish = await own(request), await request.read(PaymentWish, _refusal)
        return document_response(await wallet.pay(account, wish.to, wish.amount))

    async def call(request: Request) -> Response:
        account, wish = await own(request), await request.read(CallsWish, _refusal)
        return document_response(await wallet.call(account, [Call(each.to, each.data) for each in wish.calls]))

    async def send(request: Request) -> Response:
        account, wish = await own(request), await request.read(PasskeyOperationWish, InvalidOperation)
        site = passkeys.site(request.exchange)
        return operation_facts(await wallet.send(account, packed(wish.operation), wish.assertion, site))

    async def export(request: Request) -> Response:
        account, wish = await own(request), await request.read(PasskeyOperationWish, InvalidOperation)
        site = passkeys.site(request.exchange)
        calls = await wallet.export(account, packed(wish.operation), wish.assertion, site)
        return document_response(CallsFacts([_call(each) for each in calls]))

    async def start(request: Request) -> Response:
        signed_in = (await sessions.require(request.exchange)).address
        wish = await request.read(RecoveryStartWish, PasskeyRefused)
        await wallet.check_recovery_wallet(wish.account, signed_in)
        made = await passkeys.add(request.exchange, wish.account, wish.authenticator_data, wish.client_data, "")
        return document_response(_call(PasskeyAccount(wish.account).start_recovery(made.signer)))

    async def finish(request: Request) -> Response:
        return document_response(_call(await wallet.finish_recovery(address(request.path_params["account"]))))

    return [
        PageRoute("GET", _PATH, state, _STATE),
        PageRoute("POST", f"{_PATH}/passkeys", add_passkey, _asks("add a passkey", NewSignerWish)),
        PageRoute("POST", f"{_PATH}/addresses", add_address, _asks("add a wallet as signer", AddressSignerWish)),
        PageRoute("POST", f"{_PATH}/removals", remove, _asks("remove a signer, or announce it", RemovalWish)),
        PageRoute("POST", f"{_PATH}/recovery", recovery, _asks("name a recovery wallet", RecoveryWish)),
        PageRoute("POST", f"{_PATH}/veto", veto, _asks("stop a recovery")),
        PageRoute("POST", f"{_PATH}/cancellation", cancel, _asks("cancel an announced change")),
        PageRoute("POST", f"{_PATH}/payments", pay, _asks("pay out", PaymentWish)),
        PageRoute("POST", f"{_PATH}/operations", call, _asks("make calls that the relayer pays for", CallsWish)),
        PageRoute("POST", SEND, send, _SEND),
        PageRoute("POST", f"{SEND}/export", export, _EXPORT),
        PageRoute("POST", "/v1/recoveries", start, _START),
        PageRoute("GET", "/v1/recoveries/{account}/finish", finish, _FINISH),
    ]


def _call(call: Call) -> CallFacts:
    return CallFacts(call.to, call.data)


def _signer(signer: AccountSigner) -> SignerFacts:
    passkey = signer.passkey
    kind = "address" if signer.address else "passkey"
    return SignerFacts(signer.signer, kind, passkey.label if passkey else "", passkey.created_at if passkey else None)


def _pending(found: Pending | None) -> PendingFacts | None:
    return PendingFacts(found.since, found.until) if found else None


def _refusal(message: str, field: str) -> UsufructError:
    return Invalid(message, code="invalid_wallet_request", field=field)
