"""Drafts of shareholders' proposals as JSON: what one would change, and the transaction that proposes it."""

from starlette.responses import Response

from usufruct.accounts import Sessions
from usufruct.assets import CardChange
from usufruct.core import AssetId
from usufruct.core.price_cards import PriceUnit
from usufruct.governance.draft_api import TOO_MANY
from usufruct.governance.errors import InvalidProposal
from usufruct.governance.trusts.api import TRUSTS, asset_of
from usufruct.governance.trusts.drafts import ServiceChange, TrustDraft, TrustDrafts
from usufruct.governance.trusts.model import hashed_configuration
from usufruct.governance.trusts.trust_documents import trust_draft_details
from usufruct.web import Operation, Request, Route, client_network, document_response
from usufruct.web.ui import PageRoute
from usufruct_client.trade_documents import ExchangeTransaction
from usufruct_client.trust_documents import TrustDraftDetails, TrustDraftWish

DRAFTS = f"{TRUSTS}/{{asset}}/drafts"
TRANSACTIONS = f"{DRAFTS}/transactions"

_REFUSES = {
    400: "a value cannot be set, nothing changes, or the description is missing; `field` names it",
    404: "the asset is not known",
    503: "the chain's node does not answer",
}
_VIEW = Operation(
    "Show what a proposal of shareholders would change, and whether it would go through. Nothing is stored or sent.",
    TrustDraftDetails,
    TrustDraftWish,
    takes={"cookie": "the session's, for the votes of its account"},
    refuses=_REFUSES | TOO_MANY | {409: "the asset's title is in no trust"},
)
_PROPOSE = Operation(
    "Return the transaction by which the signed-in account proposes a change of a service.",
    ExchangeTransaction,
    TrustDraftWish,
    takes={"cookie": "the session's"},
    refuses=_REFUSES
    | {401: "no one is signed in", 409: "the account has too few votes, or a call would fail; the code says which"},
)


def trust_draft_routes(drafts: TrustDrafts, sessions: Sessions) -> list[Route]:
    """Return the routes under `/v1/trusts/{asset}/drafts`."""

    async def view(request: Request) -> Response:
        session = await sessions.find(request.exchange)
        draft, _ = await _read(request)
        found = await drafts.view(draft, session.address if session else None, client_network(request.exchange))
        return document_response(trust_draft_details(found))

    async def transaction(request: Request) -> Response:
        account = (await sessions.require(request.exchange)).address
        draft, anyway = await _read(request)
        network = client_network(request.exchange)
        return document_response(await drafts.propose(account, draft, network, anyway=anyway))

    async def _read(request: Request) -> tuple[TrustDraft, bool]:
        wish = await request.read(TrustDraftWish, lambda message, field: InvalidProposal(message, field=field))
        return await draft_of(drafts, asset_of(request), wish), wish.anyway

    return [PageRoute("POST", DRAFTS, view, _VIEW), PageRoute("POST", TRANSACTIONS, transaction, _PROPOSE)]


async def draft_of(drafts: TrustDrafts, asset: AssetId, wish: TrustDraftWish) -> TrustDraft:
    """Return the draft of a wish; raises as `TrustDrafts.draft`, and `Invalid` for a configuration that is none."""
    card = CardChange(
        wish.input_per_million,
        wish.output_per_million,
        wish.per_call,
        wish.cached_input_bps,
        PriceUnit(wish.unit) if wish.unit else None,
        wish.context_window,
    )
    entry = b""
    if wish.configuration_hash or wish.published_at:
        entry = hashed_configuration(wish.configuration_hash, wish.published_at)
    return await drafts.draft(asset, ServiceChange(card, wish.uri, wish.endpoint, entry), wish.description)
