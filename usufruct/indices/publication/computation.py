"""From a rulebook and the prices to what is published of an index.

A published day keeps its value: later runs append days. Where corrected prices change a level by more than the
rulebook's `restatement.threshold`, that day is published again.
"""

import gzip
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import orjson

from usufruct.analytics import RowTable
from usufruct.connectors.prices import Panel
from usufruct.indices.engine import Backtest, run_index
from usufruct.indices.errors import TooFewAssets
from usufruct.indices.events import record_bytes
from usufruct.indices.history import IndexHistory, history_of
from usufruct.indices.publication.model import PublishedIndex
from usufruct.indices.publication.restatements import MOST_ROWS, reason_of, restatement_rows
from usufruct.indices.publication.rows import (
    Grades,
    holding_rows,
    listing_row,
    member_totals,
    performance_rows,
    portfolio_rows,
    rebalance_row,
    seconds_of,
    trade_rows,
)
from usufruct.indices.report import Report, make_report
from usufruct.indices.restatement import RestatementReport, restate
from usufruct.indices.rulebook import Rulebook
from usufruct.indices.sums import Vector

_NO_ASSET = -1


def publish_index(
    rulebook: Rulebook, panel: Panel, last: date, grades: Grades, before: PublishedIndex | None = None
) -> PublishedIndex:
    """Compute an index up to a day; `before` is what was published of it until now.

    Raises:
        TooFewAssets: when too few assets are eligible on every day on which it could begin.
        CapsInfeasible: when caps cannot be met, and the rulebook refuses that.
        NoTrade: when the prices end before its first trade.
    """
    kept = before if before is not None and before.rulebook.hash == rulebook.hash else None
    first = None if kept is None else datetime.fromtimestamp(kept.first_day, UTC).date()
    if first is None or first < panel.first_day:
        kept, first = None, find_start(rulebook, panel, last)
    report = make_report(rulebook, panel, first, last)
    found = report.backtest
    history = history_of(found)
    published, restated = keep_published(found, kept)
    values = published | _daily(report)
    tables = _tables(report, history, values, grades) | {
        "restatements": _restatements(found, history, values, kept, restated)
    }
    return PublishedIndex(
        rulebook,
        seconds_of(found.first_day),
        seconds_of(found.last_day),
        (0 if kept is None else kept.restatements) + bool(restated.days),
        listing_row(found, history, values, grades),
        report.as_document(),
        values,
        tables,
        history,
        np.frombuffer(gzip.compress(record_bytes(found, report.log), mtime=0), np.uint8),
    )


def find_start(rulebook: Rulebook, panel: Panel, last: date) -> date:
    """Return the archive's first day if the index can begin on it, or else the first day of a month, by bisection.

    Where it can begin in no month, that is the last one.
    """
    months = _months(panel.first_day, last)
    if _begins(rulebook, panel, panel.first_day, last):
        return panel.first_day
    too_early, enough = 0, len(months) - 1
    while enough - too_early > 1:
        middle = (too_early + enough) // 2
        if _begins(rulebook, panel, months[middle], last):
            enough = middle
        else:
            too_early = middle
    return months[enough]


def keep_published(found: Backtest, before: PublishedIndex | None) -> tuple[dict[str, Vector], RestatementReport]:
    """Return `nav` and `level` of each day, published ones as they were, and which days are published again."""
    nav, level = found.nav.copy(), found.level.copy()
    if before is None:
        return {"nav": nav, "level": level}, RestatementReport(1, (), 0.0)
    count = min(len(level), len(before.values["level"]))
    published, threshold = np.asarray(before.values["level"][:count]), found.rulebook.restatement.threshold
    report = restate(found.first_day, published, level[:count], threshold, 1 + before.restatements)
    again = np.zeros(count, dtype=bool)
    again[[(each.day - found.first_day).days for each in report.days]] = True
    nav[:count] = np.where(again, nav[:count], before.values["nav"][:count])
    level[:count] = np.where(again, level[:count], published)
    return {"nav": nav, "level": level}, report


def table(rows: Iterable[dict[str, Any]]) -> RowTable:
    """Return a table of rows that have a `DATE`."""
    made = list(rows)
    times = [int(datetime.fromisoformat(str(row["DATE"])[:10]).replace(tzinfo=UTC).timestamp()) for row in made]
    columns = np.full(len(made), _NO_ASSET, dtype=np.int64)
    return RowTable(np.array(times, dtype=np.int64), columns, [orjson.dumps(row) for row in made])


def _daily(report: Report) -> dict[str, Vector]:
    found = report.backtest
    bullish = found.signals.bullish[found.first - found.signals.first :][: len(found.nav)]
    return {"market": report.benchmark, "bullish": bullish.astype(float), **member_totals(found)}


def _tables(report: Report, history: IndexHistory, values: dict[str, Vector], grades: Grades) -> dict[str, RowTable]:
    found, newest = report.backtest, report.log[::-1]
    held = range(len(found.traded_on) - 1, -1, -1)
    return {
        "holdings": table(holding_rows(found, history, grades)),
        "performance": table(performance_rows(found, values)),
        "portfolios": table(row for at in held for row in portfolio_rows(found, at)),
        "trades": table(row for event in newest for row in trade_rows(found, event)),
        "rebalances": table(rebalance_row(event) for event in newest),
    }


def _restatements(
    found: Backtest,
    history: IndexHistory,
    values: dict[str, Vector],
    before: PublishedIndex | None,
    report: RestatementReport,
) -> RowTable:
    """Return the rows of all days that were published again, the newest restatement first."""
    if before is None:
        return table([])
    rows: list[dict[str, Any]] = []
    if report.days:
        reason = reason_of(before.history, history)
        rows = list(
            restatement_rows(report, reason, found.last_day, found.first_day, before.values["nav"], values["nav"])
        )
    return table([*rows, *before.restated_days()][:MOST_ROWS])


def _begins(rulebook: Rulebook, panel: Panel, first: date, last: date) -> bool:
    """Return whether enough assets are eligible on a day; a short run shows it."""
    try:
        run_index(rulebook, panel, first, min(last, first + timedelta(days=rulebook.calendar.delay_days)))
    except TooFewAssets:
        return False
    return True


def _months(first: date, last: date) -> Sequence[date]:
    """Return a day, and all later first days of months that leave a month before the last day."""
    days, year, month = [first], first.year, first.month
    while True:
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
        day = date(year, month, 1)
        if day + timedelta(days=31) > last:
            return days
        days.append(day)
