"""The pages of governance: `/proposals`, `/proposals/{id}` and `/powers`."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from starlette.responses import Response

from usufruct.accounts import Sessions
from usufruct.core import Address, Unavailable, checksum, divide_up
from usufruct.governance.api import PROPOSALS as API
from usufruct.governance.api import read_page
from usufruct.governance.model import OPEN_STATES, ProposalState, harmless
from usufruct.governance.proposal_documents import event_text
from usufruct.governance.proposal_views import ProposalViews
from usufruct.governance.proposals import PAGE, StandingProposal
from usufruct.governance.refusals import REFUSALS
from usufruct.governance.settings import Unit
from usufruct.governance.simulation import TRANSACTION_GAS_CAP
from usufruct.governance.voters import Voters
from usufruct.governance.words import COIN_DECIMALS, SCORE_DECIMALS, CallKind, duration, shown_text, whole_hundredths
from usufruct.web import Operation, Request
from usufruct.web.ui import ECONOMY, NavigationLink, PageRoute, Pages

PROPOSALS = "/proposals"
POWERS = "/powers"

_SHOWN_DELEGATES = 20

_PAGE = {"type": "string"}
_HTML = ("text/html",)
_LIST = Operation("Show people the proposals, and how each stands.", _PAGE, media_types=_HTML)
_SHOW = Operation(
    "Show people what a proposal does, its votes, and let them vote.",
    _PAGE,
    media_types=_HTML,
    refuses={404: "there is no such proposal"},
)
_POWERS = Operation("Show people every role of every contract, and who holds it.", _PAGE, media_types=_HTML)


def governance_pages(views: ProposalViews, voters: Voters, sessions: Sessions, pages: Pages) -> list[PageRoute]:
    """Return the routes of the pages."""
    navigation = [
        NavigationLink(PROPOSALS, "Proposals", ECONOMY, 40),
        NavigationLink(POWERS, "Who may do what", ECONOMY, 50),
    ]
    pages.add_package("usufruct.governance", navigation, REFUSALS)
    proposals = views.proposals

    def answer(request: Request, template: str, **values: Any) -> Response:
        answer = pages.answer(request, f"governance/{template}.html", **DRAWN, **values)
        answer.headers["cache-control"] = "private, no-store"  # else "back" shows votes from before one was cast
        return answer

    async def listed(request: Request) -> Response:
        page = read_page(request)
        try:
            return await standing_page(request, page)
        except Unavailable:  # the page says so
            return answer(request, "indexed", found=await proposals.indexed_page(page))

    async def standing_page(request: Request, page: int) -> Response:
        found, count = await proposals.page(page), await proposals.count()
        return answer(
            request,
            "proposals",
            found=found,
            terms=await proposals.terms(),
            delegates=(await views.delegates())[:_SHOWN_DELEGATES],
            treasury=await views.treasury(),
            page=page,
            page_count=-(-count // PAGE),
        )

    async def show(request: Request) -> Response:
        try:
            return await standing_proposal(request)
        except Unavailable:  # the page says so
            return answer(request, "indexed", found=[await proposals.find_indexed(request.path_params["id"])])

    async def standing_proposal(request: Request) -> Response:
        standing = await proposals.find(request.path_params["id"])
        session = await sessions.find(request.exchange)
        account = session.address if session else None
        return answer(
            request,
            "proposal",
            standing=standing,
            proposal=standing.proposal,
            words=await views.words(standing.proposal),
            simulation=await views.simulation(standing),
            votes=await proposals.votes(standing.proposal),
            text=standing.proposal.text,
            governor=proposals.governor.address,
            transactions=f"{API}/{standing.proposal.id}/transactions",
            document=f"{API}/{standing.proposal.id}",
            payer=account,
            by_passkey=account is not None and await voters.holds_passkey(account),
            mine=await _mine(standing, account),
        )

    async def _mine(standing: StandingProposal, account: Address | None) -> tuple[int, bool] | None:
        """Return an account's votes, and whether it has cast them."""
        if account is None:
            return None
        return await proposals.weight(standing, account), await proposals.has_voted(standing.proposal, account)

    async def powers(request: Request) -> Response:
        found = await views.powers()
        strange = [each for each in found if not each.published]
        return answer(request, "powers", powers=found, strange=strange, guardian=await views.guardian())

    return [
        PageRoute("GET", PROPOSALS, listed, _LIST),
        PageRoute("GET", f"{PROPOSALS}/{{id}}", show, _SHOW),
        PageRoute("GET", POWERS, powers, _POWERS),
    ]


DRAWN: dict[str, Any] = {
    "of_trust": False,
    "state": ProposalState,
    "open_states": OPEN_STATES,
    "kind": CallKind,
    "unit": Unit,
    "score_decimals": SCORE_DECIMALS,
    "coin_decimals": COIN_DECIMALS,
    "gas_cap": TRANSACTION_GAS_CAP,
    "checksum": checksum,
    "event_text": event_text,
    "harmless": harmless,
    "shown_text": shown_text,
    "duration": duration,
    "score": lambda amount: Decimal(whole_hundredths(amount)).scaleb(-2),
    "votes_up": lambda amount: Decimal(divide_up(amount, 10 ** (SCORE_DECIMALS - 2))).scaleb(-2),
    "exact_score": lambda amount: Decimal(amount).scaleb(-SCORE_DECIMALS),
    "unscaled": lambda amount, decimals: Decimal(amount).scaleb(-decimals),
    "coin_amount": lambda amount: Decimal(amount).scaleb(-COIN_DECIMALS),
    "moment": lambda seconds: datetime.fromtimestamp(min(seconds, _LAST_SECOND), UTC),
}
"""What the templates show proposals with."""

_LAST_SECOND = 253_402_300_799
