"""Bars, tickers and trades of any exchange that ccxt knows, mapped to assets, and one price from several venues."""

from usufruct.connectors.exchanges.bar_source import ExchangeBars
from usufruct.connectors.exchanges.errors import (
    InvalidListing,
    UnconvertedQuote,
    UnknownVenue,
    UnlistedSymbol,
    UnmappedAsset,
    VenueLacks,
    VenueRateLimited,
    VenueRefused,
    VenueTimedOut,
    VenueUnavailable,
    VenueUnreadable,
)
from usufruct.connectors.exchanges.listings import Listing, Listings, read_listings
from usufruct.connectors.exchanges.live import LivePrice, LiveTrade, live_prices, live_trades
from usufruct.connectors.exchanges.median import Fixing, OutlierRule, Refusal, VenueMedian, weighted_median
from usufruct.connectors.exchanges.median_source import MedianBars
from usufruct.connectors.exchanges.pacing import Pacing
from usufruct.connectors.exchanges.venue import Candle, CandlePage, Ticker, Trade, Venue, VenueSettings

__all__ = [
    "Candle",
    "CandlePage",
    "ExchangeBars",
    "Fixing",
    "InvalidListing",
    "Listing",
    "Listings",
    "LivePrice",
    "LiveTrade",
    "MedianBars",
    "OutlierRule",
    "Pacing",
    "Refusal",
    "Ticker",
    "Trade",
    "UnconvertedQuote",
    "UnknownVenue",
    "UnlistedSymbol",
    "UnmappedAsset",
    "Venue",
    "VenueLacks",
    "VenueMedian",
    "VenueRateLimited",
    "VenueRefused",
    "VenueSettings",
    "VenueTimedOut",
    "VenueUnavailable",
    "VenueUnreadable",
    "live_prices",
    "live_trades",
    "read_listings",
    "weighted_median",
]
