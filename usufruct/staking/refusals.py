"""What refusals of locks and airdrops say to a reader of the pages."""

from collections.abc import Sequence

from usufruct.web.ui import RefusalText

REFUSALS: Sequence[RefusalText] = (
    RefusalText("invalid_stake", "Something is missing or wrong in the form. Check its fields."),
    RefusalText("invalid_stake", "Write an amount such as 2 or 2.50.", "amount"),
    RefusalText("invalid_stake", "Choose 1 to 52 weeks.", "weeks"),
    RefusalText("stake_outdated", "Your lock has changed since you opened this page. Reload it, then look again."),
    RefusalText("stake_unfunded", "You hold fewer tokens than that. Lock less."),
    RefusalText("stake_refused", "The contract would refuse this now. Nothing was sent."),
    RefusalText("stake_refused", "You have a lock already. Add tokens to it, or make it longer.", "locked"),
    RefusalText("stake_refused", "You have no lock. Lock tokens first.", "no_lock"),
    RefusalText("stake_refused", "Your lock ends this week. Make it longer first.", "ending"),
    RefusalText("stake_refused", "Your lock has as many weeks left already. Choose more.", "not_longer"),
    RefusalText("stake_refused", "That is how your lock is already. Reload the page.", "renewal"),
    RefusalText("stake_refused", "Your lock has not ended yet.", "not_ended"),
    RefusalText("stake_refused", "Your lock has ended: take your tokens out, without a penalty.", "ended"),
    RefusalText("stake_refused", "Leaving early is not possible here.", "exit_closed"),
    RefusalText("stake_refused", "The penalty is higher now than you saw. Nothing was sent; look again.", "penalty"),
    RefusalText("stake_refused", "There is nothing to take now. Income comes when a week is over.", "nothing"),
    RefusalText("stake_refused", "Income cannot be added to locks here. Take it.", "reinvest_closed"),
    RefusalText(
        "stake_refused",
        "There is no fresh price now, so nothing is bought. Your income stays yours: take it, or try again later.",
        "no_price",
    ),
    RefusalText(
        "stake_refused",
        "The market asks too much for tokens now. Your income stays yours: take it, or try again later.",
        "market",
    ),
    RefusalText("stake_refused", "Your income is too small to buy tokens.", "small"),
    RefusalText("not_in_airdrop", "This address gets nothing from this airdrop."),
    RefusalText("unknown_airdrop", "There is no such airdrop here. Reload the page."),
    RefusalText("airdrop_planned", "Claims have not begun yet. Come back later."),
    RefusalText("airdrop_ended", "Claims have ended. What was not claimed goes to the treasury."),
    RefusalText(
        "airdrop_unfunded",
        "The airdrop does not hold enough tokens now. Nothing is lost: try again when the operator has added some.",
    ),
    RefusalText(
        "airdrop_not_lockable",
        "This cannot be claimed into a lock of so many weeks. If you have a lock, choose no more weeks than it has "
        "left; or claim without a lock.",
    ),
    RefusalText("airdrop_running", "Claims have not ended yet. The rest can go to the treasury after that."),
    RefusalText(
        "airdrop_paid",
        "This was paid before: the tokens are in your account, as anyone may claim for you, or in your lock. Lock them "
        "on the page Stake.",
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
