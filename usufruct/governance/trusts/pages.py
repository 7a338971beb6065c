"""The pages of trusts: `/trusts/ASSET`, and `/trusts/ASSET/PROPOSAL` with what the signed-in account may do there."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from usufruct.accounts import Sessions
from usufruct.assets import SHARE_DECIMALS, Listings
from usufruct.core import Address, AssetId, checksum, format_asset
from usufruct.governance.api import read_page
from usufruct.governance.draft_forms import PLAIN
from usufruct.governance.model import OPEN_STATES, ProposalState, harmless
from usufruct.governance.trusts.api import TRUSTS, asset_of, explained, number_of
from usufruct.governance.trusts.changes import TrustExplainer, ValueKind
from usufruct.governance.trusts.model import NotATrust, TrustProposal, shown_text
from usufruct.governance.trusts.refusals import REFUSALS
from usufruct.governance.trusts.service import PAGE
from usufruct.governance.trusts.voters import ShareVoters
from usufruct.governance.words import duration
from usufruct.web import Operation, Request
from usufruct.web.ui import NavigationLink, PageRoute, Pages

PATH = "/trusts"

_LINK = NavigationLink("/trusts/{id}", "Who decides about it")
_LINKED_FROM = ("configuration", "owners")
"""Places of other packages' pages: what shareholders decided about a service, and what its owners may do."""

_PAGE = {"type": "string"}
_HTML = ("text/html",)
_LIST = Operation(
    "Show people how the shareholders of a service decide about it, and their proposals.",
    _PAGE,
    media_types=_HTML,
    refuses={404: "there is no such asset"},
)
_SHOW = Operation(
    "Show people what a proposal of shareholders changes, its votes, and let them vote.",
    _PAGE,
    media_types=_HTML,
    refuses={404: "there is no such proposal", 409: "the asset's title is in no trust"},
)
_LAST_SECOND = 253_402_300_799


class TrustPages:
    """Answers with pages about a service that is in a trust, or could be."""

    def __init__(self, voters: ShareVoters, listings: Listings, pages: Pages) -> None:
        """Add the package's templates to `pages`; pages of other packages about a service link here."""
        self._voters = voters
        self._listings = listings
        self._pages = pages
        pages.add_package("usufruct.governance.trusts", (), REFUSALS)
        for place in _LINKED_FROM:
            pages.add_section(place, _LINK)

    async def answer(
        self,
        request: Request,
        template: str,
        asset: AssetId,
        payer: Address | None,
        *,
        fragment: str = "",
        **values: Any,
    ) -> Response:
        """Answer with a page about an asset for a reader, who may be unknown."""
        listing = await self._listings.by_id(asset)
        answer = self._pages.answer(
            request,
            f"trusts/{template}.html",
            fragment=fragment,
            **_DRAWN,
            **values,
            asset=format_asset(asset),
            name=listing.name if listing else format_asset(asset),
            service_path=f"/s/{quote(listing.name)}" if listing else "",
            payer=payer,
            by_passkey=payer is not None and await self._voters.holds_passkey(payer),
            shares=(await self._voters.registry.shares(asset)).address,
        )
        answer.headers["cache-control"] = "private, no-store"  # else "back" shows votes from before one was cast
        return answer


def trust_pages(
    voters: ShareVoters, explainer: TrustExplainer, sessions: Sessions, pages: TrustPages
) -> list[PageRoute]:
    """Return the routes of the pages that show a trust and its proposals."""
    trusts, answer = voters.trusts, pages.answer

    async def reader(request: Request) -> Address | None:
        session = await sessions.find(request.exchange)
        return session.address if session else None

    async def listed(request: Request) -> Response:
        asset, page, payer = asset_of(request), read_page(request), await reader(request)
        try:
            found, facts = await trusts.proposals(asset, page), await trusts.show(asset)
        except NotATrust:
            holder = await voters.registry.contract.owner_of(asset)
            return await answer(request, "holder", asset, payer, holder=holder)
        held = votes = 0
        if payer is not None:
            held = await (await voters.registry.shares(asset)).balance_of(payer)
            votes = await trusts.votes_now(asset, payer)
        count = await trusts.count(asset)
        return await answer(
            request,
            "trust",
            asset,
            payer,
            facts=facts,
            found=found,
            held=held,
            votes=votes,
            page=page,
            page_count=-(-count // PAGE),
        )

    async def show(request: Request) -> Response:
        asset, payer = asset_of(request), await reader(request)
        standing = await trusts.proposal(asset, number_of(request))
        return await answer(
            request,
            "trust_proposal",
            asset,
            payer,
            standing=standing,
            proposal=standing.proposal,
            text=standing.proposal.text,
            governor=standing.trust,
            transactions=f"{TRUSTS}/{format_asset(asset)}/transactions",
            document=f"{TRUSTS}/{format_asset(asset)}/proposals/{standing.proposal.id}",
            calls=await explained(explainer, asset, standing),
            votes=await trusts.votes(standing),
            mine=await _mine(standing, payer),
        )

    async def _mine(standing: TrustProposal, account: Address | None) -> tuple[int, bool] | None:
        """Return an account's votes, and whether it has cast them."""
        if account is None:
            return None
        return await trusts.weight(standing, account), await trusts.has_voted(standing, account)

    return [
        PageRoute("GET", f"{PATH}/{{asset}}", listed, _LIST),
        PageRoute("GET", f"{PATH}/{{asset}}/{{id}}", show, _SHOW),
    ]


_DRAWN: dict[str, Any] = {
    "of_trust": True,
    "state": ProposalState,
    "open_states": OPEN_STATES,
    "value_kind": ValueKind,
    "checksum": checksum,
    "harmless": harmless,
    "plain": PLAIN,
    "shown_text": shown_text,
    "duration": duration,
    "votes_up": lambda amount: Decimal(amount).scaleb(-SHARE_DECIMALS),
    "score": lambda amount: Decimal(amount).scaleb(-SHARE_DECIMALS),
    "moment": lambda seconds: datetime.fromtimestamp(min(seconds, _LAST_SECOND), UTC),
}
"""What the templates show proposals with; `score` writes votes, which are shares here."""
