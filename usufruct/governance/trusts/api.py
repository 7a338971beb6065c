"""Trusts and their proposals as JSON; transactions are returned for a wallet to send."""

from starlette.responses import Response

from usufruct.accounts import Sessions
from usufruct.core import AssetId, Invalid, asset_id
from usufruct.governance.api import read_page
from usufruct.governance.errors import InvalidVote
from usufruct.governance.model import OPEN_STATES, id_text
from usufruct.governance.trusts.changes import TrustCall, TrustExplainer
from usufruct.governance.trusts.model import TrustProposal
from usufruct.governance.trusts.service import PAGE
from usufruct.governance.trusts.trust_documents import trust_details, trust_proposal_details
from usufruct.governance.trusts.voters import ShareVoters
from usufruct.web import Operation, Request, Route, document_response
from usufruct.web.ui import PageRoute
from usufruct_client.trade_documents import ExchangeTransaction
from usufruct_client.trust_documents import TrustDetails, TrustProposalDetails, TrustWish

TRUSTS = "/v1/trusts"

_UNKNOWN = {400: "the id is no asset's", 404: "there is no such asset or proposal"}
_AWAY = {503: "the chain's node does not answer"}
_NONE = {409: "the asset's title is in no trust"}
_SHOW = Operation(
    f"Show how the shareholders of a service decide, and their proposals, the newest first, {PAGE} a page (`page`).",
    TrustDetails,
    refuses=_UNKNOWN | _NONE | _AWAY,
)
_PROPOSAL = Operation(
    "Show a proposal of shareholders: the values that it changes, now and after it, and its votes.",
    TrustProposalDetails,
    refuses=_UNKNOWN | _NONE | _AWAY,
)
_ACT = Operation(
    "Return the transaction by which the signed-in account votes, executes, or lets itself vote with its shares.",
    ExchangeTransaction,
    TrustWish,
    takes={"cookie": "the session's"},
    refuses={
        **_UNKNOWN,
        401: "no one is signed in",
        409: "it cannot be done now; the code says why",
        **_AWAY,
    },
)


def trust_routes(voters: ShareVoters, explainer: TrustExplainer, sessions: Sessions) -> list[Route]:
    """Return the routes under `/v1/trusts`."""
    trusts = voters.trusts

    async def show(request: Request) -> Response:
        asset, page = asset_of(request), read_page(request)
        found, facts = await trusts.proposals(asset, page), await trusts.show(asset)
        return document_response(trust_details(asset, facts, found, page, -(-await trusts.count(asset) // PAGE)))

    async def proposal(request: Request) -> Response:
        asset = asset_of(request)
        standing = await trusts.proposal(asset, number_of(request))
        calls = await explained(explainer, asset, standing)
        return document_response(trust_proposal_details(standing, calls, await trusts.votes(standing)))

    async def transaction(request: Request) -> Response:
        account = (await sessions.require(request.exchange)).address
        wish = await request.read(TrustWish, lambda message, field: InvalidVote(message, field=field))
        return document_response(await voters.transaction(account, asset_of(request), wish))

    return [
        Route("GET", f"{TRUSTS}/{{asset}}", show, _SHOW),
        Route("GET", f"{TRUSTS}/{{asset}}/proposals/{{id}}", proposal, _PROPOSAL),
        PageRoute("POST", f"{TRUSTS}/{{asset}}/transactions", transaction, _ACT),
    ]


async def explained(explainer: TrustExplainer, asset: AssetId, standing: TrustProposal) -> list[TrustCall]:
    """Return what a proposal's calls change; whether they would go through, while it can be executed one day."""
    is_open = standing.state in OPEN_STATES
    return await explainer.explain(asset, standing.trust, standing.proposal.calls, simulate=is_open)


def asset_of(request: Request) -> AssetId:
    """Return the asset that a request's path names."""
    return asset_id(request.path_params["asset"])


def number_of(request: Request) -> int:
    """Return the proposal that a request's path names: its whole id, in hex or decimal."""
    text = request.path_params["id"]
    try:
        return int(id_text(text)[:100], 16)
    except ValueError:
        raise Invalid(f"{text[:80]!r} is not a proposal's id", code="unknown_proposal", field="id") from None
