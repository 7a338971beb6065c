"""Proposals, their words, simulations and votes as documents."""

from collections.abc import Sequence

from usufruct.core import ZERO_ADDRESS, Address
from usufruct.governance.model import Support, Vote
from usufruct.governance.powers import Power
from usufruct.governance.proposals import Guardian, StandingProposal
from usufruct.governance.simulation import EventSeen, Simulation
from usufruct.governance.treasury import Treasury
from usufruct.governance.words import CallWords, sentence
from usufruct_client.governance_documents import (
    CallOutcome,
    GuardianFacts,
    HoldingFacts,
    PowerFacts,
    ProposalDetails,
    ProposalFacts,
    ProposedCall,
    SimulationFacts,
    SupportText,
    TokenMovement,
    TreasuryFacts,
    ViewChange,
    VoteFacts,
)

SUPPORT_TEXTS: dict[Support, SupportText] = {
    Support.FOR: "for",
    Support.AGAINST: "against",
    Support.ABSTAIN: "abstain",
}


def support_of(text: SupportText) -> Support:
    """Return what a vote's text stands for."""
    return next(support for support, each in SUPPORT_TEXTS.items() if each == text)


def proposal_facts(standing: StandingProposal) -> ProposalFacts:
    """Return a proposal as it stands."""
    proposal, tally = standing.proposal, standing.tally
    return ProposalFacts(
        proposal.id,
        proposal.title,
        proposal.proposer,
        standing.state.value,
        standing.now,
        proposal.snapshot,
        proposal.deadline,
        proposal.eta,
        standing.expires_at,
        tally.in_favour,
        tally.against,
        tally.abstained,
        standing.quorum,
        proposal.transaction,
    )


def proposal_details(
    standing: StandingProposal,
    governor: Address,
    words: Sequence[CallWords],
    simulation: Simulation | None,
    votes: Sequence[Vote],
) -> ProposalDetails:
    """Return a proposal with what it does and its votes."""
    return ProposalDetails(
        proposal_facts(standing),
        standing.proposal.written,
        governor,
        [proposed_call(each) for each in words],
        simulation_facts(simulation) if simulation else None,
        [vote_facts(each) for each in votes],
    )


def vote_facts(vote: Vote) -> VoteFacts:
    """Return a vote."""
    return VoteFacts(vote.voter, SUPPORT_TEXTS[vote.support], vote.weight, vote.reason, vote.transaction)


def proposed_call(words: CallWords) -> ProposedCall:
    """Return a call in words."""
    call = words.call
    data = f"0x{call.data.hex()}"
    return ProposedCall(
        call.to, call.value, data, sentence(words), not words.is_unknown, words.contract, words.function
    )


def simulation_facts(simulation: Simulation) -> SimulationFacts:
    """Return what a simulation found."""
    return SimulationFacts(
        not simulation.unavailable,
        simulation.reason,
        simulation.block,
        simulation.succeeds,
        [
            CallOutcome(each.succeeds, each.refusal, each.gas, [event_text(event) for event in each.events])
            for each in simulation.outcomes
        ],
        [ViewChange(each.contract, each.view, each.before, each.after) for each in simulation.changes],
        [
            TokenMovement(each.symbol, each.decimals, each.account, each.name, str(each.amount))
            for each in simulation.movements
        ],
    )


def treasury_facts(treasury: Treasury) -> TreasuryFacts:
    """Return what the treasury holds."""
    holdings = [
        HoldingFacts(None if each.token == ZERO_ADDRESS else each.token, each.symbol, each.decimals, each.amount)
        for each in treasury.holdings
    ]
    return TreasuryFacts(treasury.address, treasury.block, holdings)


def guardian_facts(guardian: Guardian | None) -> GuardianFacts | None:
    """Return who may cancel proposals, and until when."""
    return GuardianFacts(guardian.account, guardian.until, guardian.is_over) if guardian else None


def power_facts(power: Power) -> PowerFacts:
    """Return a role and its holder."""
    return PowerFacts(power.contract, power.address, power.role, power.holder, power.name, power.published)


def event_text(event: EventSeen) -> str:
    """Write an event in one line."""
    told = ", ".join(f"{name} {value}" for name, value in event.parameters)
    return f"{event.contract}: {event.name}({told})"
