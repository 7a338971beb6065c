"""What can be wrong with an offer or a purchase; the exchange's own refusals keep their codes."""

from usufruct.core import Conflict, Denied, Invalid, NotFound, PaymentRequired


class InvalidOffer(Invalid, code="invalid_offer"):
    """An offer that there cannot be; names the field."""


class InvalidPurchase(Invalid, code="invalid_purchase"):
    """A purchase that there cannot be; names the field."""


class NotTraded(NotFound, code="not_traded"):
    """The service is unknown here, or has no revenue shares, plans or title."""


class CreditsVoid(Conflict, code="credits_void"):
    """The plan has expired: its credits pay for nothing."""


class OfferNotFound(NotFound, code="offer_not_found"):
    """No offer with this hash was published here."""


class TooManyOffers(Conflict, code="too_many_offers"):
    """The maker has as many open offers of these goods as there may be."""


class FeeAboveAllowed(Conflict, code="fee_above_allowed"):
    """Fee and royalty are above what the offer allows: it could not be sold."""


class PriceAboveAllowed(Conflict, code="price_above_max"):
    """The goods cost more than the buyer allowed."""


class PurchaseOutdated(Conflict, code="purchase_outdated"):
    """The buyer has bought of this offer since the page was made."""


class PurchaseUnfunded(PaymentRequired, code="purchase_unfunded"):
    """The buyer's wallet holds less than the price."""


class PlanClosed(Conflict, code="plan_closed"):
    """Packages of the plan are not on sale."""


class OtherMeter(Conflict, code="other_meter"):
    """Credits of the service are burned by another gateway's meter: activated, they would not pay for calls here."""


class InvalidGrant(Invalid, code="invalid_grant"):
    """A key of activated credits that there cannot be; names the field."""


class PurchaseFailed(Conflict, code="purchase_failed"):
    """The chain refused the purchase after it was sent; nothing was paid."""


class NotRelayed(Conflict, code="not_relayed"):
    """No relayer sends transactions here; the wallet sends it itself."""


class NotTheMaker(Denied, code="not_the_maker"):
    """Only the maker of an offer cancels it."""
