"""What refusals of airdrops say to a reader of the page."""

from collections.abc import Sequence

from usufruct.web.ui import RefusalText

REFUSALS: Sequence[RefusalText] = (
    RefusalText("not_in_airdrop", "This address gets nothing from this airdrop."),
    RefusalText("unknown_airdrop", "There is no such airdrop here. Reload the page."),
    RefusalText("airdrop_planned", "Claims have not begun yet. Come back later."),
    RefusalText("airdrop_ended", "Claims have ended. What was not claimed goes to the treasury."),
    RefusalText(
        "airdrop_unfunded",
        "The airdrop does not hold enough tokens now. Nothing is lost: try again when the operator has added some.",
    ),
    RefusalText("airdrop_claim_refused", "The chain would refuse this claim. Nothing was sent."),
    RefusalText(
        "airdrop_claim_failed",
        "This claim failed on the chain today. Try again tomorrow, or send it with a wallet of your own.",
    ),
    RefusalText(
        "airdrop_network_limit",
        "As many claims came from your internet connection today as the operator pays for. Try again tomorrow, or "
        "from another connection.",
    ),
    RefusalText(
        "airdrop_claims_spent",
        "The operator has paid for as many claims today as it does in a day. Try again tomorrow.",
    ),
    RefusalText(
        "airdrop_relayer_empty",
        "The operator cannot pay for the gas now. Nothing is lost: try again later.",
    ),
    RefusalText("not_an_airdrop", "The operator has set this airdrop up wrongly. Tell the operator."),
    RefusalText("other_airdrop", "The operator has set this airdrop up wrongly. Tell the operator."),
)
