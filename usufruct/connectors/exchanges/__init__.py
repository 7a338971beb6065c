"""Bars, tickers and trades of any exchange that ccxt knows, mapped to assets, and one price from several venues."""

from usufruct.connectors.exchanges.bar_source import ExchangeBars
from usufruct.connectors.exchanges.errors import (
    InvalidSymbols,
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
from usufruct.connectors.exchanges.live import LivePrice, LiveTrade, live_prices, live_trades
from usufruct.connectors.exchanges.median import Fixing, OutlierRule, Refusal, VenueMedian, weighted_median
from usufruct.connectors.exchanges.median_source import MedianBars
from usufruct.connectors.exchanges.pacing import Pacing
from usufruct.connectors.exchanges.symbol_table import SymbolTable, TradedSymbol, next_day, read_symbols
from usufruct.connectors.exchanges.venue import Candle, CandlePage, Ticker, Trade, Venue, VenueSettings

__all__ = [
    "Candle",
    "CandlePage",
    "ExchangeBars",
    "Fixing",
    "InvalidSymbols",
    "LivePrice",
    "LiveTrade",
    "MedianBars",
    "OutlierRule",
    "Pacing",
    "Refusal",
    "SymbolTable",
    "Ticker",
    "Trade",
    "TradedSymbol",
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
    "next_day",
    "read_symbols",
    "weighted_median",
]
