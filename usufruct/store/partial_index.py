"""Indexes over a part of a table's rows, declared without loading a database's dialect."""

from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Index, MetaData, TextClause, event

from usufruct.store.metadata import metadata


def partial_index(
    name: str, *columns: Column[Any], where: ColumnElement[bool] | TextClause, unique: bool = False
) -> Index:
    """Declare an index over the rows for which `where` holds, on every database.

    SQLAlchemy's own `postgresql_where` loads the dialect of PostgreSQL in every process (decision 0075). Here the
    condition is handed to the one dialect in use when the tables are created.
    """
    return Index(name, *columns, unique=unique, info={"where": where})


@event.listens_for(metadata, "before_create")
def _set_conditions(target: MetaData, connection: Connection, **_: Any) -> None:
    for table in target.tables.values():
        for index in table.indexes:
            if "where" in index.info:
                index.dialect_options[connection.dialect.name]["where"] = index.info["where"]
