"""A person's keys of the market API as JSON: what `/market-keys` lists, and revoking one whose text is lost."""

from starlette.responses import Response

from usufruct.accounts import Sessions
from usufruct.analytics.api_keys import Caller, MarketKeys
from usufruct.core import Address
from usufruct.web import Operation, Request, document_response
from usufruct.web.ui import PageRoute
from usufruct_client.market_documents import MarketKeyFacts, MarketKeyList

PATH = "/v1/markets/keys"

_COOKIE = {"cookie": "the session's"}
_REFUSES = {401: "no one is signed in"}
_LIST = Operation(
    "List the person's live keys of the market API: those made while signed in.",
    MarketKeyList,
    takes=_COOKIE,
    refuses=_REFUSES,
)
_REVOKE = Operation(
    "Revoke a key by its id.", status=204, takes=_COOKIE, refuses=_REFUSES | {404: "the person has no such live key"}
)


def key_routes(keys: MarketKeys, sessions: Sessions) -> list[PageRoute]:
    """Return the routes under `/v1/markets/keys`."""

    async def person(request: Request) -> Address:
        return (await sessions.require(request.exchange)).address

    async def list_keys(request: Request) -> Response:
        return document_response(MarketKeyList([_facts(each) for each in await keys.of(await person(request))]))

    async def revoke(request: Request) -> Response:
        await keys.revoke_of(await person(request), request.path_params["key"])
        return Response(status_code=204)

    return [
        PageRoute("GET", PATH, list_keys, _LIST),
        PageRoute("DELETE", f"{PATH}/{{key}}", revoke, _REVOKE),
    ]


def _facts(held: Caller) -> MarketKeyFacts:
    key, allowance = held.key, held.allowance
    return MarketKeyFacts(
        id=key.id,
        label=key.label,
        created_at=key.created_at,
        last_used_at=key.last_used_at,
        calls_this_month=held.used,
        calls_per_month=allowance.calls_per_month,
        calls_per_minute=allowance.calls_per_minute,
    )
