"""A simulated market with births, deaths, collapses and regimes: what the demo and tests run on. Never real prices."""

from usufruct.connectors.prices.synthetic.cast import (
    COLLAPSED_CHAIN,
    COLLAPSED_EXCHANGE,
    COLLAPSED_STABLECOIN,
    DEPEGGED_STABLECOIN,
    LARGEST,
)
from usufruct.connectors.prices.synthetic.events import events
from usufruct.connectors.prices.synthetic.hours import synthesize_bars
from usufruct.connectors.prices.synthetic.market import MarketEvent, SyntheticMarket
from usufruct.connectors.prices.synthetic.news import SyntheticHeadline, synthesize_news
from usufruct.connectors.prices.synthetic.paths import synthesize, synthesize_supply
from usufruct.connectors.prices.synthetic.regimes import Regime, regimes
from usufruct.connectors.prices.synthetic.source import SyntheticSource

__all__ = [
    "COLLAPSED_CHAIN",
    "COLLAPSED_EXCHANGE",
    "COLLAPSED_STABLECOIN",
    "DEPEGGED_STABLECOIN",
    "LARGEST",
    "MarketEvent",
    "Regime",
    "SyntheticHeadline",
    "SyntheticMarket",
    "SyntheticSource",
    "events",
    "regimes",
    "synthesize",
    "synthesize_bars",
    "synthesize_news",
    "synthesize_supply",
]
