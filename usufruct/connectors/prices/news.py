"""News of an archive: texts about assets, with the moment at which each was learnt."""

from datetime import date, datetime, timedelta
from typing import Any, Final

import polars as pl

from usufruct.connectors.prices.bars import MOMENT, start_of
from usufruct.connectors.prices.segments import Segments, Transaction

NEWS: Final = "news"
NEWS_SCHEMA: Final[dict[str, Any]] = {
    "source": pl.String(),
    "id": pl.String(),
    "time": MOMENT,
    "kind": pl.String(),
    "title": pl.String(),
    "text": pl.String(),
    "url": pl.String(),
    "assets": pl.List(pl.String()),
    "known_at": MOMENT,
}
"""`id` is unique within a source. `kind`: news, reddit, twitter. `assets` are ids of the archive; empty: the market."""

_KEY = ("source", "id")
_SAID = ("title", "text")
_PARTITION = f"{NEWS}/month=%Y-%m"


def append_news(segments: Segments, transaction: Transaction, rows: pl.DataFrame) -> int:
    """Add what is new or says something else than before; return how many rows that are."""
    added = 0
    unique = rows.select(NEWS_SCHEMA.keys()).unique(_KEY, keep="last", maintain_order=True)
    parts = unique.with_columns(part=pl.col("time").dt.strftime(_PARTITION))
    for (name,), new in parts.partition_by("part", as_dict=True, include_key=False).items():
        there = segments.read(name)
        if there is not None:
            newest = _newest(there).select(*_KEY, *_SAID)
            new = new.join(newest, on=[*_KEY, *_SAID], how="anti", nulls_equal=True)
        transaction.append(name, new.sort("time", "source", "id"))
        added += len(new)
    return added


def read_news(segments: Segments, first: date, last: date, until: datetime | None, asset: str | None) -> pl.DataFrame:
    """Return the newest version of each text from one day to another, by time."""
    wanted = (pl.col("time") >= start_of(first)) & (pl.col("time") < start_of(last + timedelta(days=1)))
    if until is not None:
        wanted &= pl.col("known_at") <= until
    found = [pl.DataFrame(schema=NEWS_SCHEMA)]
    for name in segments.manifest().names(NEWS):
        month = name.rpartition("=")[2]
        if f"{first:%Y-%m}" <= month <= f"{last:%Y-%m}":
            rows = segments.read(name, lambda frame: frame.filter(wanted))
            found += [] if rows is None else [_newest(rows)]
    news = pl.concat(found).sort("time", "source", "id")
    return news if asset is None else news.filter(pl.col("assets").list.contains(asset))


def _newest(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.sort("known_at", maintain_order=True).unique(_KEY, keep="last", maintain_order=True)
