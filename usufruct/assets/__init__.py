"""Assets: AI services on the chain, what is sold of them, the shares of their income, and passes that prepay their use.

`Listings` are what is sold here. `RegistryClient` reads one registry; `Assets`, `ShareHolders` and `Passes` are what
people do there. `AssetIndexer` keeps the tables as the chain has them, and has the listings follow.
"""

from usufruct.assets.errors import InvalidListing, ListingExists, UnknownListing
from usufruct.assets.indexer import AssetIndexer
from usufruct.assets.listings import Listings
from usufruct.assets.model import (
    SHARE_DECIMALS,
    SUPPLY,
    USUAL_WINDOW,
    Asset,
    AssetDetails,
    Caps,
    Credits,
    FreeSample,
    Holding,
    Listing,
    PassPlan,
    RevenueToken,
    SharesIncome,
    bps_of_percent,
    check_listing,
    plain_listing_id,
    shares_of_percent,
)
from usufruct.assets.passes import Passes
from usufruct.assets.price_cards import PricePeriod, about_calls
from usufruct.assets.price_text import FREE, price_facts, read_card_change
from usufruct.assets.registration import (
    OPEN_SHARES_WARNING,
    NewAsset,
    check_new_asset,
    check_owners,
    symbol_of,
)
from usufruct.assets.registry_client import RegistryClient, execute_once, registry_creation
from usufruct.assets.service import Assets, CardChange
from usufruct.assets.shares import ShareHolders
from usufruct.assets.store import asset_kinds

__all__ = [
    "FREE",
    "OPEN_SHARES_WARNING",
    "SHARE_DECIMALS",
    "SUPPLY",
    "USUAL_WINDOW",
    "Asset",
    "AssetDetails",
    "AssetIndexer",
    "Assets",
    "Caps",
    "CardChange",
    "Credits",
    "FreeSample",
    "Holding",
    "InvalidListing",
    "Listing",
    "ListingExists",
    "Listings",
    "NewAsset",
    "PassPlan",
    "Passes",
    "PricePeriod",
    "RegistryClient",
    "RevenueToken",
    "ShareHolders",
    "SharesIncome",
    "UnknownListing",
    "about_calls",
    "asset_kinds",
    "bps_of_percent",
    "check_listing",
    "check_new_asset",
    "check_owners",
    "execute_once",
    "plain_listing_id",
    "price_facts",
    "read_card_change",
    "registry_creation",
    "shares_of_percent",
    "symbol_of",
]
