"""The report of a backtest as one HTML file: no script, nothing loaded from elsewhere."""

from collections.abc import Iterable, Sequence
from html import escape
from itertools import groupby

import numpy as np

from usufruct.indices.metrics import drawdown_of
from usufruct.indices.report import NO_ADVICE, SYNTHETIC, Report
from usufruct.indices.sums import Vector
from usufruct.indices.switching import WHIPSAW_DAYS
from usufruct.web.ui import bar_chart, chart_file, line_chart, spaced

_MOST_POINTS = 400
_MOST_BARS = 60
_LARGEST = 12
_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0; }
th, td { text-align: left; padding: .25rem .5rem; border-bottom: 1px solid light-dark(#dedfdb, #30353c); }
td:not(:first-child), th:not(:first-child) { text-align: right; font-variant-numeric: tabular-nums; }
.notice { border: 2px solid light-dark(#a33, #f77); padding: .5rem 1rem; }
.hash { font-family: ui-monospace, monospace; overflow-wrap: anywhere; }
svg { width: 100%; height: auto; margin: 1rem 0; }
"""


def report_page(report: Report) -> str:
    """Return the page."""
    found = report.backtest
    rulebook, panel = found.rulebook, found.data.panel
    notices = [NO_ADVICE, *([SYNTHETIC] if panel.synthetic else [])]
    body = [
        f"<h1>{escape(rulebook.title)}</h1>",
        f"<p>{escape(rulebook.description)} From {found.first_day} to {found.last_day}.</p>",
        *(f'<p class="notice">{escape(each)}</p>' for each in notices),
        _summary(report),
        _switching(report),
        *_charts(report),
        _losses(report),
        _last_holdings(report),
        f"<h2>Replay</h2><p>Source: {escape(panel.source or 'not named')}, in {escape(panel.quote)}.</p>",
        *(f"<p>{escape(each)}</p>" for each in panel.attribution),
        f'<p class="hash">rulebook {rulebook.hash}<br>last input {report.log[-1].input_hash}</p>',
    ]
    title = f"<title>{escape(rulebook.title)}</title>"
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width">{title}<style>{_STYLE}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{"".join(body)}</body></html>\n'


def percent(value: float) -> str:
    """Return a share as percent with one decimal."""
    return f"{value:+.1%}" if np.isfinite(value) else "-"


def _summary(report: Report) -> str:
    rows: list[tuple[str, ...]] = [("", "Index, after costs", "Before costs", "All eligible assets, held")]
    names = [("Total return", "total_return"), ("A year", "annual_return"), ("Volatility a year", "annual_volatility")]
    names += [("Largest fall", "max_drawdown"), ("Worst 5 % of days", "conditional_value_at_risk")]
    for label, name in names:
        rows.append((label, *(percent(getattr(each, name)) for each in (report.net, report.gross, report.market))))
    for label, name in (("Sharpe", "sharpe"), ("Sortino", "sortino"), ("Calmar", "calmar")):
        rows.append((label, *(f"{getattr(each, name):.2f}" for each in (report.net, report.gross, report.market))))
    found = report.backtest
    facts = [
        ("Rebalances", str(len(report.log))),
        ("Changes of regime", str(report.switches)),
        ("Turnover a year", f"{found.traded.sum() / 2 / report.years:.1f} times the value"),
        ("Costs, of the end value", f"{1 - found.nav[-1] / found.level[-1]:.1%}"),
        ("Total return, delisted assets at their last price", percent(report.bounds["last"])),
        ("Total return, delisted assets at 0", percent(report.bounds["zero"])),
        ("Assets of the data that ended", str(len(report.ended))),
    ]
    if report.overlaid.nav is not found.nav:
        facts.append(("Total return with the overlay", percent(report.overlaid.nav[-1] / report.overlaid.nav[0] - 1)))
    return f"<h2>Result</h2>{_table(rows)}{_table(facts, head=False)}"


def _switching(report: Report) -> str:
    """Set the index with its changes of regime beside the one that never changes, both after costs."""
    found = report.switching
    if found is None:
        return ""
    facts = [
        ("Changes of regime that were traded", str(found.changes)),
        ("Turnover of the changes", f"{found.turnover:.1f} times the value"),
        ("Cost of the changes, of the value", f"{found.cost:.2%}"),
        (f"Of these undone within {WHIPSAW_DAYS} days", str(found.whipsaws)),
        ("Cost of those and of their undoing", f"{found.whipsaw_cost:.2%}"),
    ]
    table = "<p>Without the regime its rules are infeasible on some day.</p>"
    if found.without is not None:
        rows: list[tuple[str, ...]] = [("After costs", "With switching", "Without")]
        both = (report.net, found.without)
        for label, name in (
            ("Total return", "total_return"),
            ("Volatility a year", "annual_volatility"),
            ("Largest fall", "max_drawdown"),
        ):
            rows.append((label, *(percent(getattr(each, name)) for each in both)))
        rows.append(("Sharpe", *(f"{each.sharpe:.2f}" for each in both)))
        table = _table(rows)
    return f"<h2>With and without switching</h2>{table}{_table(facts, head=False)}"


def _charts(report: Report) -> Iterable[str]:
    found = report.backtest
    days = [str(found.data.panel.day(found.first + at)) for at in range(len(found.nav))]
    yield chart_file("Value", f"after costs, {found.rulebook.base:g} at the start", line_chart(_thin(days, found.nav)))
    fall = 100 * drawdown_of(found.nav)
    yield chart_file("Drawdown", "percent under the highest value before", line_chart(_thin(days, fall)))
    if found.rulebook.regime is not None:
        yield _regimes(report)
    count = (found.held > 0).sum(axis=0).astype(float)
    traded = [str(each.traded) for each in report.log]
    yield chart_file("Assets held", "after each rebalance", line_chart(_thin(traded, count)))
    years = np.array([each.traded.year for each in report.log])
    turnover = [(str(year), float(found.traded[years == year].sum() / 2)) for year in sorted(set(years.tolist()))]
    yield chart_file("Turnover", "half of what was bought and sold in a year, in times the value", bar_chart(turnover))
    cost = [(str(year), 100 * float(1 - found.kept[years == year].prod())) for year in sorted(set(years.tolist()))]
    yield chart_file("Costs", "percent of the value in a year", bar_chart(cost))


def _regimes(report: Report) -> str:
    """Draw one strip: bullish days light, bearish days dark."""
    states = report.backtest.signals.bullish
    parts, at = [], 0
    for state, run in groupby(states.tolist()):
        length = len(list(run))
        left, width = (640 * each / len(states) for each in (at, length))
        shade = "light-dark(#0b6e4f, #4cc38a)" if state else "light-dark(#b3541e, #f0a060)"
        parts.append(f'<rect x="{left:.1f}" y="0" width="{width:.1f}" height="40" style="fill: {shade}"/>')
        at += length
    label = f"{int((~states).sum())} of {len(states)} days bearish"
    return (
        f"<h3>Regime</h3><p>Green: bullish. Orange: bearish, {escape(label)}.</p>"
        f'<svg viewBox="0 0 640 40" role="img" aria-label="Regime: {escape(label)}">{"".join(parts)}</svg>'
    )


def _losses(report: Report) -> str:
    falls = [("Peak", "Lowest", "Back at the peak", "Loss")]
    falls += [(str(e.peak), str(e.lowest), str(e.recovered or "not yet"), percent(e.loss)) for e in report.falls]
    worst = [("Asset", "Part of the value at the start"), *((e.asset, percent(e.part)) for e in report.worst)]
    best = [("Asset", "Part of the value at the start"), *((e.asset, percent(e.part)) for e in report.best)]
    lost = _table(worst) if report.worst else "<p>No asset lost over the whole range.</p>"
    return f"<h2>What lost</h2>{_table(falls)}{lost}<h2>What gained</h2>{_table(best)}"


def _last_holdings(report: Report) -> str:
    last = report.log[-1]
    ranked = sorted(last.holdings, key=lambda each: (-each.weight, each.asset))
    rows = [("Asset", "Weight"), *((each.asset, f"{each.weight:.2%}") for each in ranked[:_LARGEST])]
    rest = sum(each.weight for each in ranked[_LARGEST:])
    rows += [(f"{len(ranked) - _LARGEST} more", f"{rest:.2%}")] if rest else []
    rows += [("Cash", f"{last.cash:.2%}")] if last.cash else []
    return f"<h2>Holdings since {last.traded}</h2>{_table(rows)}"


def _table(rows: Sequence[Sequence[str]], *, head: bool = True) -> str:
    lines = []
    for number, row in enumerate(rows):
        cell = "th" if head and number == 0 else "td"
        lines.append("<tr>" + "".join(f"<{cell}>{escape(each)}</{cell}>" for each in row) + "</tr>")
    return f"<table>{''.join(lines)}</table>"


def _thin(labels: Sequence[str], values: Vector) -> list[tuple[str, float]]:
    """Return at most some hundred of the points, the last among them."""
    return [(labels[at], float(values[at])) for at in spaced(len(values), _MOST_POINTS)]
