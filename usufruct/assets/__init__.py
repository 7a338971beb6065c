"""Assets: AI services on the chain, the shares of their income, and passes that prepay their use.

`RegistryClient` reads one registry; `Assets`, `ShareHolders` and `Passes` are what people do there. `AssetIndexer`
keeps the tables as the chain has them and tells `Offers` what takes effect.
"""

from usufruct.assets.accrual import AccrualPolicy, Accruer, Payees, accrue_due
from usufruct.assets.errors import (
    AlreadyRegistered,
    InvalidAsset,
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
from usufruct.assets.indexer import AssetIndexer, Offers, index_assets
from usufruct.assets.model import (
    OPEN_SHARES_WARNING,
    SHARE_DECIMALS,
    SUPPLY,
    Asset,
    AssetDetails,
    Credits,
    Holding,
    Income,
    NewAsset,
    PassPlan,
    Pending,
    RevenueToken,
    bps_of_percent,
    shares_of_percent,
    symbol_of,
)
from usufruct.assets.passes import Passes, Purchase
from usufruct.assets.price_cards import TYPICAL_CALL, PricePeriod, about_calls
from usufruct.assets.registry_client import RegistryClient
from usufruct.assets.service import Announced, Assets, CardChange, Registered
from usufruct.assets.shares import Collected, ShareHolders
from usufruct.chain.contracts.asset_registry import Kind, Parent

__all__ = [
    "OPEN_SHARES_WARNING",
    "SHARE_DECIMALS",
    "SUPPLY",
    "TYPICAL_CALL",
    "AccrualPolicy",
    "Accruer",
    "AlreadyRegistered",
    "Announced",
    "Asset",
    "AssetDetails",
    "AssetIndexer",
    "Assets",
    "CardChange",
    "Collected",
    "Credits",
    "Holding",
    "Income",
    "InvalidAsset",
    "Kind",
    "NewAsset",
    "NoMeter",
    "NoRetirement",
    "NotEnoughCredits",
    "NotEnoughMoney",
    "NotEnoughShares",
    "NotTitleHolder",
    "Offers",
    "Parent",
    "PassPlan",
    "Passes",
    "Payees",
    "Pending",
    "PlanClosed",
    "PlanRegistered",
    "PricePeriod",
    "Purchase",
    "Registered",
    "RegistrationUnderWay",
    "RegistryClient",
    "RetirementAnnounced",
    "RevenueToken",
    "ShareHolders",
    "TransferPolicyNeeded",
    "UnknownAsset",
    "UnknownPlan",
    "about_calls",
    "accrue_due",
    "bps_of_percent",
    "index_assets",
    "shares_of_percent",
    "symbol_of",
]
