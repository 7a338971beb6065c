"""The governor of an installation: its proposals with their votes and states, and the calls by which they go on."""

import asyncio
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from usufruct.chain import Call, ChainAccess, Revert, TokenFacts, keccak, token_facts
from usufruct.chain.contracts.asset_registry import AssetRegistry
from usufruct.chain.contracts.platform_governor import PlatformGovernor
from usufruct.chain.contracts.platform_timelock import PlatformTimelock
from usufruct.chain.contracts.platform_token import PlatformToken
from usufruct.chain.contracts.shared import ProposalState as StateOnChain
from usufruct.chain.contracts.vote_escrow import VoteEscrow
from usufruct.core import ZERO_ADDRESS, Address, Hash32, checksum, moment
from usufruct.governance.ballots import check_reason
from usufruct.governance.delegates import Delegate, read_delegates
from usufruct.governance.errors import (
    AlreadyVoted,
    BelowThreshold,
    InvalidProposal,
    NotCancellable,
    NotPassed,
    NotQueued,
    NoVotes,
    TooEarly,
    UnknownProposal,
    VotingClosed,
    VotingNotOpen,
)
from usufruct.governance.governor_logs import GovernorIndexer
from usufruct.governance.known_contracts import KnownContracts
from usufruct.governance.model import (
    Proposal,
    ProposalState,
    Support,
    Tally,
    Vote,
    id_text,
    parts_of,
    signed_description,
)
from usufruct.governance.parameters import Parameter, read_parameters
from usufruct.governance.proposal_store import (
    count_proposals,
    has_voted,
    proposal_ids,
    proposal_of,
    proposals_of,
    tallies_of,
    votes_of,
)
from usufruct.governance.simulation import Simulation, Simulator
from usufruct.governance.treasury import Treasury, read_treasury
from usufruct.governance.words import CallWords, Explainer, grouped

PAGE = 20
"""Proposals on a page of the list."""

MOST_VOTES = 100
"""Of a proposal's votes that are shown, those with the most weight."""

_SETTLED_SECONDS = 3_600
"""So long ago, no reorg reaches it."""

_ENDED_BY_TIMELOCK = {StateOnChain.CANCELED: ProposalState.CANCELLED, StateOnChain.EXECUTED: ProposalState.EXECUTED}

_LONGEST_DESCRIPTION = 20_000
_PREFIX = re.compile("0x[0-9a-f]{4,64}")


@dataclass(frozen=True, slots=True)
class GovernorTerms:
    """What holds for a new proposal. Scores are atomic units of `token`, durations seconds."""

    token: TokenFacts
    voting_delay: int
    voting_period: int
    timelock_delay: int
    threshold: int
    total_score: int
    quorum: int
    quorum_floor: int


@dataclass(frozen=True, slots=True)
class Guardian:
    """The account that may cancel proposals until a time, Unix seconds; `is_over` at the newest block."""

    account: Address
    until: int
    is_over: bool


@dataclass(frozen=True, slots=True)
class StandingProposal:
    """A proposal as it stands at `now`, a time of the chain; before the snapshot, `quorum` is what it would be now."""

    proposal: Proposal
    state: ProposalState
    tally: Tally
    quorum: int
    now: int
    grace_seconds: int

    @property
    def counted(self) -> int:
        """Votes that count for the quorum."""
        return self.tally.counted

    @property
    def expires_at(self) -> int:
        """When what passed must be queued, and what was queued executed."""
        return (self.proposal.eta or self.proposal.deadline) + self.grace_seconds

    @property
    def executable(self) -> bool:
        """Whether it can be executed now."""
        return self.state is ProposalState.QUEUED and self.now >= self.proposal.eta


class Proposals:
    """Reads proposals, and makes the calls that propose, vote, queue, execute and cancel; nothing is sent.

    Questions raise `RpcUnavailable`.
    """

    def __init__(self, chain: ChainAccess) -> None:
        """Work on the governor of the installation.

        Raises:
            NotDeployed: when it has none.
        """
        deployments, client = chain.deployments, chain.client
        self.chain_id = chain.chain_id
        self.client = client
        self.governor = PlatformGovernor(deployments.address(PlatformGovernor), client)
        self.timelock = PlatformTimelock(deployments.address(PlatformTimelock), client)
        self.escrow = VoteEscrow(deployments.address(VoteEscrow), client)
        self.indexer = GovernorIndexer(chain)
        self._chain = chain
        self._quorums: dict[int, int] = {}
        self._grace: int | None = None
        self._known: KnownContracts | None = None
        self._token: TokenFacts | None = None

    async def known(self) -> KnownContracts:
        """Return the contracts that calls are read and said with."""
        if self._known is None:
            self._known = await KnownContracts.of(self._chain)
        return self._known

    async def token(self) -> TokenFacts:
        """Return the platform token, in whose units scores are."""
        if self._token is None:
            self._token = await token_facts(self.client, self._chain.deployments.address(PlatformToken))
        return self._token

    async def terms(self) -> GovernorTerms:
        """Return what holds for a new proposal."""
        head = await self.client.head()
        governor, timelock = self.governor.at_block(head.number), self.timelock.at_block(head.number)
        numbers = await asyncio.gather(
            governor.voting_delay(),
            governor.voting_period(),
            timelock.get_min_delay(),
            governor.proposal_threshold(),
            self.escrow.at_block(head.number).total_score(),
            governor.quorum(head.timestamp - 1),
            governor.quorum_floor(),
        )
        return GovernorTerms(await self.token(), *numbers)

    async def guardian(self) -> Guardian | None:
        """Return the guardian; None where there is none."""
        head = await self.client.head()
        governor = self.governor.at_block(head.number)
        account, until = await asyncio.gather(governor.guardian(), governor.guardian_until())
        return None if account == ZERO_ADDRESS else Guardian(account, until, head.timestamp >= until)

    async def treasury(self) -> Treasury:
        """Return what the treasury holds now."""
        registry = AssetRegistry(self._chain.deployments.address(AssetRegistry), self.client)
        return await read_treasury(self.client, await self.known(), registry)

    async def parameters(self) -> Sequence[Parameter]:
        """Return what a proposal can change now."""
        token = PlatformToken(self._chain.deployments.address(PlatformToken), self.client)
        return await read_parameters(self.client, await self.known(), await token.total_supply())

    async def explain(self, calls: Sequence[Call]) -> list[CallWords]:
        """Say calls in words, with the values that hold now."""
        return await Explainer(self.client, await self.known()).explain(calls)

    async def simulate(self, calls: Sequence[Call]) -> Simulation:
        """Run calls as the timelock would now, and tell what they do."""
        return await Simulator(self.client, await self.known(), self.governor.address).run(calls)

    async def delegates(self) -> Sequence[Delegate]:
        """Return who votes for others, the one with most votes first."""
        return await read_delegates(self.escrow, self.indexer, self._chain.database)

    async def count(self) -> int:
        """Return how many proposals there are."""
        await self.indexer.poll()
        async with self._chain.database.snapshot() as unit:
            return await count_proposals(unit, self.governor.address)

    async def page(self, number: int = 1, size: int = PAGE) -> list[StandingProposal]:
        """Return a page of the proposals, the newest first."""
        await self.indexer.poll()
        now = (await self.client.head()).timestamp
        return [await self._standing(*each, now) for each in await self.indexed_page(number, size)]

    async def indexed_page(self, number: int = 1, size: int = PAGE) -> list[tuple[Proposal, Tally]]:
        """Return a page of the proposals as they were read last, the newest first; the node is not asked."""
        async with self._chain.database.snapshot() as unit:
            found = await proposals_of(unit, self.governor.address, (number - 1) * size, size)
            tallies = await tallies_of(unit, self.governor.address, [each.id for each in found])
        return [(each, tallies.get(each.id, Tally())) for each in found]

    async def find(self, text: str) -> StandingProposal:
        """Return the proposal of an id: 0x and hex digits, of which the first are enough where no other has them.

        Raises:
            UnknownProposal: when there is none, or several begin so.
        """
        await self.indexer.poll()
        return await self._standing(*await self.find_indexed(text), (await self.client.head()).timestamp)

    async def find_indexed(self, text: str) -> tuple[Proposal, Tally]:
        """Return the proposal of an id as it was read last; the node is not asked. Raises as `find`."""
        wanted, ids = id_text(text), list[Hash32]()
        async with self._chain.database.snapshot() as unit:
            if _PREFIX.fullmatch(wanted):
                ids = await proposal_ids(unit, self.governor.address, wanted)
            found = await proposal_of(unit, self.governor.address, ids[0]) if len(ids) == 1 else None
            tallies = await tallies_of(unit, self.governor.address, ids)
        if found is None:
            several = "several proposals have ids" if ids else "no proposal has an id"
            message = f"{several} that begin{'' if ids else 's'} with {text[:70]!r}; `usufruct gov list` shows them"
            raise UnknownProposal(message, field="id")
        return found, tallies.get(found.id, Tally())

    async def votes(self, proposal: Proposal) -> list[Vote]:
        """Return the votes about a proposal with the most weight."""
        async with self._chain.database.snapshot() as unit:
            return await votes_of(unit, self.governor.address, proposal.id, MOST_VOTES)

    async def has_voted(self, proposal: Proposal, account: Address) -> bool:
        """Tell whether an account has voted about a proposal."""
        async with self._chain.database.snapshot() as unit:
            return await has_voted(unit, self.governor.address, proposal.id, account)

    async def weight(self, standing: StandingProposal, account: Address) -> int:
        """Return an account's votes about a proposal; before the snapshot, those that it would have now."""
        at = standing.proposal.snapshot
        return await self.governor.get_votes(account, at if at < standing.now else standing.now - 1)

    async def votes_now(self, account: Address) -> int:
        """Return the votes that an account has now, as a proposer."""
        return await self.governor.get_votes(account, (await self.client.head()).timestamp - 1)

    async def propose(self, proposer: Address, calls: Sequence[Call], description: str) -> Call:
        """Return the call that opens a proposal, which the governor takes from this proposer alone.

        Raises:
            InvalidProposal: without calls or a description.
            BelowThreshold: when the proposer has too few votes.
        """
        check_proposal(calls, description)
        votes, threshold, token = await asyncio.gather(
            self.votes_now(proposer), self.governor.proposal_threshold(), self.token()
        )
        if votes < threshold:
            raise BelowThreshold(
                f"{checksum(proposer)} has {grouped(votes, token.decimals)} votes; a proposal needs "
                f"{grouped(threshold, token.decimals)}. Lock tokens with `usufruct stake lock`: they count from next "
                "week on",
                votes=str(votes),
                threshold=str(threshold),
            )
        return self.proposing(proposer, calls, description)

    def proposing(self, proposer: Address, calls: Sequence[Call], description: str) -> Call:
        """Return the call that opens a proposal; nothing is checked."""
        return self.governor.propose(*parts_of(calls), signed_description(description, proposer))

    async def vote(self, voter: Address, standing: StandingProposal, support: Support, reason: str = "") -> Call:
        """Return the call that votes.

        Raises:
            VotingNotOpen, VotingClosed, AlreadyVoted, NoVotes: when this vote cannot be cast now.
        """
        await self.check_vote(voter, standing, reason)
        number = standing.proposal.number
        if reason:
            return self.governor.cast_vote_with_reason(number, support, reason)
        return self.governor.cast_vote(number, support)

    async def check_vote(self, voter: Address, standing: StandingProposal, reason: str = "") -> None:
        """Check that an account can vote now; raises as `vote`."""
        proposal, state = standing.proposal, standing.state
        check_reason(reason)
        if state is ProposalState.PENDING:
            raise VotingNotOpen(f"voting begins after {moment(proposal.snapshot)}", opens_at=proposal.snapshot)
        if state is not ProposalState.ACTIVE:
            ended = moment(proposal.deadline)
            raise VotingClosed(f"voting ended at {ended}; the proposal is {state}", **_state(standing))
        if await self.has_voted(proposal, voter):
            raise AlreadyVoted(f"{checksum(voter)} has voted about this proposal; a vote cannot be changed")
        if not await self.weight(standing, voter):
            raise NoVotes(
                f"{checksum(voter)} had no votes at {moment(proposal.snapshot)}, by which this proposal counts; locks "
                "count from the week after they were made"
            )

    def queue(self, standing: StandingProposal) -> Call:
        """Return the call that queues a proposal that passed; raises `NotPassed` for another."""
        if standing.state is not ProposalState.SUCCEEDED:
            raise NotPassed(f"the proposal is {standing.state}; only one that succeeded is queued", **_state(standing))
        return self.governor.queue(*parts_of(standing.proposal.calls), keccak(standing.proposal.description))

    def execute(self, standing: StandingProposal) -> Call:
        """Return the call that executes a queued proposal.

        Raises:
            NotQueued: when it is not queued.
            TooEarly: when the timelock's delay is not over.
        """
        proposal = standing.proposal
        if standing.state is not ProposalState.QUEUED:
            raise NotQueued(f"the proposal is {standing.state}; only a queued one is executed", **_state(standing))
        if not standing.executable:
            raise TooEarly(f"the proposal can be executed from {moment(proposal.eta)} on", executable_at=proposal.eta)
        return self.governor.execute(*parts_of(proposal.calls), keccak(proposal.description), value=0)

    async def cancel(self, account: Address, standing: StandingProposal) -> Call:
        """Return the call by which the proposer, before the snapshot, or the guardian cancels a proposal.

        Raises:
            NotCancellable: for another account, and when it is too late.
        """
        proposal, state = standing.proposal, standing.state
        guardian, until = await asyncio.gather(self.governor.guardian(), self.governor.guardian_until())
        guarded = account == guardian and standing.now < until
        final = state in (ProposalState.CANCELLED, ProposalState.EXPIRED, ProposalState.EXECUTED)
        if final or not (guarded or (account == proposal.proposer and state is ProposalState.PENDING)):
            raise NotCancellable(
                f"{checksum(account)} cannot cancel this proposal, which is {state}: its proposer can while it is "
                "pending, and the guardian until it is executed",
                **_state(standing),
            )
        return self.governor.cancel(*parts_of(proposal.calls), keccak(proposal.description))

    async def _standing(self, proposal: Proposal, tally: Tally, now: int) -> StandingProposal:
        if self._grace is None:
            self._grace = await self.governor.grace_period()
        quorum = await self._quorum(proposal.snapshot, now)
        state = proposal.state(tally, quorum, now, self._grace)
        if proposal.eta and state in (ProposalState.QUEUED, ProposalState.EXPIRED):
            state = await self._state_of_queued(proposal, state)
        return StandingProposal(proposal, state, tally, quorum, now, self._grace)

    async def _state_of_queued(self, proposal: Proposal, state: ProposalState) -> ProposalState:
        """Return where a queued proposal stands; a call to the timelock ends it without an event of the governor."""
        with suppress(Revert):  # a block is gone, and it was never queued; the next poll takes that in
            state = _ENDED_BY_TIMELOCK.get(await self.governor.state(proposal.number), state)
        return state

    async def _quorum(self, snapshot: int, now: int) -> int:
        """Return the quorum of a snapshot, which is kept once no reorg reaches it; before it, what it would be now."""
        if snapshot not in self._quorums:
            found = await self.governor.quorum(min(snapshot, now - 1))
            if not _is_settled(snapshot, now):
                return found
            self._quorums[snapshot] = found
        return self._quorums[snapshot]


def _is_settled(then: int, now: int) -> bool:
    return then < now - _SETTLED_SECONDS


def check_proposal(calls: Sequence[Call], description: str) -> None:
    """Check that a proposal has calls, and a description of a length that is shown; raises `InvalidProposal`."""
    if not calls:
        raise InvalidProposal("a proposal has no call; add one (--call or --file on the command line)", field="calls")
    if not description.strip():
        raise InvalidProposal("a proposal has no description; write what it is for", field="description")
    if len(description) > _LONGEST_DESCRIPTION:
        raise InvalidProposal(
            f"description has {len(description)} characters; {_LONGEST_DESCRIPTION} are allowed", field="description"
        )


def proposal_id(calls: Sequence[Call], description: bytes) -> Hash32:
    """Return the id that a proposal gets: the hash of its calls and of its whole description's hash.

    Ours are signed: `signed_description` says how.
    """
    encoded = PlatformGovernor(ZERO_ADDRESS).cancel(*parts_of(calls), keccak(description)).data[4:]
    return Hash32(f"0x{keccak(encoded).hex()}")


def _state(standing: StandingProposal) -> dict[str, str]:
    return {"state": standing.state.value}
