"""What can be wrong with a share offer or a purchase; the exchange's own refusals keep their codes."""

from usufruct.core import Conflict, Denied, Invalid, NotFound, PaymentRequired


class InvalidShareOffer(Invalid, code="invalid_share_offer"):
    """An offer that there cannot be; names the field."""


class InvalidPurchase(Invalid, code="invalid_share_purchase"):
    """A purchase that there cannot be; names the field."""


class SharesNotFound(NotFound, code="shares_not_found"):
    """The service is unknown here, or has no revenue shares."""


class ShareOfferNotFound(NotFound, code="share_offer_not_found"):
    """No offer with this hash was published here."""


class TooManyShareOffers(Conflict, code="too_many_share_offers"):
    """The maker has as many open offers of these shares as there may be."""


class FeeAboveAllowed(Conflict, code="fee_above_allowed"):
    """The protocol fee is above what the offer allows: it could not be sold."""


class PriceAboveAllowed(Conflict, code="price_above_max"):
    """The shares cost more than the buyer allowed."""


class PurchaseOutdated(Conflict, code="share_purchase_outdated"):
    """The buyer has bought of this offer since the page was made."""


class PurchaseUnfunded(PaymentRequired, code="share_purchase_unfunded"):
    """The buyer's wallet holds less than the price."""


class PurchaseFailed(Conflict, code="share_purchase_failed"):
    """The chain refused the purchase after it was sent; nothing was paid."""


class NotRelayed(Conflict, code="not_relayed"):
    """No relayer sends transactions here; the wallet sends it itself."""


class NotTheMaker(Denied, code="not_the_maker"):
    """Only the maker of an offer cancels it."""
