"""Prices, market caps and volumes of assets: their sources, their archive, and the panel that reads them."""

from usufruct.connectors.prices.panel import STABLECOIN, WRAPPED, Asset, Matrix, Panel
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
    "COLLAPSED_CHAIN",
    "COLLAPSED_EXCHANGE",
    "COLLAPSED_STABLECOIN",
    "DEPEGGED_STABLECOIN",
    "LARGEST",
    "STABLECOIN",
    "WRAPPED",
    "Asset",
    "MarketEvent",
    "Matrix",
    "Panel",
    "Regime",
    "SyntheticMarket",
    "events",
    "regimes",
    "synthesize",
    "synthesize_supply",
]
