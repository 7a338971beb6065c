"""`/v2/correlation` of named assets: which of them are asked about, and with which others they are compared."""

from dataclasses import replace

import numpy as np
import orjson

from usufruct.analytics import rows
from usufruct.analytics.api_query import AssetIndex, Query
from usufruct.analytics.correlation import Correlated, correlate
from usufruct.analytics.snapshot import Ints, Page, Selection, Snapshot

BASE = "base_symbol"
QUOTE = "quote_symbol"


def correlation_page(snapshot: Snapshot, index: AssetIndex, query: Query) -> Page:
    """Return rows of assets, each with what it moves with most and least, or with the assets of `quote_symbol` alone.

    `base_symbol` keeps the assets with these tickers, as `symbol` does. Raises as `Query.selection`.
    """
    selection = query.selection(index)
    if BASE in query.parameters:
        named = _named(index, query, BASE)
        columns = named if selection.columns is None else np.intersect1d(selection.columns, named)
        selection = replace(selection, columns=columns)
    if QUOTE not in query.parameters:
        return snapshot.rows["correlation"].page(selection)
    return _pairs(snapshot, selection, _named(index, query, QUOTE))


def _named(index: AssetIndex, query: Query, name: str) -> Ints:
    columns = index.columns({"symbol": query.parameters[name]})
    return np.array([], dtype=np.int64) if columns is None else columns


def _pairs(snapshot: Snapshot, selection: Selection, quotes: Ints) -> Page:
    """Return rows by column, each with the quotes that it is correlated with, the highest first; others have no row."""
    bases = np.arange(len(snapshot.assets)) if selection.columns is None else selection.columns
    found = correlate(np.asarray(snapshot.series["daily-ohlcv"].fields["close"]), bases, quotes)
    of = {
        column: [Correlated(int(quote), float(value)) for quote, value in zip(quotes, row, strict=True)]
        for column, row in zip(bases.tolist(), found, strict=True)
    }
    known = {
        column: sorted((each for each in others if each.correlation == each.correlation), key=lambda x: -x.correlation)
        for column, others in of.items()
    }
    columns = [column for column in bases.tolist() if known[column]]
    if selection.after is not None:
        columns = [column for column in columns if column > selection.after[0]]
    shown = columns[selection.skip : selection.skip + selection.limit]
    more = len(columns) > selection.skip + selection.limit
    assets = snapshot.assets
    written = [
        orjson.dumps(
            rows.correlation_row(
                assets[column], snapshot.last_day, [(assets[each.column], each) for each in known[column]]
            )
        )
        for column in shown
    ]
    return Page(written, (shown[-1], 0) if more and shown else None)
