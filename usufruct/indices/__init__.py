"""Rule-based indices: rulebooks, the engine that computes them, reports and positions.

What is exported is loaded when it is first used: a server without indices needs no numbers, and numpy is an extra.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from usufruct.indices.engine import Backtest, run_index
    from usufruct.indices.errors import (
        CapsInfeasible,
        InvalidRecord,
        InvalidRulebook,
        NoTrade,
        TooFewAssets,
        UnknownRulebook,
    )
    from usufruct.indices.events import Rebalance, rebalances, record, record_bytes, record_hash
    from usufruct.indices.history import history_of
    from usufruct.indices.lots import tax_lots_csv
    from usufruct.indices.markov import TwoStates, filtered, fit
    from usufruct.indices.metrics import Metrics, measure, returns_of
    from usufruct.indices.overlays import apply_overlay
    from usufruct.indices.position import Position, open_position
    from usufruct.indices.report import NO_ADVICE, Report, compare_document, make_report, report_bytes
    from usufruct.indices.report_html import percent, report_page
    from usufruct.indices.restatement import restate
    from usufruct.indices.rulebook import Rulebook, load_rulebook, parse_rulebook, shipped, shipped_text
    from usufruct.indices.switching import WHIPSAW_DAYS
    from usufruct.indices.verification import read_record, verify_record

__all__ = [
    "NO_ADVICE",
    "WHIPSAW_DAYS",
    "Backtest",
    "CapsInfeasible",
    "InvalidRecord",
    "InvalidRulebook",
    "Metrics",
    "NoTrade",
    "Position",
    "Rebalance",
    "Report",
    "Rulebook",
    "TooFewAssets",
    "TwoStates",
    "UnknownRulebook",
    "apply_overlay",
    "compare_document",
    "filtered",
    "fit",
    "history_of",
    "load_rulebook",
    "make_report",
    "measure",
    "open_position",
    "parse_rulebook",
    "percent",
    "read_record",
    "rebalances",
    "record",
    "record_bytes",
    "record_hash",
    "report_bytes",
    "report_page",
    "restate",
    "returns_of",
    "run_index",
    "shipped",
    "shipped_text",
    "tax_lots_csv",
    "verify_record",
]

_MODULES = {
    "engine": ("Backtest", "run_index"),
    "errors": ("CapsInfeasible", "InvalidRecord", "InvalidRulebook", "NoTrade", "TooFewAssets", "UnknownRulebook"),
    "events": ("Rebalance", "rebalances", "record", "record_bytes", "record_hash"),
    "history": ("history_of",),
    "lots": ("tax_lots_csv",),
    "markov": ("TwoStates", "filtered", "fit"),
    "metrics": ("Metrics", "measure", "returns_of"),
    "overlays": ("apply_overlay",),
    "position": ("Position", "open_position"),
    "report": ("NO_ADVICE", "Report", "compare_document", "make_report", "report_bytes"),
    "report_html": ("percent", "report_page"),
    "restatement": ("restate",),
    "rulebook": ("Rulebook", "load_rulebook", "parse_rulebook", "shipped", "shipped_text"),
    "switching": ("WHIPSAW_DAYS",),
    "verification": ("read_record", "verify_record"),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Load what is exported."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
