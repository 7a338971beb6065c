"""What refusals of proposals and votes say to a reader of the pages."""

from collections.abc import Sequence

from usufruct.web.ui import RefusalText

REFUSALS: Sequence[RefusalText] = (
    RefusalText("unknown_proposal", "There is no such proposal here."),
    RefusalText("invalid_page", "There is no such page of the list."),
    RefusalText("invalid_vote", "The vote cannot be cast like that. Reload the page and try again."),
    RefusalText("invalid_vote", "The reason is too long: 1,000 characters are allowed.", "reason"),
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
