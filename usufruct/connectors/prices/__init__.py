"""Prices, market caps and volumes of assets: their sources, their archive, and the panel that reads them."""

from usufruct.connectors.prices.archive import Added, PriceArchive, SourceFacts
from usufruct.connectors.prices.bars import BAR_SCHEMA, Bars, Interval
from usufruct.connectors.prices.panel import STABLECOIN, WRAPPED, Asset, Matrix, Panel
from usufruct.connectors.prices.registry import AssetChange, AssetFacts
from usufruct.connectors.prices.synthetic import (
    COLLAPSED_CHAIN,
    COLLAPSED_EXCHANGE,
    COLLAPSED_STABLECOIN,
    DEPEGGED_STABLECOIN,
    LARGEST,
    MarketEvent,
    Regime,
    SyntheticMarket,
    events,
    regimes,
    synthesize,
    synthesize_supply,
)

__all__ = [
    "BAR_SCHEMA",
    "COLLAPSED_CHAIN",
    "COLLAPSED_EXCHANGE",
    "COLLAPSED_STABLECOIN",
    "DEPEGGED_STABLECOIN",
    "LARGEST",
    "STABLECOIN",
    "WRAPPED",
    "Added",
    "Asset",
    "AssetChange",
    "AssetFacts",
    "Bars",
    "Interval",
    "MarketEvent",
    "Matrix",
    "Panel",
    "PriceArchive",
    "Regime",
    "SourceFacts",
    "SyntheticMarket",
    "events",
    "regimes",
    "synthesize",
    "synthesize_supply",
]
