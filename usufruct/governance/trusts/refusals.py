"""What refusals of trusts say to a reader of their pages; those of votes are said as for the platform's."""

from collections.abc import Sequence

from usufruct.web.ui import RefusalText

REFUSALS: Sequence[RefusalText] = (
    RefusalText("not_a_trust", "The owner NFT of this service is in no trust: its shareholders do not decide."),
    RefusalText("no_shares_at_snapshot", "You had no shares that could vote at the snapshot of this proposal."),
    RefusalText("not_executable", "Only a proposal that passed can be executed, within 14 days."),
)
