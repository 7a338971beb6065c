"""Proposals that are being written: what they would do, who can propose them, and the transaction that proposes."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from usufruct.chain import Call
from usufruct.core import Address, Hash32
from usufruct.governance.draft_calls import read_draft_calls
from usufruct.governance.draft_limit import DraftLimit
from usufruct.governance.model import signed_description
from usufruct.governance.parameters import Parameter
from usufruct.governance.proposal_views import ProposalViews
from usufruct.governance.proposals import GovernorTerms, check_proposal, proposal_id
from usufruct.governance.simulation import Simulation, check_simulation
from usufruct.governance.voters import Voters
from usufruct.governance.words import CallWords
from usufruct_client.draft_documents import DraftWish
from usufruct_client.trade_documents import ExchangeTransaction


@dataclass(frozen=True, slots=True)
class Draft:
    """A proposal that was not sent yet."""

    calls: tuple[Call, ...]
    description: str

    def id(self, proposer: Address) -> Hash32:
        """Return the id that the proposal of this proposer would get."""
        return proposal_id(self.calls, signed_description(self.description, proposer).encode())


@dataclass(frozen=True, slots=True)
class DraftView:
    """What a draft would do now, and the votes that it needs.

    `id` is what the reader's proposal would get, `votes` are theirs; both None for an unknown reader.
    """

    draft: Draft
    words: Sequence[CallWords]
    simulation: Simulation
    terms: GovernorTerms
    id: Hash32 | None
    votes: int | None

    @property
    def missing(self) -> int | None:
        """Votes that the reader lacks to propose it."""
        return None if self.votes is None else max(self.terms.threshold - self.votes, 0)

    @property
    def is_too_early(self) -> bool:
        """Whether the governor takes no proposal yet: the total score has not passed the floor."""
        return self.terms.total_score <= self.terms.quorum_floor


class Drafts:
    """Shows drafts and returns their transactions; nothing of a draft is stored."""

    def __init__(self, views: ProposalViews, voters: Voters, limit: DraftLimit) -> None:
        """Say and simulate by `views` within `limit`, send the demo account's transactions by `voters`."""
        self._limit = limit
        self._views = views
        self._voters = voters
        self.proposals = views.proposals

    async def parameters(self) -> Sequence[Parameter]:
        """Return what a proposal can change now."""
        return await self._views.parameters()

    async def read(self, wish: DraftWish) -> Draft:
        """Return the draft of a wish.

        Raises:
            Invalid: when a call cannot be read, or the description is missing.
        """
        calls = await read_draft_calls(wish.calls, await self.proposals.known())
        check_proposal(calls, wish.description)
        return Draft(tuple(calls), wish.description)

    async def view(self, draft: Draft, reader: Address | None, network: str | None) -> DraftView:
        """Return what a draft would do now, for a reader at `network`.

        Raises:
            TooManyDrafts: when the network had as many simulated in this minute as it may.
        """
        self._limit.count(network)
        words, simulation, terms = await asyncio.gather(
            self.proposals.explain(draft.calls),
            self._views.draft_simulation(draft.calls),
            self.proposals.terms(),
        )
        if reader is None:
            return DraftView(draft, words, simulation, terms, None, None)
        votes = await self.proposals.votes_now(reader)
        return DraftView(draft, words, simulation, terms, draft.id(reader), votes)

    def call(self, draft: Draft, proposer: Address) -> Call:
        """Return the call by which an account proposes a draft; nothing is checked."""
        return self.proposals.proposing(proposer, draft.calls, draft.description)

    async def propose(
        self, account: Address, draft: Draft, network: str | None, *, anyway: bool
    ) -> ExchangeTransaction:
        """Return the transaction that proposes a draft; it was sent where the account is the demo account.

        Raises:
            WouldFail, NotSimulated: when the simulation fails or cannot run, unless it is wanted `anyway`.
            BelowThreshold: when the account has too few votes.
            TooManyDrafts: when it is simulated, and the network had as many in this minute as it may.
        """
        call = await self.proposals.propose(account, draft.calls, draft.description)
        if not anyway:
            self._limit.count(network)
            check_simulation(await self._views.draft_simulation(draft.calls))
        return await self._voters.hand_over(account, call, "propose")
