"""The table of what can be found, and its full-text index: FTS5 on SQLite, a `tsvector` on PostgreSQL.

Words are cut by `words`, so both find the same; the databases only look them up.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from sqlalchemy import (
    DDL,
    BigInteger,
    Column,
    ColumnElement,
    Identity,
    Integer,
    Select,
    String,
    Table,
    Text,
    and_,
    delete,
    event,
    func,
    insert,
    select,
    text,
)

from usufruct.core import AssetId
from usufruct.gateway.quality.store import quality_table as quality
from usufruct.gateway.quality.summary import DAYS
from usufruct.gateway.search.query import PAGE_SIZE, Order, Search
from usufruct.gateway.search.words import query_words
from usufruct.store import Amount, AssetIdColumn, Unit, metadata, next_revision

REVISION = "service_index"
"""What changes of the table are counted under."""

_index = Table(
    "service_index",
    metadata,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), Identity(), primary_key=True),
    Column("asset_id", AssetIdColumn, nullable=False, unique=True),
    Column("name", String(200), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("operation", String(16), nullable=False),
    Column("context_window", BigInteger, nullable=False),
    Column("usual_cost", Amount),  # of a usual call; NULL: not known
    Column("created_at", BigInteger, nullable=False),
    Column("words", Text, nullable=False),  # separated by spaces
    Column("fingerprint", String(64), nullable=False),  # of the other columns
    Column("sample_calls", BigInteger),  # free calls of one visitor a day; NULL: none
)

SQLITE_FULL_TEXT = (
    "CREATE VIRTUAL TABLE service_words USING fts5(words, content='service_index', content_rowid='number', "
    'tokenize="unicode61 remove_diacritics 0")',
    "CREATE TRIGGER service_index_insert AFTER INSERT ON service_index BEGIN "
    "INSERT INTO service_words(rowid, words) VALUES (new.number, new.words); END",
    "CREATE TRIGGER service_index_delete AFTER DELETE ON service_index BEGIN "
    "INSERT INTO service_words(service_words, rowid, words) VALUES ('delete', old.number, old.words); END",
)
POSTGRES_FULL_TEXT = (
    "ALTER TABLE service_index ADD COLUMN found tsvector "
    "GENERATED ALWAYS AS (array_to_tsvector(string_to_array(words, ' '))) STORED",
    "CREATE INDEX ix_service_index_found ON service_index USING gin (found)",
)
for _dialect, _statements in (("sqlite", SQLITE_FULL_TEXT), ("postgresql", POSTGRES_FULL_TEXT)):
    for _statement in _statements:
        event.listen(_index, "after_create", DDL(_statement).execute_if(dialect=_dialect))  # type: ignore[no-untyped-call]

_MATCHES = {
    "sqlite": text("service_index.number IN (SELECT rowid FROM service_words WHERE service_words MATCH :asked)"),
    "postgresql": text("service_index.found @@ CAST(CAST(:asked AS text) AS tsquery)"),
}
_MONTH = and_(quality.c.asset_id == _index.c.asset_id, quality.c.days == DAYS[1])
_ORDERS: Mapping[Order, Sequence[ColumnElement[Any]]] = {
    Order.USED: (quality.c.calls.desc().nulls_last(),),
    Order.CHEAPEST: (_index.c.usual_cost.asc().nulls_last(),),
    Order.QUICKEST: (quality.c.first_text_median.asc().nulls_last(),),
    Order.FASTEST: (quality.c.speed_median.desc().nulls_last(),),
    Order.NEWEST: (_index.c.created_at.desc(),),
}


async def fingerprints(unit: Unit, assets: Iterable[AssetId] | None = None) -> dict[AssetId, str]:
    """Return the fingerprints of what can be found: of all, or of some assets."""
    query = select(_index.c.asset_id, _index.c.fingerprint)
    if assets is not None:
        query = query.where(_index.c.asset_id.in_(list(assets)))
    return {row.asset_id: row.fingerprint for row in await unit.rows(query)}


async def replace_rows(unit: Unit, rows: Sequence[Mapping[str, Any]], gone: Iterable[AssetId] = ()) -> None:
    """Store rows in place of their assets' old ones, and remove those that are gone."""
    removed = [*gone, *(row["asset_id"] for row in rows)]
    if removed:
        await unit.change(delete(_index).where(_index.c.asset_id.in_(removed)))
    if rows:
        await unit.change(insert(_index), list(rows))
    await next_revision(unit, REVISION)


async def find_services(
    unit: Unit, dialect: Literal["sqlite", "postgresql"], search: Search, coin: int
) -> tuple[int, list[AssetId]]:
    """Return how many services a search finds, and those of its page; `coin` is one whole coin in atomic units."""
    filters, parameters = _filters(dialect, search, coin)
    measured = search.success or search.first_text
    counted: Select[Any] = select(func.count().label("total")).select_from(
        _index.join(quality, _MONTH) if measured else _index
    )
    total = (await unit.rows(counted.where(*filters), parameters))[0].total
    page = (
        select(_index.c.asset_id)
        .select_from(_index.outerjoin(quality, _MONTH))
        .where(*filters)
        .order_by(*_exact_first(search), *_ORDERS[search.order], _index.c.created_at, _index.c.name)
        .limit(PAGE_SIZE)
        .offset((search.page - 1) * PAGE_SIZE)
    )
    return total, [row.asset_id for row in await unit.rows(page, parameters)]


def _filters(dialect: str, search: Search, coin: int) -> tuple[list[ColumnElement[bool]], dict[str, Any]]:
    filters: list[Any] = []
    parameters: dict[str, Any] = {}
    if words := query_words(search.text):
        filters.append(_MATCHES[dialect])
        signs = ('"{}"*', " ") if dialect == "sqlite" else ("'{}':*", " & ")
        parameters["asked"] = signs[1].join(signs[0].format(word) for word in words)
    elif search.text:
        filters.append(text("1 = 0"))  # nothing is named by signs alone
    if search.kind:
        filters.append(_index.c.kind == search.kind)
    if search.operation:
        filters.append(_index.c.operation == search.operation)
    if search.context:
        filters.append(_index.c.context_window >= search.context)
    if search.calls:
        filters.append(_index.c.usual_cost <= coin // search.calls)
    if search.sample:
        filters.append(_index.c.sample_calls.is_not(None))
    if search.success:
        filters.append(quality.c.success >= search.success / 1_000)
    if search.first_text:
        filters.append(quality.c.first_text_median <= search.first_text)
    return filters, parameters


def _exact_first(search: Search) -> list[ColumnElement[Any]]:
    return [(_index.c.name == search.text).desc()] if search.text else []
