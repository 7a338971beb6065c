"""What refusals of trusts say to a reader of their pages; those of votes are said as for the platform's."""

from collections.abc import Sequence

from usufruct.web.ui import RefusalText

REFUSALS: Sequence[RefusalText] = (
    RefusalText("not_a_trust", "The owner NFT of this service is in no trust: its shareholders do not decide."),
    RefusalText("no_shares_at_snapshot", "You had no shares that could vote at the snapshot of this proposal."),
    RefusalText("not_executable", "Only a proposal that passed can be executed, within 14 days."),
    RefusalText("nothing_to_change", "Write at least one value that is to change.", "change"),
    RefusalText("nothing_to_change", "This price is announced already.", "price"),
    RefusalText("invalid_configuration", "Write one address, such as https://… or ipfs://…", "published_at"),
    RefusalText("invalid_configuration", "Write the file's SHA-256: 64 hex digits.", "configuration_hash"),
    RefusalText("invalid_proposal", "Write a whole number.", "context_window"),
)
