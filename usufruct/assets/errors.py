"""Why something about an asset, its shares or its passes is refused before a transaction is sent.

What only the contract can know is refused by the contract, under its own error's code.
"""

from usufruct.core import Conflict, Denied, Invalid, NotFound, PaymentRequired


class InvalidAsset(Invalid):
    """An asset, a price card or a plan cannot be like this."""

    code = "invalid_asset"


def demand(holds: bool, field: str, value: str | int, rule: str, refusal: type[Invalid] = InvalidAsset) -> None:
    """Refuse a value that breaks a rule.

    Raises:
        InvalidAsset: names the field, the value and the rule; or another `refusal`.
    """
    if not holds:
        raise refusal(f"{field} must be {rule}, not {value!r}", field=field, value=value)


class TransferPolicyNeeded(Invalid):
    """On a public chain, who may hold the shares is the registrant's explicit choice."""

    code = "transfer_policy_needed"


class UnknownAsset(NotFound):
    """No asset has this id, or was registered under this name here."""

    code = "unknown_asset"


class UnknownPlan(NotFound):
    """No plan has this id, or the asset has not exactly one on sale."""

    code = "unknown_plan"


class AlreadyRegistered(Conflict):
    """The name, or the salt of this wallet, belongs to an asset that exists."""

    code = "asset_registered"


class RegistrationUnderWay(Conflict):
    """The same asset is being registered with other terms."""

    code = "registration_under_way"


class NotTitleHolder(Denied):
    """Only the holder of an asset's title, or whom they approved, may do this."""

    code = "not_title_holder"


class RetirementAnnounced(Conflict):
    """The asset's retirement is announced, or in effect."""

    code = "retirement_announced"


class NoRetirement(Conflict):
    """No retirement is pending that could be called off."""

    code = "no_retirement"


class NotEnoughShares(Conflict):
    """The wallet holds fewer shares than it would give away."""

    code = "not_enough_shares"


class NotEnoughMoney(PaymentRequired):
    """The wallet holds less of a token than it would pay."""

    code = "not_enough_money"


class NotEnoughCredits(Conflict):
    """The wallet holds fewer credits than it would activate."""

    code = "not_enough_credits"


class NothingToGiveBack(Conflict):
    """The wallet has no credits of this plan that can be given back now."""

    code = "nothing_to_give_back"


class PlanRegistered(Conflict):
    """The asset has a plan with exactly these terms."""

    code = "plan_exists"


class PlanClosed(Conflict):
    """The plan sells nothing now: stopped, expired, or its asset is retired."""

    code = "plan_closed"


class NoMeter(Conflict):
    """No meter measures prepaid use of the asset, so no credits can be activated."""

    code = "no_meter"


class UnknownListing(NotFound):
    """No listing has this name or id."""

    code = "unknown_model"


class RetiredListing(NotFound):
    """The listing is no longer on sale."""

    status = 410
    code = "retired_listing"


class InvalidListing(Invalid):
    """A listing cannot be like this."""

    code = "invalid_listing"


class ListingExists(Conflict):
    """A listing that is on sale has this name or id."""

    code = "listing_exists"
