"""Passkeys over HTTP: make one, sign in with it; and operations of its account, which the relayer sends."""

from starlette.responses import Response

from usufruct.accounts.passkeys.operation import InvalidOperation
from usufruct.accounts.passkeys.passkeys import Passkeys
from usufruct.accounts.passkeys.relay import Relay
from usufruct.accounts.passkeys.relay_store import Relayed
from usufruct.accounts.passkeys.webauthn import PasskeyRefused
from usufruct.accounts.sessions import Sessions
from usufruct.chain.contracts.entry_point import PackedUserOperation
from usufruct.core import Denied, NotFound, hash32
from usufruct.web import Operation, Request, document_response
from usufruct.web.ui import PageRoute
from usufruct_client.passkey_wire import (
    OperationFacts,
    PasskeyChallenge,
    PasskeyMade,
    PasskeySignIn,
    UserOperation,
)
from usufruct_client.wire import SessionFacts

_SETS = {"set-cookie": "the session's id, for this host only"}
_COOKIE = {"cookie": "the session's"}
_REFUSES = {401: "no one is signed in", 429: "the relayer pays no more today"}
_FULL = {429: "so many were made from the caller's network today", 503: "so many were made in all today"}
_CHALLENGE = Operation("Return what a passkey signs, to be made or to sign in.", PasskeyChallenge)
_MAKE = Operation(
    "Keep a new passkey, and sign in as its account.", SessionFacts, PasskeyMade, 201, gives=_SETS, refuses=_FULL
)
_SIGN_IN = Operation("Sign in with a passkey.", SessionFacts, PasskeySignIn, 201, gives=_SETS)
_SEND = Operation(
    "Send an operation of the signed-in account; the operator pays the gas.",
    OperationFacts,
    UserOperation,
    takes=_COOKIE,
    refuses=_REFUSES,
)
_FIND = Operation("Tell how an operation stands.", OperationFacts, takes=_COOKIE, refuses={401: "no one is signed in"})


def passkey_routes(passkeys: Passkeys, sessions: Sessions, relay: Relay) -> list[PageRoute]:
    """Return the routes of passkeys and operations."""

    async def challenge(request: Request) -> Response:
        site = passkeys.site(request.exchange)
        return document_response(PasskeyChallenge(passkeys.challenge(request.exchange), site.id))

    async def make(request: Request) -> Response:
        wish = await request.read(PasskeyMade, PasskeyRefused)
        session = await passkeys.register(request.exchange, wish.authenticator_data, wish.client_data)
        return document_response(SessionFacts(session.address, session.expires_at), 201)

    async def sign_in(request: Request) -> Response:
        wish = await request.read(PasskeySignIn, PasskeyRefused)
        answer = wish.authenticator_data, wish.client_data, wish.signature
        session = await passkeys.sign_in(request.exchange, wish.credential_id, *answer, wish.account)
        return document_response(SessionFacts(session.address, session.expires_at), 201)

    async def send(request: Request) -> Response:
        account = (await sessions.require(request.exchange)).address
        operation = packed(await request.read(UserOperation, InvalidOperation))
        if operation.sender != account:
            message = f"{account} is signed in, and the operation is of {operation.sender}"
            raise Denied(message, code="other_account", field="sender")
        return operation_facts(await relay.send(operation, passkeys.site(request.exchange)))

    async def find(request: Request) -> Response:
        account = (await sessions.require(request.exchange)).address
        wanted = hash32(request.path_params["hash"], "hash")
        found = await relay.find(wanted)
        if found is None or found.account != account:
            raise NotFound(f"{account} has sent no operation {wanted} here", code="operation_unknown", field="hash")
        return operation_facts(found)

    return [
        PageRoute("POST", "/v1/passkeys/challenge", challenge, _CHALLENGE),
        PageRoute("POST", "/v1/passkeys", make, _MAKE),
        PageRoute("POST", "/v1/sessions/passkey", sign_in, _SIGN_IN),
        PageRoute("POST", "/v1/operations", send, _SEND),
        PageRoute("GET", "/v1/operations/{hash}", find, _FIND),
    ]


def packed(wish: UserOperation) -> PackedUserOperation:
    """Return an operation as the EntryPoint takes it."""
    return PackedUserOperation(
        wish.sender,
        wish.nonce,
        wish.init_code,
        wish.call_data,
        bytes.fromhex(wish.account_gas_limits[2:]),
        wish.pre_verification_gas,
        bytes.fromhex(wish.gas_fees[2:]),
        wish.paymaster_and_data,
        wish.signature,
    )


def operation_facts(relayed: Relayed) -> Response:
    """Return how an operation stands."""
    return document_response(OperationFacts(relayed.hash, str(relayed.state), relayed.transaction, relayed.reason))
