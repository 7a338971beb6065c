"""Market analytics: grades, signals and metrics of assets, each from its published formula alone."""

from usufruct.analytics.correlation import Correlated, correlations
from usufruct.analytics.grades import Grades, grade, input_digests
from usufruct.analytics.levels import Level, levels
from usufruct.analytics.market import MarketMetrics, market_metrics
from usufruct.analytics.moonshots import Moonshot, moonshots
from usufruct.analytics.quant import QuantMetrics, quant_metrics
from usufruct.analytics.scenarios import Scenario, scenarios
from usufruct.analytics.signals import Signals, signals

__all__ = [
    "Correlated",
    "Grades",
    "Level",
    "MarketMetrics",
    "Moonshot",
    "QuantMetrics",
    "Scenario",
    "Signals",
    "correlations",
    "grade",
    "input_digests",
    "levels",
    "market_metrics",
    "moonshots",
    "quant_metrics",
    "scenarios",
    "signals",
]
