"""Market analytics: grades, signals and metrics of assets, each from its published formula, and the API of them.

What is exported is loaded when it is first used: most processes need no numbers, and numpy is an extra.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from usufruct.analytics.api_answer import DataState, MarketApi, Rows
    from usufruct.analytics.api_key_store import MarketKeyStore
    from usufruct.analytics.api_keys import MarketKeys
    from usufruct.analytics.api_query import InvalidParameter, Query
    from usufruct.analytics.call_sales import CallSales
    from usufruct.analytics.correlation import Correlated, find_correlations
    from usufruct.analytics.grades import Grades, grade, input_digests
    from usufruct.analytics.levels import Level, find_levels
    from usufruct.analytics.mapped_files import (
        CurrentReader,
        NoMarketData,
        current_folder,
        read_rows,
        replace_current,
        write_rows,
    )
    from usufruct.analytics.market import MarketMetrics, compute_market_metrics
    from usufruct.analytics.moonshots import Moonshot, find_moonshots
    from usufruct.analytics.page_query import PageQuery
    from usufruct.analytics.quant import QuantMetrics, compute_quant_metrics
    from usufruct.analytics.scenarios import Scenario, compute_scenarios
    from usufruct.analytics.serving import compute_snapshot, current_snapshot, explain_grade
    from usufruct.analytics.signals import Signals, compute_signals
    from usufruct.analytics.snapshot import RowTable, Selection, Snapshot, utc_moment, utc_text

__all__ = [
    "CallSales",
    "Correlated",
    "CurrentReader",
    "DataState",
    "Grades",
    "InvalidParameter",
    "Level",
    "MarketApi",
    "MarketKeyStore",
    "MarketKeys",
    "MarketMetrics",
    "Moonshot",
    "NoMarketData",
    "PageQuery",
    "QuantMetrics",
    "Query",
    "RowTable",
    "Rows",
    "Scenario",
    "Selection",
    "Signals",
    "Snapshot",
    "compute_market_metrics",
    "compute_quant_metrics",
    "compute_scenarios",
    "compute_signals",
    "compute_snapshot",
    "current_folder",
    "current_snapshot",
    "explain_grade",
    "find_correlations",
    "find_levels",
    "find_moonshots",
    "grade",
    "input_digests",
    "read_rows",
    "replace_current",
    "utc_moment",
    "utc_text",
    "write_rows",
]

_MODULES = {
    "api_answer": ("DataState", "MarketApi", "Rows"),
    "api_key_store": ("MarketKeyStore",),
    "api_keys": ("MarketKeys",),
    "api_query": ("InvalidParameter", "Query"),
    "call_sales": ("CallSales",),
    "correlation": ("Correlated", "find_correlations"),
    "grades": ("Grades", "grade", "input_digests"),
    "levels": ("Level", "find_levels"),
    "mapped_files": (
        "CurrentReader",
        "NoMarketData",
        "current_folder",
        "read_rows",
        "replace_current",
        "write_rows",
    ),
    "market": ("MarketMetrics", "compute_market_metrics"),
    "moonshots": ("Moonshot", "find_moonshots"),
    "page_query": ("PageQuery",),
    "quant": ("QuantMetrics", "compute_quant_metrics"),
    "scenarios": ("Scenario", "compute_scenarios"),
    "serving": ("compute_snapshot", "current_snapshot", "explain_grade"),
    "signals": ("Signals", "compute_signals"),
    "snapshot": ("RowTable", "Selection", "Snapshot", "utc_moment", "utc_text"),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Load what is exported."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
