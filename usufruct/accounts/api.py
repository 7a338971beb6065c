"""Keys over HTTP: the payer makes, lists and revokes them by signature; a key tells about itself, and can stop itself.

Amounts and nonces are decimal text, times are seconds since 1970.
"""

from typing import Protocol

from starlette.responses import Response

from usufruct.accounts.errors import InvalidKeyTerms, InvalidProof
from usufruct.accounts.model import BearerKey, KeyTerms
from usufruct.accounts.proof import KeyProof, TimedProof
from usufruct.accounts.service import Keys
from usufruct.core import LAST_MOMENT, UINT128_MAX, Hash32
from usufruct.web import Members, Request, Route, json_response

_SECRET = {"cache-control": "no-store"}


class Purse(Protocol):
    """A key's channel, as the room that knows its money has it."""

    @property
    def charged(self) -> int:
        """Return what was charged in all."""

    @property
    def reserved(self) -> int:
        """Return what running calls may cost."""

    def as_json(self) -> dict[str, object]:
        """Return the channel as its owner is told of it."""


class Purses(Protocol):
    """Knows the channels behind keys."""

    async def account(self, account: Hash32) -> Purse:
        """Return one."""


def key_routes(keys: Keys, purses: Purses) -> list[Route]:
    """Return the routes under `/v1/keys`."""

    async def create(request: Request) -> Response:
        terms, proof = _read_wish(await _members(request))
        new = await keys.create(terms, proof)
        purse = await purses.account(new.key.channel)
        return json_response({"key": new.text, **_described(new.key, purse)}, 201, _SECRET)

    async def listing(request: Request) -> Response:
        members = (await _members(request)).only("payer", "expiresAt", "signature")
        found = await keys.list_signed(members.address("payer"), _read_timed(members))
        return json_response({"keys": [key.as_json() for key in found]})

    async def revoke(request: Request) -> Response:
        members = (await _members(request)).only("payer", "expiresAt", "signature")
        key = await keys.revoke_signed(members.address("payer"), request.path_params["key"], _read_timed(members))
        return json_response(key.as_json())

    async def current(request: Request) -> Response:
        key = await keys.authenticate(request.exchange.header(b"authorization"))
        return json_response(_described(key, await purses.account(key.channel)))

    async def stop(request: Request) -> Response:
        key = await keys.authenticate(request.exchange.header(b"authorization"))
        return json_response((await keys.revoke(key.payer, key.id)).as_json())

    return [
        Route("POST", "/v1/keys", create),
        Route("POST", "/v1/keys/list", listing),
        Route("GET", "/v1/keys/current", current),
        Route("DELETE", "/v1/keys/current", stop),
        Route("POST", "/v1/keys/{key}/revoke", revoke),
    ]


async def _members(request: Request) -> Members:
    return Members(await request.read_object(), InvalidKeyTerms)


def _read_wish(members: Members) -> tuple[KeyTerms, KeyProof]:
    members.only("payer", "spendingLimit", "expiresAt", "assets", "label", "nonce", "signature")
    terms = KeyTerms(
        payer=members.address("payer"),
        spending_limit=members.amount("spendingLimit", UINT128_MAX),
        expires_at=members.integer("expiresAt", LAST_MOMENT),
        assets=frozenset(members.texts("assets")),
        label=members.text("label"),
    )
    signed = members.raising(InvalidProof)
    return terms, KeyProof(signed.amount("nonce"), signed.signature("signature"))


def _read_timed(members: Members) -> TimedProof:
    signed = members.raising(InvalidProof)
    return TimedProof(signed.integer("expiresAt", LAST_MOMENT), signed.signature("signature"))


def _described(key: BearerKey, purse: Purse) -> dict[str, object]:
    left = max(0, key.spending_limit - purse.charged - purse.reserved)
    return {**key.as_json(), **purse.as_json(), "left": str(left)}
