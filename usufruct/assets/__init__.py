"""Assets: AI services on the chain, the shares of their income, and passes that prepay their use.

`Register` is one registry; `Assets`, `ShareHolders` and `Passes` are what people do there. `Follower` keeps the tables
as the chain has them and tells `Offers` what takes effect.
"""

from usufruct.assets.errors import (
    AlreadyRegistered,
    InvalidTerms,
    NoMeter,
    NoRetirement,
    NotEnoughCredits,
    NotEnoughMoney,
    NotEnoughShares,
    NotTitleHolder,
    PlanClosed,
    PlanRegistered,
    RegistrationUnderWay,
    RetirementAnnounced,
    TransferPolicyNeeded,
    UnknownAsset,
    UnknownPlan,
)
from usufruct.assets.jobs import Follower, Offers, follow
from usufruct.assets.model import (
    OPEN_SHARES_WARNING,
    SHARE_DECIMALS,
    SUPPLY,
    TYPICAL_CALL,
    AssetTerms,
    CardPeriod,
    Credits,
    Holding,
    Income,
    ListedAsset,
    OnChainAsset,
    PassPlan,
    Pending,
    Token,
    about_calls,
    bps_of_percent,
    shares_of_percent,
)
from usufruct.assets.passes import Passes, Purchase
from usufruct.assets.registry import Register
from usufruct.assets.service import Announced, Assets, CardChange, Registered
from usufruct.assets.shares import Collected, ShareHolders
from usufruct.chain.contracts.structs import Kind, Parent, PriceCard

__all__ = [
    "OPEN_SHARES_WARNING",
    "SHARE_DECIMALS",
    "SUPPLY",
    "TYPICAL_CALL",
    "AlreadyRegistered",
    "Announced",
    "AssetTerms",
    "Assets",
    "CardChange",
    "CardPeriod",
    "Collected",
    "Credits",
    "Follower",
    "Holding",
    "Income",
    "InvalidTerms",
    "Kind",
    "ListedAsset",
    "NoMeter",
    "NoRetirement",
    "NotEnoughCredits",
    "NotEnoughMoney",
    "NotEnoughShares",
    "NotTitleHolder",
    "Offers",
    "OnChainAsset",
    "Parent",
    "PassPlan",
    "Passes",
    "Pending",
    "PlanClosed",
    "PlanRegistered",
    "PriceCard",
    "Purchase",
    "Register",
    "Registered",
    "RegistrationUnderWay",
    "RetirementAnnounced",
    "ShareHolders",
    "Token",
    "TransferPolicyNeeded",
    "UnknownAsset",
    "UnknownPlan",
    "about_calls",
    "bps_of_percent",
    "follow",
    "shares_of_percent",
]
