"""Errors of deals."""

from usufruct.core import Conflict, Denied, Invalid, NotFound


class UnknownDeal(NotFound, code="unknown_deal"):
    """There is no deal of this id, or the installation does not show it."""


class InvalidDeal(Invalid, code="invalid_deal"):
    """Terms of a deal that cannot be; names the field and the remedy."""


class InvalidDealWish(Invalid, code="invalid_deal_wish"):
    """A wish of an account that cannot be carried out as it is written; names the field."""


class NotDealIssuer(Denied, code="not_deal_issuer"):
    """Only the issuer of a deal may do this."""


class DealConflict(Conflict, code="deal_conflict"):
    """The deal cannot do this now, or not for this account."""


class DealUnfunded(DealConflict, code="deal_unfunded"):
    """The account holds less than it wants to pay or to sell."""


class DealClosed(DealConflict, code="deal_closed"):
    """The sale has ended."""


class DealSelling(DealConflict, code="deal_selling"):
    """The sale has not ended."""


class DealLevelNotAdmitted(DealConflict, code="deal_level_not_admitted"):
    """Accounts of this level cannot subscribe."""


class DealNotOpen(DealConflict, code="deal_not_open"):
    """Accounts of this level cannot subscribe yet."""


class DealAccountNotAllowed(DealConflict, code="deal_account_not_allowed"):
    """The deal's policy does not let the account subscribe."""


class DealWindowOver(DealConflict, code="deal_window_over"):
    """The account paid into a window that is over, and can pay no more."""


class DealSoldOut(DealConflict, code="deal_sold_out"):
    """The earlier windows reached the hard cap."""


class DealCapReached(DealConflict, code="deal_cap_reached"):
    """The payment is more than the account's level may still pay in."""


class DealOutdated(DealConflict, code="deal_outdated"):
    """The account has paid in since it saw the deal."""


class NothingDue(DealConflict, code="deal_nothing_due"):
    """There is nothing to pay out now."""
