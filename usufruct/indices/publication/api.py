"""The routes of `/v2` about indices, in the words that clients of Token Metrics' API read."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Final

import numpy as np
import orjson

from usufruct.analytics import (
    CurrentReader,
    DataState,
    InvalidParameter,
    MarketApi,
    Query,
    Rows,
    RowTable,
    Selection,
    utc_text,
)
from usufruct.core import DAY_SECONDS, Clock
from usufruct.indices.publication.model import IndexTables, PublishedIndex, UnknownIndex, is_active
from usufruct.indices.publication.rows import seconds_of
from usufruct.web import Parameter, RawRoute
from usufruct_client.index_data_documents import (
    IndexConstituent,
    IndexDay,
    IndexPortfolioPart,
    IndexTrade,
    ListedIndex,
)
from usufruct_client.market_data_documents import Row

_ID: Final[dict[str, str | Parameter]] = {"id": "the index: an ID or a SLUG of `/v2/indices`"}
_INDEX_ID: Final[dict[str, str | Parameter]] = {"index_id": _ID["id"]}
_DATE: Final[dict[str, str | Parameter]] = {
    "date": Parameter(
        "what was held on this day, YYYY-MM-DD; if not given, on the last", {"type": "string", "format": "date"}
    )
}
_TYPES: Final = ("active", "passive")
_TYPE: Final = {"indicesType": Parameter("both if not given", {"enum": list(_TYPES)})}
_CASH_SHOWN: Final = 0.00005


class CurrentIndices:
    """What is published now, and whether it is stale."""

    def __init__(self, reader: CurrentReader[IndexTables], clock: Clock) -> None:
        self._reader = reader
        self._clock = clock

    @property
    def clock(self) -> Clock:
        """What age is measured by."""
        return self._clock

    @property
    def tables(self) -> IndexTables:
        """Return it; raises NoMarketData."""
        return self._reader.current()

    def state(self) -> DataState:
        """Return what answers are made of now."""
        found = self.tables
        return DataState.of_days(
            found.id,
            found.last_day,
            self._clock.now(),
            synthetic=found.synthetic,
            source=found.source,
            attribution=found.attribution,
        )

    def named(self, query: Query) -> PublishedIndex:
        """Return the index that a request asks for as `id` or `index_id`.

        Raises:
            InvalidParameter: when it names none, or one that is not there.
        """
        word = "index_id" if "index_id" in query.parameters else "id"
        if word not in query.parameters:
            raise InvalidParameter("id is missing; send the ID of an index of /v2/indices", field="id")
        try:
            return self.tables.find(query.parameters[word])
        except UnknownIndex as error:
            raise InvalidParameter(error.message, field=word) from error


Find = Callable[[CurrentIndices, Query], Rows]


def list_indices(current: CurrentIndices, query: Query) -> Rows:
    """Return the rows of `/indices`; the message names indices that could not be computed."""
    tables = current.tables
    shown = tables.indices
    if "indicesType" in query.parameters:
        active = query.one_of("indicesType", _TYPES) == "active"
        shown = tuple(each for each in shown if is_active(each.rulebook) == active)
    limit, skip, after = query.paging()
    count = len(shown)
    plain = RowTable(
        np.full(count, tables.last_day, dtype=np.int64),
        np.full(count, -1, dtype=np.int64),
        [orjson.dumps(each.listing | {"STALE": bool(each.failure)}) for each in shown],
    )
    page = plain.page(Selection(limit=limit, skip=skip, after=after))
    missing = f"{len(page.rows)} rows; not computed: {', '.join(tables.failures)}" if tables.failures else ""
    return Rows(page.rows, page.last, missing)


def list_holdings(current: CurrentIndices, query: Query) -> Rows:
    """Return what an index holds; the message names its cash and why it is stale."""
    index = current.named(query)
    cash = float(index.listing["CASH"])
    return _rows(index, "holdings", query, f"{cash:.2%} of the value is cash" if cash > _CASH_SHOWN else "")


def list_portfolio(current: CurrentIndices, query: Query) -> Rows:
    """Return what an index held after its last rebalance up to the `date`."""
    index = current.named(query)
    day, portfolios = query.day("date"), index.tables["portfolios"]
    end = index.last_day if day is None else seconds_of(day)
    until = portfolios.times[portfolios.times < end + DAY_SECONDS]
    if not len(until):
        first = datetime.fromtimestamp(int(portfolios.times[-1]), UTC).date()
        return Rows((), message=f"the index holds nothing before its first trade on {first}")
    traded = int(until[0])
    return _rows(index, "portfolios", query, f"held since {utc_text(traded)[:10]}", (traded, traded + 1))


def list_values(current: CurrentIndices, query: Query) -> Rows:
    """Return the values of an index."""
    return _rows(current.named(query), "performance", query, days=query.days())


def list_trades(current: CurrentIndices, query: Query) -> Rows:
    """Return the trades of an index."""
    return _rows(current.named(query), "trades", query, days=query.days())


def list_portfolios(current: CurrentIndices, query: Query) -> Rows:
    """Return what an index held after each rebalance; by default the passive one with the most holdings."""
    if {"id", "index_id"} & query.parameters.keys():
        return _rows(current.named(query), "portfolios", query, days=query.days())
    passive = [each for each in current.tables.indices if not is_active(each.rulebook)]
    if not passive:
        return Rows((), message="this installation has no passive index")
    largest = max(passive, key=lambda each: int(each.listing["COINS"]))
    return _rows(largest, "portfolios", query, days=query.days())


_ROUTES: Final[tuple[tuple[str, type[Row], str, Find, Mapping[str, str | Parameter], bool], ...]] = (
    ("/indices", ListedIndex, "List indices with their changes, in per cent.", list_indices, _TYPE, False),
    ("/indices-holdings", IndexConstituent, "List what an index holds; weights are parts.", list_holdings, _ID, False),
    ("/indices-performance", IndexDay, "List the values of an index, the newest first.", list_values, _ID, True),
    (
        "/indices-transaction",
        IndexTrade,
        "List the trades of an index with their reasons.",
        list_trades,
        _INDEX_ID,
        True,
    ),
    (
        "/investor-indices",
        IndexPortfolioPart,
        "List what an index held after each rebalance.",
        list_portfolios,
        _INDEX_ID,
        True,
    ),
    ("/index-holdings", IndexPortfolioPart, "List what an index held.", list_portfolio, _INDEX_ID | _DATE, False),
    ("/index-specific-performance", IndexDay, "As `/indices-performance`.", list_values, _INDEX_ID, True),
    ("/sector-indices-holdings", IndexPortfolioPart, "As `/index-holdings`.", list_portfolio, _INDEX_ID | _DATE, False),
    ("/sector-index-transaction", IndexTrade, "As `/indices-transaction`.", list_trades, _INDEX_ID, True),
)


def index_routes(current: CurrentIndices, api: MarketApi) -> list[RawRoute]:
    """Return the routes of indices."""
    return [
        api.route(path, summary, partial(find, current), current.state, parameters, row, dated=dated)
        for path, row, summary, find, parameters, dated in _ROUTES
    ]


def _rows(
    index: PublishedIndex,
    table: str,
    query: Query,
    message: str = "",
    days: tuple[int | None, int | None] = (None, None),
) -> Rows:
    limit, skip, after = query.paging()
    page = index.tables[table].page(Selection(None, *days, (), limit, skip, after))
    if index.failure:
        last = utc_text(index.last_day)[:10]
        message = "; ".join(each for each in (message, f"not computed since {last}: {index.failure}") if each)
    return Rows(page.rows, page.last, message, stale=bool(index.failure))
