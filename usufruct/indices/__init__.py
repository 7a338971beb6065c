"""Rule-based indices: rulebooks, the engine that computes them, reports and positions."""

from usufruct.indices.engine import Backtest, run_index
from usufruct.indices.errors import CapsInfeasible, InvalidRulebook, NoTrade, TooFewAssets, UnknownRulebook
from usufruct.indices.events import Holding, Move, Rebalance, rebalances, record, record_bytes, record_hash
from usufruct.indices.markov import TwoStates, filtered, fit
from usufruct.indices.metrics import Metrics, drawdown_of, measure, returns_of
from usufruct.indices.orders import Order, exchange_orders, last_prices, target_weights, vault_weights
from usufruct.indices.overlays import Overlaid, apply_overlay
from usufruct.indices.position import Position, open_position, tax_lots_csv
from usufruct.indices.restatement import RestatementReport, restate
from usufruct.indices.rulebook import Rulebook, load_rulebook, parse_rulebook, shipped, shipped_text

__all__ = [
    "Backtest",
    "CapsInfeasible",
    "Holding",
    "InvalidRulebook",
    "Metrics",
    "Move",
    "NoTrade",
    "Order",
    "Overlaid",
    "Position",
    "Rebalance",
    "RestatementReport",
    "Rulebook",
    "TooFewAssets",
    "TwoStates",
    "UnknownRulebook",
    "apply_overlay",
    "drawdown_of",
    "exchange_orders",
    "filtered",
    "fit",
    "last_prices",
    "load_rulebook",
    "measure",
    "open_position",
    "parse_rulebook",
    "rebalances",
    "record",
    "record_bytes",
    "record_hash",
    "restate",
    "returns_of",
    "run_index",
    "shipped",
    "shipped_text",
    "target_weights",
    "tax_lots_csv",
    "vault_weights",
]
