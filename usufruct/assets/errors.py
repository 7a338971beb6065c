"""Why something about an asset, its shares or its passes is refused before a transaction is sent.

What only the contract can know is refused by the contract, under its own error's code. Functions named `check_...`
refuse by `demand`.
"""

from usufruct.core import Conflict, Denied, Invalid, NotFound, PaymentRequired


class InvalidAsset(Invalid, code="invalid_asset"):
    """An asset, a price card or a plan cannot be like this."""


def demand(holds: bool, field: str, value: str | int, rule: str, refusal: type[Invalid] = InvalidAsset) -> None:
    """Refuse a value that breaks a rule.

    Raises:
        InvalidAsset: names the field, the value and the rule; or another `refusal`.
    """
    if not holds:
        raise refusal(f"{field} must be {rule}, not {value!r}", field=field, value=value)


class TransferPolicyNeeded(Invalid, code="transfer_policy_needed"):
    """On a public chain, who may hold the shares is the registrant's explicit choice."""


class UnknownAsset(NotFound, code="unknown_asset"):
    """No asset has this id, or was registered under this name here."""


class UnknownPlan(NotFound, code="unknown_plan"):
    """No plan has this id, or the asset has not exactly one on sale."""


class AlreadyRegistered(Conflict, code="asset_registered"):
    """The name, or the salt of this wallet, belongs to an asset that exists."""


class RegistrationUnderWay(Conflict, code="registration_under_way"):
    """The same asset is being registered with other terms."""


class NotTitleHolder(Denied, code="not_title_holder"):
    """Only the holder of an asset's title, or whom they approved, may do this."""


class RetirementAnnounced(Conflict, code="retirement_announced"):
    """The asset's retirement is announced, or in effect."""


class NoRetirement(Conflict, code="no_retirement"):
    """No retirement is pending that could be called off."""


class NotEnoughShares(Conflict, code="not_enough_shares"):
    """The wallet holds fewer shares than it would give away."""


class NotEnoughMoney(PaymentRequired, code="not_enough_money"):
    """The wallet holds less of a token than it would pay."""


class NotEnoughCredits(Conflict, code="not_enough_credits"):
    """The wallet holds fewer credits than it would activate."""


class NothingToGiveBack(Conflict, code="nothing_to_give_back"):
    """The wallet has no credits of this plan that can be given back now."""


class PlanRegistered(Conflict, code="plan_exists"):
    """The asset has a plan with exactly these terms."""


class PlanClosed(Conflict, code="plan_closed"):
    """The plan sells nothing now: stopped, expired, or its asset is retired."""


class NoMeter(Conflict, code="no_meter"):
    """No meter measures prepaid use of the asset, so no credits can be activated."""


class UnknownListing(NotFound, code="unknown_model"):
    """No listing has this name or id."""


class RetiredListing(NotFound, code="retired_listing", status=410):
    """The listing is no longer on sale."""


class InvalidListing(Invalid, code="invalid_listing"):
    """A listing cannot be like this."""


class ListingExists(Conflict, code="listing_exists"):
    """A listing that is on sale has this name or id."""
