"""What refusals of keys, deposits and calls say to a reader of the account page or the playground."""

from collections.abc import Sequence

from usufruct.web.ui import RefusalText

REFUSALS: Sequence[RefusalText] = (
    RefusalText("not_signed_in", "You are signed out. Sign in first."),
    RefusalText("sign_in_refused", "The sign-in was not accepted. Reload the page and sign in again."),
    RefusalText("signature_unchecked", "The chain did not answer in time whether your wallet signed. Try again."),
    RefusalText(
        "invalid_proof",
        "The signature is another wallet's, or over something else. Reload the page and sign again.",
    ),
    RefusalText("proof_used", "This was signed and used already. Reload the page and sign again."),
    RefusalText("proof_expired", "The signature came too late. Sign again."),
    RefusalText("too_many_keys", "You have as many active keys as there may be. Revoke one first."),
    RefusalText(
        "too_many_waiting_keys",
        "Too many keys wait for their first deposit. Put money into your wallet and try again.",
    ),
    RefusalText("key_not_found", "You have no such key. Reload the page."),
    RefusalText("key_over", "This key is revoked or expired. Make a new one."),
    RefusalText("channel_not_found", "The deposit of this key is not known yet. Reload the page in a minute."),
    RefusalText("unknown_service", "There is no service of this name. Write it as the list of services shows it."),
    RefusalText(
        "invalid_key_terms",
        "The key cannot be made like that. Check its limits, its name and how long it holds.",
    ),
    RefusalText("invalid_account_request", "Something is missing or wrong in the form. Check its fields."),
    RefusalText("deposit_below_minimum", "The deposit is smaller than the smallest that is taken."),
    RefusalText("deposit_insufficient_funds", "Your wallet does not hold that much."),
    RefusalText("deposit_refused", "The chain refused the deposit. Nothing was taken from your wallet."),
    RefusalText("deposit_expired", "The signed deposit came too late. Nothing was taken; sign again."),
    RefusalText("deposit_used", "This deposit was made already. Reload the page."),
    RefusalText(
        "other_deposit",
        "You made another deposit meanwhile, in another browser. This one was not made. Reload the page first.",
    ),
    RefusalText("duplicate_deposit", "This deposit was handed in already. Reload the page."),
    RefusalText("deposit_pending", "The deposit is on its way. Reload the page in a minute before you try again."),
    RefusalText("other_account", "You are signed in with another account. Reload the page."),
    RefusalText("wallet_signs", "This account is a wallet's. The wallet signs for its keys."),
    RefusalText("asset_not_found", "There is no such service here."),
    RefusalText("invalid_review", "Choose one to five stars, and write at most 2,000 characters of plain text."),
    RefusalText("review_refused", "A review is signed by who paid for the service. Sellers do not review their own."),
    RefusalText("review_refused", "Your account has not paid for a call of this service. Call it first.", "call"),
    RefusalText(
        "review_refused", "The signature is another account's, or over something else. Sign again.", "signature"
    ),
    RefusalText("review_too_soon", "You changed your review a moment ago. Try again later."),
    RefusalText("review_replayed", "You have a newer review than this one. Reload the page."),
    RefusalText("review_busy", "Another review came at the same moment. Send yours again."),
    RefusalText("review_not_found", "There is no such review."),
    RefusalText("not_the_seller", "Only the seller answers reviews. Sign in as the service's payee or owner."),
    RefusalText("refund_too_soon", "The last deposit or refund is too fresh. The page says from when you can ask."),
    RefusalText("nothing_to_refund", "Nothing is left of this deposit, or it is on its way already. Reload the page."),
    RefusalText("nothing_left", "Nothing is left of this deposit. Reload the page."),
    RefusalText("withdrawal_pending", "It is announced already. Reload the page; it says from when you can take it."),
    RefusalText("rpc_unavailable", "The chain's node does not answer now. Try again in a minute."),
    RefusalText("no_play_money", "There are no test dollars to give on this chain."),
    RefusalText(
        "insufficient_balance",
        "The key's deposit is too small for this call. Deposit more, or ask for less.",
    ),
    RefusalText(
        "limit_reached",
        "The key's limit is too small for this call. Wait for running calls, or make another key.",
    ),
    RefusalText("day_limit_reached", "The key's limit for today is too small for this call. It renews at 00:00 UTC."),
    RefusalText("over_budget", "The call would cost more than you allowed. Allow more, or ask for less."),
    RefusalText("over_context", "The question is too long for this service."),
    RefusalText("channel_withdrawing", "The deposit of this key is being withdrawn. Use another key."),
    RefusalText("asset_out_of_scope", "This key is for other services. Use another key."),
    RefusalText("key_missing", "Enter a key first."),
    RefusalText("key_mistyped", "The key is mistyped or cut off. Copy it again, all of it."),
    RefusalText("key_unknown", "This key was not made here. Check whether it is for this site."),
    RefusalText("key_expired", "The key has expired. Make a new one."),
    RefusalText("key_revoked", "The key was revoked. Make a new one."),
    RefusalText("unknown_model", "There is no such service here."),
    RefusalText("retired_listing", "This service is no longer on sale."),
    RefusalText("too_many_reviews", "Many reviews came from your network today. Try again tomorrow."),
    RefusalText("abandoned_answers", "Too many answers were broken off unpaid. Wait some minutes and try again."),
)
