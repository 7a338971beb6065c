"""Proposals and powers as JSON; transactions are returned for a wallet to send."""

from starlette.responses import Response

from usufruct.accounts import Sessions
from usufruct.core import Invalid
from usufruct.governance.errors import InvalidVote
from usufruct.governance.proposal_documents import (
    guardian_facts,
    power_facts,
    proposal_details,
    proposal_facts,
    treasury_facts,
)
from usufruct.governance.proposal_views import ProposalViews
from usufruct.governance.proposals import PAGE
from usufruct.governance.voters import Voters
from usufruct.web import Operation, Parameter, Request, Route, document_response
from usufruct.web.ui import PageRoute
from usufruct_client.governance_documents import (
    DelegateFacts,
    DelegateList,
    PowerList,
    ProposalDetails,
    ProposalList,
    ProposalWish,
    TreasuryFacts,
)
from usufruct_client.trade_documents import ExchangeTransaction

PROPOSALS = "/v1/proposals"
DELEGATES = "/v1/delegates"
POWERS = "/v1/powers"
TREASURY = "/v1/treasury"

_MOST_PAGES = 10_000
_AWAY = {503: "the chain's node does not answer"}
_UNKNOWN = {404: "there is no such proposal, or several ids begin so"}
_LIST = Operation(
    f"List proposals, the newest first, {PAGE} a page.",
    ProposalList,
    asks={"page": Parameter("1 is the first", {"type": "integer", "minimum": 1, "maximum": _MOST_PAGES})},
    refuses={400: "`page` is not a number", **_AWAY},
)
_SHOW = Operation(
    "Show a proposal: its calls in words and simulated, its votes.", ProposalDetails, refuses=_UNKNOWN | _AWAY
)
_ACT = Operation(
    "Return the transaction by which the signed-in account votes, queues, executes or cancels.",
    ExchangeTransaction,
    ProposalWish,
    takes={"cookie": "the session's"},
    refuses={
        **_UNKNOWN,
        401: "no one is signed in",
        403: "the account may not cancel the proposal",
        409: "it cannot be done now; the code says why",
        **_AWAY,
    },
)
_DELEGATES = Operation("List the accounts that others let vote for them, and their votes.", DelegateList, refuses=_AWAY)
_POWERS = Operation(
    "Show every role of every contract, and who holds it now; the guardian's date.", PowerList, refuses=_AWAY
)
_TREASURY = Operation(
    "Show what the treasury holds: the chain's coin, and the tokens that the installation knows.",
    TreasuryFacts,
    refuses=_AWAY,
)


def governance_routes(views: ProposalViews, voters: Voters, sessions: Sessions) -> list[Route]:
    """Return the routes under `/v1/proposals`, `/v1/delegates`, `/v1/powers` and `/v1/treasury`."""
    proposals = views.proposals

    async def listed(request: Request) -> Response:
        page = read_page(request)
        found, pages = await proposals.page(page), -(-await proposals.count() // PAGE)
        return document_response(ProposalList([proposal_facts(each) for each in found], page, pages))

    async def show(request: Request) -> Response:
        standing = await proposals.find(request.path_params["id"])
        words = await views.words(standing.proposal)
        simulation, votes = await views.simulation(standing), await proposals.votes(standing.proposal)
        return document_response(proposal_details(standing, proposals.governor.address, words, simulation, votes))

    async def delegates(request: Request) -> Response:
        found = await views.delegates()
        return document_response(DelegateList([DelegateFacts(each.account, each.votes) for each in found]))

    async def transaction(request: Request) -> Response:
        account = (await sessions.require(request.exchange)).address
        wish = await request.read(ProposalWish, lambda message, field: InvalidVote(message, field=field))
        return document_response(await voters.transaction(account, request.path_params["id"], wish))

    async def powers(request: Request) -> Response:
        found, guardian = await views.powers(), await views.guardian()
        return document_response(PowerList(guardian_facts(guardian), [power_facts(each) for each in found]))

    async def treasury(_: Request) -> Response:
        return document_response(treasury_facts(await views.treasury()))

    return [
        Route("GET", PROPOSALS, listed, _LIST),
        Route("GET", f"{PROPOSALS}/{{id}}", show, _SHOW),
        PageRoute("POST", f"{PROPOSALS}/{{id}}/transactions", transaction, _ACT),
        Route("GET", DELEGATES, delegates, _DELEGATES),
        Route("GET", POWERS, powers, _POWERS),
        Route("GET", TREASURY, treasury, _TREASURY),
    ]


def read_page(request: Request) -> int:
    """Return the page of a list that is asked for, from 1 on."""
    text = request.query_params.get("page", "1")
    if not (text.isascii() and text.isdigit() and 0 < int(text[:6]) <= _MOST_PAGES and len(text) < 6):
        raise Invalid(f"page is {text[:20]!r}; give a number from 1 on", code="invalid_page", field="page")
    return int(text)
