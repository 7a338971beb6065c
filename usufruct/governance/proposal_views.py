"""What readers of the site ask often: words, simulations, parameters, powers, treasury, asked once in a while."""

import asyncio
from collections.abc import Sequence

from usufruct.chain import Call
from usufruct.core import Clock, Hash32
from usufruct.governance.delegates import Delegate
from usufruct.governance.model import OPEN_STATES, Proposal
from usufruct.governance.parameters import Parameter
from usufruct.governance.powers import Power, Powers
from usufruct.governance.proposals import Guardian, Proposals, StandingProposal, proposal_id
from usufruct.governance.simulation import Simulation
from usufruct.governance.treasury import Treasury
from usufruct.governance.words import CallWords

Simulations = dict[Hash32, tuple[float, Simulation]]
"""By a proposal's id, or that of a draft's calls alone: when each was made, and what it found."""

_FRESH_SECONDS = 30.0
_MOST_KEPT = 100


class ProposalViews:
    """Words, simulations, parameters, delegates, powers, treasury, at most half a minute old; one at a time."""

    def __init__(self, proposals: Proposals, powers: Powers, clock: Clock) -> None:
        """Answer from `proposals` and `powers`."""
        self.proposals = proposals
        self._powers = powers
        self._clock = clock
        self._saying, self._simulating, self._reading = asyncio.Lock(), asyncio.Lock(), asyncio.Lock()
        self._drafting = asyncio.Lock()
        self._words: dict[Hash32, tuple[float, list[CallWords]]] = {}
        self._simulations: Simulations = {}
        self._draft_simulations: Simulations = {}
        self._delegates: tuple[float, Sequence[Delegate]] | None = None
        self._parameters: tuple[float, Sequence[Parameter]] | None = None
        self._table: tuple[float, list[Power]] | None = None
        self._guardian: tuple[float, Guardian | None] | None = None
        self._treasury: tuple[float, Treasury] | None = None

    async def words(self, proposal: Proposal) -> list[CallWords]:
        """Return what a proposal's calls do, in words."""
        async with self._saying:
            kept = self._words.get(proposal.id)
            if kept is None or self._is_old(kept[0]):
                if len(self._words) >= _MOST_KEPT:
                    self._words.clear()
                kept = self._clock.monotonic(), await self.proposals.explain(proposal.calls)
                self._words[proposal.id] = kept
            return kept[1]

    async def simulation(self, standing: StandingProposal) -> Simulation | None:
        """Return what a proposal would do now; None where it can no longer be executed."""
        if standing.state not in OPEN_STATES:
            return None
        async with self._simulating:
            return await self._simulated(self._simulations, standing.proposal.id, standing.proposal.calls)

    async def draft_simulation(self, calls: Sequence[Call]) -> Simulation:
        """Return what a draft's calls would do now.

        Drafts wait for each other alone: anyone may send one, and proposals are shown meanwhile.
        """
        async with self._drafting:
            return await self._simulated(self._draft_simulations, proposal_id(calls, b""), calls)

    async def _simulated(self, kept: Simulations, proposal: Hash32, calls: Sequence[Call]) -> Simulation:
        found = kept.get(proposal)
        if found is None or self._is_old(found[0]):
            if len(kept) >= _MOST_KEPT:
                kept.clear()
            found = self._clock.monotonic(), await self.proposals.simulate(calls)
            kept[proposal] = found
        return found[1]

    async def parameters(self) -> Sequence[Parameter]:
        """Return what a proposal can change."""
        async with self._reading:
            if self._parameters is None or self._is_old(self._parameters[0]):
                self._parameters = self._clock.monotonic(), await self.proposals.parameters()
            return self._parameters[1]

    async def delegates(self) -> Sequence[Delegate]:
        """Return who votes for others, the one with most votes first."""
        async with self._reading:
            if self._delegates is None or self._is_old(self._delegates[0]):
                self._delegates = self._clock.monotonic(), await self.proposals.delegates()
            return self._delegates[1]

    async def powers(self) -> list[Power]:
        """Return every role and its holder."""
        async with self._reading:
            if self._table is None or self._is_old(self._table[0]):
                self._table = self._clock.monotonic(), await self._powers.all()
            return self._table[1]

    async def guardian(self) -> Guardian | None:
        """Return who may cancel proposals, and until when; None for no one."""
        async with self._reading:
            if self._guardian is None or self._is_old(self._guardian[0]):
                self._guardian = self._clock.monotonic(), await self.proposals.guardian()
            return self._guardian[1]

    async def treasury(self) -> Treasury:
        """Return what the treasury holds."""
        async with self._reading:
            if self._treasury is None or self._is_old(self._treasury[0]):
                self._treasury = self._clock.monotonic(), await self.proposals.treasury()
            return self._treasury[1]

    def _is_old(self, made_at: float) -> bool:
        return self._clock.monotonic() - made_at >= _FRESH_SECONDS
