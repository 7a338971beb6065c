"""What refusals of offers and purchases say to a reader of the pages of shares and passes."""

from collections.abc import Sequence

from usufruct.web.ui import RefusalText

REFUSALS: Sequence[RefusalText] = (
    RefusalText("invalid_offer", "The offer cannot be made like that. Check amount and price."),
    RefusalText("invalid_purchase", "The purchase cannot be made like that. Reload the page and try again."),
    RefusalText("not_enough_shares", "You hold fewer shares than you want to offer."),
    RefusalText("not_traded", "This service has no such shares or credits."),
    RefusalText("credits_void", "The plan has expired. Its credits pay for nothing any more."),
    RefusalText("not_enough_credits", "You hold fewer credits than you want to offer. Activated ones cannot be sold."),
    RefusalText("offer_not_found", "This offer is not known here. Reload the page."),
    RefusalText("too_many_offers", "You have as many open offers here as there may be. Cancel one."),
    RefusalText("fee_above_allowed", "The fee was raised above what this offer allows. It cannot be sold."),
    RefusalText("price_above_max", "The price is above the most that you would pay. Nothing was signed."),
    RefusalText("purchase_outdated", "You have bought of this offer meanwhile. Reload the page to see it."),
    RefusalText("purchase_unfunded", "Your wallet holds less than the price."),
    RefusalText("purchase_failed", "The chain refused the purchase. Nothing was paid."),
    RefusalText("not_the_maker", "This is another account's offer."),
    RefusalText("permit_refused", "The approval of your shares was refused. Reload the page and sign again."),
    RefusalText("nonce_used", "The seller has cancelled this offer. Nothing was paid."),
    RefusalText("listing_expired", "This offer has expired. Nothing was paid."),
    RefusalText("not_enough_left", "There is not so much left in this offer. Reload the page."),
    RefusalText("item_not_owned", "The seller no longer holds what this offer sells. Nothing was paid."),
    RefusalText("item_not_approved", "The seller no longer lets the exchange sell this. Nothing was paid."),
    RefusalText(
        "item_refused",
        "The transfer policy, or the account that would get it, does not allow this purchase. Nothing was paid.",
    ),
    RefusalText("invalid_signature", "The signature is not the seller's over this offer."),
    RefusalText("self_trade", "This is your own offer."),
    RefusalText("operation_pending", "It is on its way. Reload the page in a minute; it is made once."),
    RefusalText("relay_limited", "The operator pays no more gas for your account today. Try again tomorrow."),
    RefusalText("relay_spent", "The operator pays no more gas today. Try again tomorrow."),
    RefusalText("relay_failures", "Too much of what you sent was refused today. Try again tomorrow."),
    RefusalText("not_relayed", "The operator sends no transactions here; your wallet has to send it."),
)
