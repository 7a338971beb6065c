"""What can be wrong with a proposal or a vote; the governor's own refusals keep their codes."""

from usufruct.core import Conflict, Denied, Invalid, NotFound, RateLimited


class InvalidCall(Invalid, code="invalid_call"):
    """A call of a proposal that cannot be read."""


class UnknownContract(Invalid, code="unknown_contract"):
    """The installation has no contract of this name."""


class UnknownFunction(Invalid, code="unknown_function"):
    """The contract has no such function, or none that changes something."""


class WrongArguments(Invalid, code="wrong_arguments"):
    """The function takes another number of arguments."""


class InvalidArgument(Invalid, code="invalid_argument"):
    """An argument is not what the function takes."""


class InvalidProposal(Invalid, code="invalid_proposal"):
    """A proposal without calls, without a description, or with one that is too long."""


class UnknownParameter(NotFound, code="unknown_parameter"):
    """The timelock can change no parameter of this name."""


class InvalidValue(Invalid, code="invalid_value"):
    """A new value that is not written as its parameter is."""


class ValueOutOfBounds(Invalid, code="value_out_of_bounds"):
    """A new value that the contract would refuse."""


class ValueUnchanged(Conflict, code="value_unchanged"):
    """A new value that holds already."""


class TooManyDrafts(RateLimited, code="too_many_drafts"):
    """A network had as many drafts simulated in this minute as it may."""


class InvalidVote(Invalid, code="invalid_vote"):
    """A vote that cannot be cast as it is written; names the field."""


class UnknownProposal(NotFound, code="unknown_proposal"):
    """The governor has no such proposal."""


class BelowThreshold(Conflict, code="below_threshold"):
    """The proposer has fewer votes than a proposal needs."""


class WouldFail(Conflict, code="would_fail"):
    """A call of the proposal would be refused if it were executed now."""


class NotSimulated(Conflict, code="not_simulated"):
    """The node does not simulate calls, so it is not known whether the proposal would succeed."""


class AlreadyVoted(Conflict, code="already_voted"):
    """An account votes once about a proposal."""


class VotingNotOpen(Conflict, code="voting_not_open"):
    """The snapshot of the votes is still to come."""


class VotingClosed(Conflict, code="voting_closed"):
    """The deadline has passed, or the proposal was cancelled."""


class NoVotes(Conflict, code="no_votes"):
    """The account had no votes at the snapshot."""


class NotPassed(Conflict, code="not_passed"):
    """Only a proposal that passed is queued."""


class NotQueued(Conflict, code="not_queued"):
    """Only a proposal that was queued is executed."""


class TooEarly(Conflict, code="timelock_running"):
    """The timelock's delay is not over."""


class NotCancellable(Denied, code="not_cancellable"):
    """The account may not cancel the proposal now."""
