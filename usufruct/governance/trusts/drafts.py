"""Proposals of shareholders that are being written: what they would change, who can propose them, the transaction."""

from collections.abc import Sequence
from dataclasses import dataclass

from usufruct.assets import CardChange
from usufruct.chain import Call
from usufruct.core import Address, AssetId, Hash32, Invalid
from usufruct.governance.draft_limit import DraftLimit
from usufruct.governance.errors import WouldFail
from usufruct.governance.model import signed_description
from usufruct.governance.proposals import check_proposal, proposal_id
from usufruct.governance.trusts.changes import TrustCall, TrustExplainer
from usufruct.governance.trusts.model import CONFIGURATION, ENDPOINT
from usufruct.governance.trusts.service import TitleTrusts
from usufruct.governance.trusts.voters import ShareVoters
from usufruct_client.trade_documents import ExchangeTransaction


@dataclass(frozen=True, slots=True)
class ServiceChange:
    """What of a service shareholders may change; what is empty stays. `configuration` is the entry's content."""

    card: CardChange
    uri: str = ""
    endpoint: str = ""
    configuration: bytes = b""


async def plan_change(trusts: TitleTrusts, asset: AssetId, change: ServiceChange) -> list[Call]:
    """Return the calls that make a change, in a fixed order.

    Raises:
        Invalid: when nothing would change.
        InvalidAsset: for a card that no call could be charged by, or one that is in force.
        NotATrust: when no trust holds the asset's title.
    """
    calls = [] if change.card == CardChange() else [await trusts.plan_price(asset, change.card)]
    calls += [trusts.plan_uri(asset, change.uri)] if change.uri else []
    calls += [trusts.plan_entry(asset, ENDPOINT, change.endpoint.encode())] if change.endpoint else []
    calls += [trusts.plan_entry(asset, CONFIGURATION, change.configuration)] if change.configuration else []
    if not calls:
        raise Invalid("give a price, an URI, an endpoint or a configuration", code="nothing_to_change", field="change")
    return calls


@dataclass(frozen=True, slots=True)
class TrustDraft:
    """A proposal that was not sent yet."""

    asset: AssetId
    calls: tuple[Call, ...]
    description: str

    def id(self, proposer: Address) -> Hash32:
        """Return the id that the proposal of this proposer would get."""
        return proposal_id(self.calls, signed_description(self.description, proposer).encode())


@dataclass(frozen=True, slots=True)
class TrustDraftView:
    """What a draft would change now, and the votes that it needs. `votes` are the reader's; None for an unknown one."""

    draft: TrustDraft
    trust: Address
    calls: Sequence[TrustCall]
    threshold: int
    votes: int | None

    @property
    def missing(self) -> int | None:
        """Votes that the reader lacks to propose it."""
        return None if self.votes is None else max(self.threshold - self.votes, 0)

    @property
    def succeeds(self) -> bool:
        """Whether every call would go through now."""
        return not any(each.refusal for each in self.calls)


class TrustDrafts:
    """Shows drafts and returns their transactions; nothing of a draft is stored."""

    def __init__(self, voters: ShareVoters, explainer: TrustExplainer, limit: DraftLimit) -> None:
        """Say calls by `explainer` within `limit`, send the demo account's transactions by `voters`."""
        self._limit = limit
        self.trusts = voters.trusts
        self._voters = voters
        self._explainer = explainer

    async def draft(self, asset: AssetId, change: ServiceChange, description: str) -> TrustDraft:
        """Return the draft of a change; raises as `plan_change`, and `InvalidProposal` without a description."""
        calls = await plan_change(self.trusts, asset, change)
        check_proposal(calls, description)
        return TrustDraft(asset, tuple(calls), description)

    async def view(self, draft: TrustDraft, reader: Address | None, network: str | None) -> TrustDraftView:
        """Return what a draft would change now, for a reader at `network`.

        Raises:
            TooManyDrafts: when the network had as many simulated in this minute as it may.
        """
        self._limit.count(network)
        trust = await self.trusts.of(draft.asset)
        calls = await self._simulated(draft, trust.address)
        votes = None if reader is None else await self.trusts.votes_now(draft.asset, reader)
        return TrustDraftView(draft, trust.address, calls, (await self.trusts.terms(trust)).threshold, votes)

    async def propose(
        self, account: Address, draft: TrustDraft, network: str | None, *, anyway: bool
    ) -> ExchangeTransaction:
        """Return the transaction that proposes a draft; it was sent where the account is the demo account.

        Raises:
            WouldFail: when a call would fail now, unless it is wanted `anyway`.
            BelowThreshold: when the account has too few votes.
            TooManyDrafts: when it is simulated, and the network had as many in this minute as it may.
        """
        call = await self.trusts.plan_proposal(account, draft.asset, draft.calls, draft.description)
        if not anyway:
            self._limit.count(network)
            check_calls(await self._simulated(draft, (await self.trusts.of(draft.asset)).address))
        return await self._voters.hand_over(account, call, "propose")

    async def _simulated(self, draft: TrustDraft, trust: Address) -> Sequence[TrustCall]:
        return await self._explainer.explain(draft.asset, trust, draft.calls, simulate=True)


def check_calls(calls: Sequence[TrustCall]) -> None:
    """Check that every call would go through now; raises `WouldFail`, which names the call."""
    for number, each in enumerate(calls, 1):
        if each.refusal:
            raise WouldFail(
                f"call {number} would fail now: {each.refusal}. Pass `anyway` to propose it all the same", call=number
            )
