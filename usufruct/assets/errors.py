"""Why something about an asset, its shares or its passes is refused before a transaction is sent.

What only the contract can know is refused by the contract, under its own error's code. Functions named `check_...`
refuse by `demand`.
"""

from usufruct.core import Conflict, Invalid, NotFound, Unavailable


class InvalidAsset(Invalid, code="invalid_asset"):
    """An asset, a price card or a plan cannot be like this."""


def demand(holds: bool, field: str, value: str | int, rule: str, refusal: type[Invalid] = InvalidAsset) -> None:
    """Refuse a value that breaks a rule.

    Raises:
        InvalidAsset: names the field, the value and the rule; or another `refusal`.
    """
    if not holds:
        raise refusal(f"{field} must be {rule}, not {value!r}", field=field, value=value)


class UnknownAsset(NotFound, code="unknown_asset"):
    """No asset has this id, or was registered under this name here."""


class UnknownPlan(NotFound, code="unknown_plan"):
    """No plan has this id, or the asset has not exactly one on sale."""


class AlreadyRegistered(Conflict, code="asset_registered"):
    """The name, or the salt of this wallet, belongs to an asset that exists."""


class UnknownListing(NotFound, code="unknown_model"):
    """No listing has this name or id."""


class RetiredListing(NotFound, code="retired_listing", status=410):
    """The listing is no longer on sale."""


class PausedListing(Unavailable, code="paused_listing"):
    """The listing's seller has paused it: new calls are refused until it is resumed."""


class InvalidListing(Invalid, code="invalid_listing"):
    """A listing cannot be like this."""


class ListingExists(Conflict, code="listing_exists"):
    """A listing that is on sale has this name or id."""
