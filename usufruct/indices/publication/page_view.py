"""What pages show of published indices: a list, one index, its rebalances; each is a document that is JSON too."""

from collections.abc import Sequence
from datetime import date
from math import ceil
from typing import Any, Final

import numpy as np
import orjson

from usufruct.analytics import DataState, InvalidParameter, RowTable, utc_text
from usufruct.core import DAY_SECONDS, NotFound
from usufruct.indices.events import NOT_TRADED
from usufruct.indices.metrics import drawdown_of
from usufruct.indices.publication.model import IndexTables, PublishedIndex
from usufruct.indices.publication.rows import seconds_of
from usufruct.web.ui import outlined, spaced
from usufruct_client.index_page_documents import (
    DelistingBounds,
    IndexContribution,
    IndexCosts,
    IndexFacts,
    IndexHolding,
    IndexLine,
    IndexList,
    IndexMoveLine,
    IndexPoint,
    IndexRebalance,
    IndexRebalanceFacts,
    IndexRebalances,
    IndexRestatedDay,
    IndexRestatements,
    IndexSource,
    MissingIndex,
    ReturnFigures,
)
from usufruct_client.series_documents import DailySeries, SeriesLine

PAGE_REBALANCES: Final = 25
PAGE_RESTATED: Final = 50
MOST_POINTS: Final = 72
MOST_DAYS: Final = 2_000
"""Points of an interactive chart."""
_NEWEST: Final = 5
"""Rebalances on the page of an index, moves of the newest one, and days that were restated."""


class UnknownRebalance(NotFound, code="unknown_rebalance"):
    """The index did not trade on this day."""


def index_list(tables: IndexTables, state: DataState) -> IndexList:
    """Return all indices, in the order of their names."""
    lines = [index_line(each) for each in tables.indices]
    missing = [MissingIndex(name, reason) for name, reason in tables.failures.items()]
    return IndexList(index_source(state), lines, missing)


def index_facts(index: PublishedIndex, state: DataState) -> IndexFacts:
    """Return all that a page shows of an index."""
    report, costs, rebalances = index.report, index.rulebook.costs, index.tables["rebalances"]
    newest = _moves(index, int(rebalances.times[0]))
    return IndexFacts(
        source=index_source(state),
        index=index_line(index),
        first_day=day_text(index.first_day),
        chart=_chart(index),
        holdings=[_holding(orjson.loads(each)) for each in index.tables["holdings"].rows],
        cash=index.listing["CASH"],
        rebalances=_rebalances(index, 0, _NEWEST),
        rebalance_count=len(rebalances.rows),
        newest=newest[:_NEWEST],
        net=return_figures(report["net"]),
        before_costs=return_figures(report["before_costs"]),
        market=return_figures(report["market_held"]),
        bounds=DelistingBounds(**report["total_return_by_delisting_rule"]),
        ended=report["assets_that_ended"],
        lost_most=[IndexContribution(each["asset"], each["part"]) for each in report["lost_most"]],
        costs=IndexCosts(
            costs.fee_bps,
            costs.half_spread_bps,
            costs.impact,
            costs.gas_per_trade,
            report["costs"]["share_of_end_value"],
            report["costs"]["turnover_a_year"],
        ),
        restatements=index.restatements,
        restated=_restated(index, 0, _NEWEST),
        regime_changes=report["regime_changes"],
        rulebook=index.rulebook.model_dump(mode="json"),
        rulebook_hash=index.rulebook.hash,
        record_hash=report["record_hash"],
    )


def index_rebalances(index: PublishedIndex, state: DataState, page: int = 1) -> IndexRebalances:
    """Return a page of the rebalances, the newest first; a page after the last one is the last."""
    count = len(index.tables["rebalances"].rows)
    pages = max(1, ceil(count / PAGE_REBALANCES))
    shown = min(page, pages)
    found = _rebalances(index, (shown - 1) * PAGE_REBALANCES, shown * PAGE_REBALANCES)
    return IndexRebalances(index_source(state), index_line(index), found, count, shown, pages)


def index_restatements(index: PublishedIndex, state: DataState, page: int = 1) -> IndexRestatements:
    """Return a page of the days that were published again; a page after the last one is the last."""
    count = len(index.tables["restatements"].rows)
    pages = max(1, ceil(count / PAGE_RESTATED))
    shown = min(page, pages)
    found = _restated(index, (shown - 1) * PAGE_RESTATED, shown * PAGE_RESTATED)
    return IndexRestatements(index_source(state), index_line(index), found, count, shown, pages)


def rebalance_facts(index: PublishedIndex, state: DataState, day: str) -> IndexRebalanceFacts:
    """Return the rebalance that was traded on a day, with all its moves.

    Raises:
        InvalidParameter: when the text is not a day.
        UnknownRebalance: when the index did not trade on it.
    """
    try:
        at = seconds_of(date.fromisoformat(day))
    except ValueError as error:
        raise InvalidParameter(f"{day[:20]!r} is not a day; write YYYY-MM-DD", field="day") from error
    rows = _rows_of(index.tables["rebalances"], at)
    if not rows:
        raise UnknownRebalance(f"{index.rulebook.name} did not trade on {day[:20]}", field="day")
    rebalance = _rebalance(index, orjson.loads(rows[0]))
    return IndexRebalanceFacts(index_source(state), index_line(index), rebalance, _moves(index, at))


def index_source(state: DataState) -> IndexSource:
    """Return what figures are made of."""
    return IndexSource(state.as_of, state.stale, state.synthetic, state.source, list(state.attribution))


def index_line(index: PublishedIndex) -> IndexLine:
    """Return what a list shows of an index."""
    nav, listing = index.values["nav"], index.listing
    day, month, year = (float(nav[-1] / nav[-1 - days] - 1) if len(nav) > days else None for days in (1, 30, 365))
    return IndexLine(
        id=index.rulebook.name,
        number=index.number,
        title=index.rulebook.title,
        description=index.rulebook.description,
        day=day_text(index.last_day),
        value=float(nav[-1]),
        day_change=day,
        month_change=month,
        year_change=year,
        regime=listing["REGIME"],
        holdings=listing["COINS"],
        failure=index.failure,
    )


def index_series(index: PublishedIndex) -> DailySeries:
    """Return the value of an index after costs, and of its benchmark, since its first day."""
    nav = np.asarray(index.values["nav"])
    value = [known(each) for each in nav]
    market = [known(each) for each in np.asarray(index.values["market"]) * nav[0]]
    kept = outlined(value, MOST_DAYS)
    return DailySeries(
        days=len(value),
        times=[index.first_day + at * DAY_SECONDS for at in kept],
        lines=[
            SeriesLine("value", [value[at] for at in kept]),
            SeriesLine("market", [market[at] for at in kept]),
        ],
    )


def _chart(index: PublishedIndex) -> list[IndexPoint]:
    """Return the points of the charts: the value of their day, and the deepest fall since the point before."""
    nav = np.asarray(index.values["nav"])
    market = np.asarray(index.values["market"]) * nav[0]
    falls, bullish = drawdown_of(nav), index.values["bullish"]
    points, after = [], 0
    for at in spaced(len(nav), MOST_POINTS):
        points.append(
            IndexPoint(
                day=day_text(index.first_day + at * DAY_SECONDS),
                value=known(nav[at]),
                market=known(market[at]),
                drawdown=known(falls[after : at + 1].min()),
                regime=None if index.rulebook.regime is None else "bullish" if bullish[at] else "bearish",
            )
        )
        after = at + 1
    return points


def _holding(row: dict[str, Any]) -> IndexHolding:
    return IndexHolding(
        row["CG_ID"],
        row["TOKEN_SYMBOL"],
        row["TOKEN_NAME"],
        row["WEIGHT"],
        row["PRICE"],
        row["CURRENT_ROI"],
        row["MARKET_CAP"],
    )


def _rebalances(index: PublishedIndex, first: int, end: int) -> list[IndexRebalance]:
    rows = index.tables["rebalances"].rows
    return [_rebalance(index, orjson.loads(rows[at])) for at in range(first, min(end, len(rows)))]


def _restated(index: PublishedIndex, first: int, end: int) -> list[IndexRestatedDay]:
    return [
        IndexRestatedDay(
            day=row["DATE"],
            version=row["VERSION"],
            restated=row["RESTATED"],
            value_before=row["VALUE_BEFORE"],
            value=row["VALUE"],
            level_before=row["LEVEL_BEFORE"],
            level=row["LEVEL"],
            reason=row["REASON"],
        )
        for row in map(orjson.loads, index.tables["restatements"].rows[first:end])
    ]


def _rebalance(index: PublishedIndex, row: dict[str, Any]) -> IndexRebalance:
    traded = seconds_of(date.fromisoformat(row["DATE"]))
    return IndexRebalance(
        day=row["DATE"],
        decided=row["DECIDED"],
        cause=row["CAUSE"],
        regime=None if index.rulebook.regime is None else row["REGIME"],
        turnover=row["TURNOVER"],
        cost=row["COST"],
        cash=row["CASH"],
        eligible=row["ELIGIBLE"],
        holdings=row["HOLDINGS"],
        trades=sum(not each.reason.endswith(NOT_TRADED) for each in _moves(index, traded)),
        notes=row["NOTES"],
        input_hash=row["INPUT_HASH"],
    )


def _moves(index: PublishedIndex, at: int) -> list[IndexMoveLine]:
    rows = map(orjson.loads, _rows_of(index.tables["trades"], at))
    return [
        IndexMoveLine(
            row["CG_ID"], row["TOKEN_SYMBOL"], row["TOKEN_NAME"], row["WEIGHT_BEFORE"], row["WEIGHT"], row["REASON"]
        )
        for row in rows
    ]


def _rows_of(table: RowTable, at: int) -> Sequence[bytes]:
    """Return the rows of a moment."""
    return [table.rows[each] for each in np.flatnonzero(table.times == at).tolist()]


def return_figures(measures: dict[str, float | None]) -> ReturnFigures:
    """Return the measures that pages show."""
    return ReturnFigures(
        measures["total_return"],
        measures["annual_return"],
        measures["annual_volatility"],
        measures["sharpe"],
        measures["max_drawdown"],
    )


def day_text(seconds: int) -> str:
    """Return the day of a moment, YYYY-MM-DD."""
    return utc_text(seconds)[:10]


def known(value: float) -> float | None:
    """Return a figure; None where it is not known."""
    plain = float(value)
    return plain if np.isfinite(plain) else None
