"""The report of a backtest: what it gained, what it lost, what it cost, and both bounds of what delistings cost."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np

from usufruct.connectors.prices import Panel
from usufruct.indices.engine import Backtest, run_index
from usufruct.indices.events import Rebalance, rebalances, record_hash
from usufruct.indices.metrics import Metrics, drawdown_of, measure, returns_of
from usufruct.indices.overlays import Overlaid, apply_overlay
from usufruct.indices.rulebook import Overlay, Rulebook
from usufruct.indices.sums import Vector
from usufruct.indices.switching import Switching, measure_switching

NO_ADVICE: Final = (
    "This is a calculation on past prices, not advice. Past results do not show the future. You can lose all of it."
)
SYNTHETIC: Final = "The prices are simulated: no figure here says anything about a real asset."
_WORST = 5


@dataclass(frozen=True, slots=True)
class Fall:
    """A loss from a peak to the lowest value before it is reached again; `recovered` is None while it is not."""

    peak: date
    lowest: date
    recovered: date | None
    loss: float


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one asset added to the value or took from it, as a part of the value at the start."""

    asset: str
    part: float


@dataclass(frozen=True, slots=True)
class Report:
    """A backtest with all that is said about it. `bounds` are total returns by what a delisted asset is worth."""

    backtest: Backtest
    overlaid: Overlaid
    log: tuple[Rebalance, ...]
    net: Metrics
    gross: Metrics
    market: Metrics
    bounds: dict[str, float]
    falls: tuple[Fall, ...]
    worst: tuple[Contribution, ...]
    best: tuple[Contribution, ...]
    ended: tuple[str, ...]
    """Assets of the data that have no price on the last day."""
    benchmark: Vector
    """Of each day the value of all assets of the right category, held by market cap; 1 at the first."""
    switching: Switching | None
    """What changes of regime cost, and the index without them; None where it has no regime."""

    @property
    def years(self) -> float:
        """The length of the range."""
        return len(self.backtest.nav) / 365

    @property
    def switches(self) -> int:
        """How often the regime changed between decisions."""
        return int(self.backtest.signals.switched.sum())

    def as_document(self) -> dict[str, Any]:
        """Return the report as JSON; daily values and the log are in the record."""
        found = self.backtest
        panel = found.data.panel
        return {
            "index": found.rulebook.name,
            "title": found.rulebook.title,
            "rulebook_hash": found.rulebook.hash,
            "record_hash": record_hash(found, self.log),
            "source": panel.source,
            "attribution": list(panel.attribution),
            "quote": panel.quote,
            "synthetic": panel.synthetic,
            "first_day": str(found.first_day),
            "last_day": str(found.last_day),
            "net": self.net.as_document(),
            "before_costs": self.gross.as_document(),
            "market_held": self.market.as_document(),
            "total_return_by_delisting_rule": self.bounds,
            "overlay": None if found.rulebook.overlay == Overlay() else self._overlay(),
            "costs": {
                "share_of_end_value": float(1 - found.nav[-1] / found.level[-1]) if found.level[-1] else 1.0,
                "turnover_a_year": float(found.traded.sum() / 2 / self.years),
            },
            "rebalances": {"count": len(self.log), **Counter(each.cause for each in self.log)},
            "regime_changes": self.switches,
            "days_bearish": int((~found.signals.bullish).sum()),
            "switching": None if self.switching is None else self.switching.as_document(),
            "largest_falls": [
                {
                    "peak": str(e.peak),
                    "lowest": str(e.lowest),
                    "recovered": _text(e.recovered),
                    "loss": e.loss,
                }
                for e in self.falls
            ],
            "lost_most": [{"asset": each.asset, "part": each.part} for each in self.worst],
            "gained_most": [{"asset": each.asset, "part": each.part} for each in self.best],
            "assets_that_ended": len(self.ended),
            "notice": NO_ADVICE,
        }

    def _overlay(self) -> dict[str, object]:
        returns = measure(returns_of(self.overlaid.nav))
        return {"net": returns.as_document(), "stop_losses": len(self.overlaid.stops)}


def _text(day: date | None) -> str | None:
    return None if day is None else str(day)


def make_report(rulebook: Rulebook, panel: Panel, first: date | None = None, last: date | None = None) -> Report:
    """Run an index and its other delisting bound, and say what came of it."""
    found = run_index(rulebook, panel, first, last)
    bounds = {}
    for value in ("last", "zero"):
        rule = rulebook.delisting.model_copy(update={"value": value})
        other = found if value == rulebook.delisting.value else run_index(
            rulebook.model_copy(update={"delisting": rule}), panel, first, last
        )  # fmt: skip
        bounds[value] = float(other.nav[-1] / other.nav[0] - 1)
    start, end = found.first, found.first + len(found.nav) - 1
    market = found.data.market_index(~found.screens.wrong_category, start, end)
    parts = contributions(found)
    gone = [each.id for at, each in enumerate(panel.assets) if not panel.close[end, at] > 0]
    traded = [each for each in gone if np.isfinite(panel.close[start : end + 1, panel.column[each]]).any()]
    return Report(
        found,
        apply_overlay(found),
        tuple(rebalances(found)),
        measure(returns_of(found.nav)),
        measure(returns_of(found.level)),
        measure(returns_of(market)),
        bounds,
        tuple(largest_falls(found)),
        tuple(each for each in parts[:_WORST] if each.part < 0),
        tuple(each for each in reversed(parts[-_WORST:]) if each.part > 0),
        tuple(traded),
        market,
        measure_switching(found, panel, first, last),
    )


def contributions(found: Backtest) -> list[Contribution]:
    """Return what each asset that was held added, the worst first: value held times its return, over all periods."""
    end = found.valued_at(found.first + len(found.nav) - 1)
    later = np.concatenate((found.prices[:, 1:], end[:, None]), axis=1)
    grown = np.divide(later, found.prices, out=np.ones_like(later), where=found.prices > 0) - 1
    value = found.nav[found.traded_on - found.first] / found.rulebook.base
    parts = (found.held * grown * value).sum(axis=1)
    named = [Contribution(asset, float(part)) for asset, part in zip(found.ids(), parts, strict=True)]
    return sorted(named, key=lambda each: (each.part, each.asset))


def largest_falls(found: Backtest, count: int = _WORST) -> list[Fall]:
    """Return the deepest falls that do not overlap, the deepest first."""
    falls = []
    depth = drawdown_of(found.nav)
    under = np.concatenate(([False], depth < 0, [False]))
    edges = np.flatnonzero(under[1:] != under[:-1])
    day = found.data.panel.day
    for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        lowest = start + int(depth[start:end].argmin())
        back = day(found.first + end) if end < len(depth) else None
        falls.append(Fall(day(found.first + start - 1), day(found.first + lowest), back, float(depth[lowest])))
    return sorted(falls, key=lambda each: each.loss)[:count]


def compare_document(reports: Sequence[Report]) -> list[dict[str, Any]]:
    """Return one row for each report: what matters side by side."""
    return [
        {
            "index": each.backtest.rulebook.name,
            "total_return": each.net.total_return,
            "annual_return": each.net.annual_return,
            "annual_volatility": each.net.annual_volatility,
            "sharpe": each.net.sharpe,
            "max_drawdown": each.net.max_drawdown,
            "costs": float(1 - each.backtest.nav[-1] / each.backtest.level[-1]),
            "turnover_a_year": float(each.backtest.traded.sum() / 2 / each.years),
        }
        for each in reports
    ]


def report_bytes(report: Report) -> bytes:
    """Return the report as JSON."""
    return (json.dumps(report.as_document(), indent=1) + "\n").encode()
