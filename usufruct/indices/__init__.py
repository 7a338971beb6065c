"""Rule-based indices: rulebooks, the engine that computes them, reports and positions."""

from usufruct.indices.errors import CapsInfeasible, InvalidRulebook, NoTrade, TooFewAssets, UnknownRulebook
from usufruct.indices.metrics import Metrics, drawdown_of, measure, returns_of
from usufruct.indices.rulebook import Rulebook, load_rulebook, parse_rulebook, shipped, shipped_text

__all__ = [
    "CapsInfeasible",
    "InvalidRulebook",
    "Metrics",
    "NoTrade",
    "Rulebook",
    "TooFewAssets",
    "UnknownRulebook",
    "drawdown_of",
    "load_rulebook",
    "measure",
    "parse_rulebook",
    "returns_of",
    "shipped",
    "shipped_text",
]
