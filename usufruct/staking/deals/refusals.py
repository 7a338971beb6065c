"""What refusals of deals say to a reader of their pages."""

from collections.abc import Sequence

from usufruct.web.ui import RefusalText

REFUSALS: Sequence[RefusalText] = (
    RefusalText("unknown_deal", "There is no such deal here."),
    RefusalText("invalid_deal_wish", "Something in the form cannot be so. Reload the page and try again."),
    RefusalText("deal_conflict", "The deal cannot do this now. Reload the page."),
    RefusalText("deal_unfunded", "Your account holds less than that. Pay in less."),
    RefusalText("deal_closed", "The sale has ended. Nothing was paid."),
    RefusalText("deal_selling", "The sale has not ended yet. Come back then."),
    RefusalText("deal_level_not_admitted", "This deal is for higher levels. Nothing was paid."),
    RefusalText("deal_not_open", "Your level may not pay in yet. Come back when it opens."),
    RefusalText("deal_account_not_allowed", "Your account is not on the issuer's list. Nothing was paid."),
    RefusalText("deal_window_over", "The window that you paid into is over. You can pay in no more."),
    RefusalText("deal_sold_out", "All that is for sale was paid for. Nothing was paid."),
    RefusalText("deal_cap_reached", "That is more than your level may pay in. Pay in less."),
    RefusalText("deal_outdated", "You have paid in since this page was loaded. Reload it, then decide."),
    RefusalText("deal_nothing_due", "There is nothing to pay out now. Reload the page."),
)
