"""Drafts of proposals as JSON: what can be changed, what a draft would do, and the transaction that proposes it."""

from starlette.responses import Response

from usufruct.accounts import Sessions
from usufruct.governance.draft_documents import draft_details, parameter_facts
from usufruct.governance.drafts import Draft, Drafts
from usufruct.governance.errors import InvalidProposal
from usufruct.web import Operation, Request, Route, client_network, document_response
from usufruct.web.ui import PageRoute
from usufruct_client.draft_documents import DraftDetails, DraftWish, ParameterList
from usufruct_client.trade_documents import ExchangeTransaction

PARAMETERS = "/v1/parameters"
DRAFTS = "/v1/proposals/drafts"
TRANSACTIONS = f"{DRAFTS}/transactions"

_AWAY = {503: "the chain's node does not answer"}
TOO_MANY = {429: "the caller's network had as many drafts simulated in this minute as it may; see `retry-after`"}
_UNREADABLE = {400: "a call cannot be read, or the description is missing; `field` names what is wrong"}
_PARAMETERS = Operation(
    "List the parameters of the platform that a proposal can change now: value, unit, bounds.",
    ParameterList,
    refuses=_AWAY,
)
_VIEW = Operation(
    "Say in words and simulate what a proposal would do. Nothing is stored or sent; a session is not needed.",
    DraftDetails,
    DraftWish,
    takes={"cookie": "the session's, for the votes of its account"},
    refuses=_UNREADABLE | TOO_MANY | _AWAY,
)
_PROPOSE = Operation(
    "Return the transaction by which the signed-in account proposes.",
    ExchangeTransaction,
    DraftWish,
    takes={"cookie": "the session's"},
    refuses={
        **_UNREADABLE,
        401: "no one is signed in",
        409: "the account has too few votes, or a call would fail; the code says which",
        **_AWAY,
    },
)


def draft_routes(drafts: Drafts, sessions: Sessions) -> list[Route]:
    """Return the routes of parameters and drafts."""

    async def parameters(_: Request) -> Response:
        return document_response(ParameterList([parameter_facts(each) for each in await drafts.parameters()]))

    async def view(request: Request) -> Response:
        session = await sessions.find(request.exchange)
        draft, _ = await _read(request)
        reader = session.address if session else None
        return document_response(draft_details(await drafts.view(draft, reader, client_network(request.exchange))))

    async def transaction(request: Request) -> Response:
        account = (await sessions.require(request.exchange)).address
        draft, anyway = await _read(request)
        network = client_network(request.exchange)
        return document_response(await drafts.propose(account, draft, network, anyway=anyway))

    async def _read(request: Request) -> tuple[Draft, bool]:
        wish = await request.read(DraftWish, lambda message, field: InvalidProposal(message, field=field))
        return await drafts.read(wish), wish.anyway

    return [
        Route("GET", PARAMETERS, parameters, _PARAMETERS),
        PageRoute("POST", DRAFTS, view, _VIEW),
        PageRoute("POST", TRANSACTIONS, transaction, _PROPOSE),
    ]
