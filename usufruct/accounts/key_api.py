"""Keys over HTTP: the payer makes, lists, renames and revokes them by signature; a key can describe and revoke itself.

Amounts and nonces are decimal text, times are seconds since 1970.
"""

from collections.abc import Collection
from typing import Protocol

from starlette.responses import Response

from usufruct.accounts.key_model import BearerKey, KeyTerms
from usufruct.accounts.key_proof import InvalidProof
from usufruct.accounts.keys import Keys
from usufruct.core import Hash32, Invalid, UsufructError
from usufruct.web import Operation, Request, Route, document_response, json_response
from usufruct_client.wire import (
    ChannelOnChain,
    ChannelUse,
    KeyFacts,
    KeyLeft,
    KeyList,
    KeySecret,
    KeyWish,
    RenameWish,
    SignedWish,
)

_SECRET = {"cache-control": "no-store"}
_SHOWN = {"authorization": "Bearer and the key"}
_STATE = (KeyFacts, ChannelOnChain, ChannelUse, KeyLeft)
_CURRENT = Operation("Describe the key that is shown, its channel, and what it may still spend.", _STATE, takes=_SHOWN)
_CREATE = Operation("Make a bearer key.", (KeySecret, *_STATE), KeyWish, 201)


class Purses(Protocol):
    """Knows the channels behind keys."""

    async def channel(self, channel: Hash32) -> tuple[ChannelOnChain, ChannelUse]:
        """Return one: the chain's side and ours."""


def key_routes(keys: Keys, purses: Purses) -> list[Route]:
    """Return the routes under `/v1/keys`."""

    async def described(key: BearerKey) -> dict[str, object]:
        on_chain, use = await purses.channel(key.channel)
        left = KeyLeft(key.left(use), key.left_today(use))
        return {**key.as_json(), **on_chain.as_json(), **use.as_json(), **left.as_json()}

    async def create(request: Request) -> Response:
        wish = await request.read(KeyWish, _refusal)
        terms = KeyTerms(wish.payer, wish.spending_limit, wish.expires_at, wish.assets, wish.label, wish.day_limit)
        new = await keys.create(terms, wish.nonce, wish.signature)
        return json_response({"key": new.text, **await described(new.key)}, 201, _SECRET)

    async def listing(request: Request) -> Response:
        wish = await request.read(SignedWish, _timed_refusal)
        return document_response(KeyList(list(await keys.list_signed(wish))))

    async def rename(request: Request) -> Response:
        wish = await request.read(RenameWish, _timed_refusal)
        return document_response(await keys.rename_signed(request.path_params["key"], wish))

    async def revoke(request: Request) -> Response:
        wish = await request.read(SignedWish, _timed_refusal)
        return document_response(await keys.revoke_signed(request.path_params["key"], wish))

    async def current(request: Request) -> Response:
        key = await keys.authenticate(request.exchange.header(b"authorization"))
        return json_response(await described(key))

    async def stop(request: Request) -> Response:
        key = await keys.authenticate(request.exchange.header(b"authorization"))
        return document_response(await keys.revoke(key.payer, key.id))

    return [
        Route("POST", "/v1/keys", create, _CREATE),
        Route("POST", "/v1/keys/list", listing, Operation("List a payer's keys.", KeyList, SignedWish)),
        Route("GET", "/v1/keys/current", current, _CURRENT),
        Route("DELETE", "/v1/keys/current", stop, Operation("Revoke the key that is shown.", KeyFacts, takes=_SHOWN)),
        Route("POST", "/v1/keys/{key}/rename", rename, Operation("Rename a key of a payer.", KeyFacts, RenameWish)),
        Route("POST", "/v1/keys/{key}/revoke", revoke, Operation("Revoke a key of a payer.", KeyFacts, SignedWish)),
    ]


def _refusal(message: str, field: str, proof: Collection[str] = ("nonce", "signature")) -> UsufructError:
    if field in proof:
        return InvalidProof(message, field=field)
    return Invalid(message, code="invalid_key_terms", field=field)


def _timed_refusal(message: str, field: str) -> UsufructError:
    return _refusal(message, field, ("expiresAt", "signature"))
