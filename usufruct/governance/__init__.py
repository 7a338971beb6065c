"""How stakers decide about the platform: governor and timelock. Shareholders decide about their service in `trusts`."""

from usufruct.governance.ballots import Ballot, signed_vote
from usufruct.governance.draft_calls import read_draft_calls
from usufruct.governance.errors import InvalidCall, InvalidVote
from usufruct.governance.governor import governor_creation, planned_timelock, timelock_creation
from usufruct.governance.model import OPEN_STATES, Support, id_text, signed_description
from usufruct.governance.powers import NOT_KNOWN, PUBLISHED, Power, Powers
from usufruct.governance.proposal_documents import (
    event_text,
    proposal_details,
    proposal_facts,
    proposed_call,
    simulation_facts,
    support_of,
)
from usufruct.governance.proposals import PAGE, Proposals, StandingProposal, check_proposal, proposal_id
from usufruct.governance.simulation import Simulation, check_simulation
from usufruct.governance.words import CallWords, grouped, sentence, whole_hundredths

__all__ = [
    "NOT_KNOWN",
    "OPEN_STATES",
    "PAGE",
    "PUBLISHED",
    "Ballot",
    "CallWords",
    "InvalidCall",
    "InvalidVote",
    "Power",
    "Powers",
    "Proposals",
    "Simulation",
    "StandingProposal",
    "Support",
    "check_proposal",
    "check_simulation",
    "event_text",
    "governor_creation",
    "grouped",
    "id_text",
    "planned_timelock",
    "proposal_details",
    "proposal_facts",
    "proposal_id",
    "proposed_call",
    "read_draft_calls",
    "sentence",
    "signed_description",
    "signed_vote",
    "simulation_facts",
    "support_of",
    "timelock_creation",
    "whole_hundredths",
]
