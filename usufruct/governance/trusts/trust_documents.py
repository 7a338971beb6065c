"""Trusts and their proposals as documents."""

from collections.abc import Sequence

from usufruct.core import AssetId
from usufruct.governance.model import Vote
from usufruct.governance.proposal_documents import vote_facts
from usufruct.governance.trusts.changes import TrustCall
from usufruct.governance.trusts.drafts import TrustDraftView
from usufruct.governance.trusts.model import TrustFacts, TrustProposal
from usufruct_client.trust_documents import (
    TrustCallFacts,
    TrustChangeFacts,
    TrustDetails,
    TrustDraftDetails,
    TrustProposalDetails,
    TrustProposalFacts,
)


def trust_details(
    asset: AssetId, facts: TrustFacts, found: Sequence[TrustProposal], page: int, pages: int
) -> TrustDetails:
    """Return a trust and a page of its proposals."""
    terms, proposals = facts.terms, [trust_proposal_facts(each) for each in found]
    delays = terms.voting_delay, terms.voting_period, terms.grace_period
    return TrustDetails(asset, facts.address, *delays, terms.threshold, terms.quorum, proposals, page, pages)


def trust_proposal_facts(standing: TrustProposal) -> TrustProposalFacts:
    """Return a proposal as it stands."""
    proposal, tally = standing.proposal, standing.tally
    return TrustProposalFacts(
        proposal.id,
        proposal.title,
        proposal.proposer,
        standing.state.value,
        standing.now,
        proposal.snapshot,
        proposal.deadline,
        standing.expires_at,
        tally.in_favour,
        tally.against,
        tally.abstained,
        standing.quorum,
        standing.dissolves,
        proposal.transaction,
    )


def trust_proposal_details(
    standing: TrustProposal, calls: Sequence[TrustCall], votes: Sequence[Vote]
) -> TrustProposalDetails:
    """Return a proposal with what it changes and its votes."""
    facts, listed = trust_proposal_facts(standing), [vote_facts(each) for each in votes]
    return TrustProposalDetails(
        facts, standing.proposal.written, standing.trust, [call_facts(each) for each in calls], listed
    )


def trust_draft_details(view: TrustDraftView) -> TrustDraftDetails:
    """Return what a draft would change."""
    return TrustDraftDetails(
        view.trust, [call_facts(each) for each in view.calls], view.threshold, view.votes, view.missing
    )


def call_facts(found: TrustCall) -> TrustCallFacts:
    """Return a call with what it changes."""
    changes = [
        TrustChangeFacts(each.key, each.of, found.text(each, each.before), found.text(each, each.after))
        for each in found.changes
    ]
    return TrustCallFacts(found.call.to, found.data, found.words, found.is_known, changes, found.refusal)
