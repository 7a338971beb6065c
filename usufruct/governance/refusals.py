"""What refusals of proposals and votes say to a reader of the pages."""

from collections.abc import Sequence

from usufruct.web.ui import RefusalText

REFUSALS: Sequence[RefusalText] = (
    RefusalText("unknown_proposal", "There is no such proposal here."),
    RefusalText("invalid_page", "There is no such page of the list."),
    RefusalText("invalid_vote", "The vote cannot be cast like that. Reload the page and try again."),
    RefusalText("invalid_vote", "The reason is too long: 1,000 characters are allowed.", "reason"),
    RefusalText("below_threshold", "You have too few votes to propose. The page says how many are missing."),
    RefusalText("would_fail", "A call of the proposal would fail now. Look at it again."),
    RefusalText("not_simulated", "The chain's node does not simulate: whether the calls would succeed is not known."),
    RefusalText("too_many_drafts", "Your network has looked at many drafts just now. Try again in a minute."),
    RefusalText("unknown_parameter", "The stakers cannot change this parameter now. Choose another."),
    RefusalText("invalid_value", "The new value is not written as it must be. See how above the field."),
    RefusalText("value_out_of_bounds", "The contract takes no such value. See its bounds above the field."),
    RefusalText("value_unchanged", "This value holds already. Write another."),
    RefusalText("invalid_proposal", "The proposal is not whole yet."),
    RefusalText("invalid_proposal", "Choose a change, or write a call, and add it.", "calls"),
    RefusalText("invalid_proposal", "Write in one line what it is for.", "title"),
    RefusalText("invalid_proposal", "Say why, in at most 20,000 characters.", "description"),
    RefusalText("invalid_call", "The call cannot be read. Write contract, function and arguments as the fields say."),
    RefusalText("invalid_call", "Write the contract's address, or its name here.", "contract"),
    RefusalText("invalid_call", "Write the function with its types, such as setLocker(address,bool).", "function"),
    RefusalText("invalid_call", "Write an amount such as 2 or 2.50.", "coins"),
    RefusalText("unknown_contract", "There is no contract of this name here. Write its address."),
    RefusalText("unknown_function", "The contract has no such function, or one that changes nothing."),
    RefusalText("wrong_arguments", "The function takes another number of arguments."),
    RefusalText("invalid_argument", "An argument is not what the function takes."),
    RefusalText("voting_not_open", "Voting has not begun yet. The page says when it does."),
    RefusalText("voting_closed", "Voting has ended."),
    RefusalText("already_voted", "You have voted already. A vote cannot be changed."),
    RefusalText("no_votes", "You had no votes at the snapshot of this proposal. Locks count from the week after."),
    RefusalText("not_passed", "Only a proposal that passed can be queued."),
    RefusalText("not_queued", "Only a queued proposal can be executed."),
    RefusalText("timelock_running", "The waiting time is not over. The page says when it is."),
    RefusalText("not_cancellable", "You cannot cancel this proposal now."),
    RefusalText("governor_already_cast_vote", "You have voted already. A vote cannot be changed."),
    RefusalText("governor_unexpected_proposal_state", "The proposal has moved on meanwhile. Reload the page."),
)
