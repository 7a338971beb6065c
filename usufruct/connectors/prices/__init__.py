"""Prices, market caps and volumes of assets: their sources, their archive, and the panel that reads them."""

from usufruct.connectors.prices.archive import PriceArchive, SourceFacts
from usufruct.connectors.prices.bars import BAR_SCHEMA, Bars, Interval
from usufruct.connectors.prices.check import check
from usufruct.connectors.prices.files import PriceFile, read_descriptions
from usufruct.connectors.prices.ingest import ImportReport, ingest
from usufruct.connectors.prices.panel import STABLECOIN, WRAPPED, Asset, Matrix, Panel
from usufruct.connectors.prices.registry import AssetChange, AssetFacts
from usufruct.connectors.prices.rules import CheckRules, Finding, SourceRule
from usufruct.connectors.prices.source import BATCH_SCHEMA, REFUSED_SCHEMA, Batch, Source
from usufruct.connectors.prices.synthetic import (
    COLLAPSED_CHAIN,
    COLLAPSED_EXCHANGE,
    COLLAPSED_STABLECOIN,
    DEPEGGED_STABLECOIN,
    LARGEST,
    MarketEvent,
    Regime,
    SyntheticHeadline,
    SyntheticMarket,
    SyntheticSource,
    events,
    regimes,
    synthesize,
    synthesize_bars,
    synthesize_news,
    synthesize_supply,
)

__all__ = [
    "BAR_SCHEMA",
    "BATCH_SCHEMA",
    "COLLAPSED_CHAIN",
    "COLLAPSED_EXCHANGE",
    "COLLAPSED_STABLECOIN",
    "DEPEGGED_STABLECOIN",
    "LARGEST",
    "REFUSED_SCHEMA",
    "STABLECOIN",
    "WRAPPED",
    "Asset",
    "AssetChange",
    "AssetFacts",
    "Bars",
    "Batch",
    "CheckRules",
    "Finding",
    "ImportReport",
    "Interval",
    "MarketEvent",
    "Matrix",
    "Panel",
    "PriceArchive",
    "PriceFile",
    "Regime",
    "Source",
    "SourceFacts",
    "SourceRule",
    "SyntheticHeadline",
    "SyntheticMarket",
    "SyntheticSource",
    "check",
    "events",
    "ingest",
    "read_descriptions",
    "regimes",
    "synthesize",
    "synthesize_bars",
    "synthesize_news",
    "synthesize_supply",
]
