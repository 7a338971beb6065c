"""A passkey account's keys and deposits as JSON, for the browser that is signed in as it."""

from starlette.responses import Response

from usufruct.accounts import Purses, Sessions
from usufruct.core import Invalid, UsufructError
from usufruct.market.buyer import Buyer
from usufruct.market.passkey_buyer import DEPOSITS, KEYS
from usufruct.web import Operation, Request, document_response, json_response
from usufruct.web.ui import PageRoute
from usufruct_client.passkey_wire import PasskeyDepositWish
from usufruct_client.wire import ChannelOnChain, KeyFacts, KeySecret, KeyTermsWish

_SECRET = {"cache-control": "no-store"}
_COOKIE = {"cookie": "the session's"}
_REFUSES = {401: "no one is signed in", 403: "the account is a wallet's, or did not sign this"}
_KEY = Operation(
    "Make a key of the signed-in passkey account.",
    (KeySecret, KeyFacts),
    KeyTermsWish,
    201,
    takes=_COOKIE,
    refuses=_REFUSES,
)
_DEPOSIT = Operation(
    "Make a deposit that a passkey signed; the operator pays the gas.",
    ChannelOnChain,
    PasskeyDepositWish,
    takes=_COOKIE,
    refuses=_REFUSES | {429: "the relayer pays no more today", 503: "it is on its way: hand in the same again"},
)


def passkey_routes(buyer: Buyer, sessions: Sessions, purses: Purses) -> list[PageRoute]:
    """Return the routes of passkey accounts; none where the installation has none."""
    passkeys = buyer.passkeys
    if passkeys is None:
        return []

    async def make_key(request: Request) -> Response:
        account = (await sessions.require(request.exchange)).address
        new = await passkeys.make_key(account, await request.read(KeyTermsWish, _refusal))
        return json_response({"key": new.text, **new.key.as_json()}, 201, _SECRET)

    async def deposit(request: Request) -> Response:
        account = (await sessions.require(request.exchange)).address
        wish = await request.read(PasskeyDepositWish, _refusal)
        made = await passkeys.deposit(account, wish, passkeys.site(request.exchange))
        on_chain, _ = await purses.channel(made.id)
        return document_response(on_chain)

    return [PageRoute("POST", KEYS, make_key, _KEY), PageRoute("POST", DEPOSITS, deposit, _DEPOSIT)]


def _refusal(message: str, field: str) -> UsufructError:
    return Invalid(message, code="invalid_account_request", field=field)
