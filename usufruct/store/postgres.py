"""PostgreSQL through asyncpg: the same unit of work, at scale. Needs the `postgres` extra."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Literal, TypeVar

from sqlalchemy import Connection, Executable, Row, make_url, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.sql.dml import Delete, Insert, Update

from usufruct.store.database import Parameters, Unit, all_rows, translated_errors

T = TypeVar("T")


class PostgresDatabase:
    """A PostgreSQL database under SQLAlchemy's asyncio engine."""

    dialect: Literal["postgresql"] = "postgresql"

    def __init__(self, url: str) -> None:
        self.url = url
        self._engine = create_async_engine(
            make_url(url).set(drivername="postgresql+asyncpg"),
            connect_args={"server_settings": {"synchronous_commit": "on", "application_name": "usufruct"}},
            pool_size=8,
        )
        self._snapshots = self._engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Unit]:
        """Open a unit of work."""
        async with _unit(self._engine) as unit:
            yield unit

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Unit]:
        """Open a read-only unit of work."""
        async with _unit(self._snapshots) as unit:
            yield unit

    async def now(self) -> int:
        """Return the database's clock in whole seconds since 1970."""
        async with self.snapshot() as unit:
            row = await unit.row(text("SELECT CAST(floor(extract(epoch FROM clock_timestamp())) AS BIGINT)"))
        return int(row[0]) if row else 0

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Run synchronous SQLAlchemy code in one transaction."""
        with translated_errors():
            async with self._engine.begin() as connection:
                return await connection.run_sync(work)

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()


class PostgresUnit:
    """One transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def rows(self, statement: Executable, parameters: Parameters = None) -> Sequence[Row[Any]]:
        """Run a statement and return all its rows."""
        with translated_errors():
            return all_rows(await self._connection.execute(statement, parameters))[0]

    async def row(self, statement: Executable, parameters: Parameters = None) -> Row[Any] | None:
        """Run a statement and return its first row, or None."""
        found = await self.rows(statement, parameters)
        return found[0] if found else None

    async def change(self, statement: Insert | Update | Delete, parameters: Parameters = None) -> int:
        """Run a changing statement and return how many rows it touched."""
        with translated_errors():
            return all_rows(await self._connection.execute(statement, parameters))[1]

    async def change_each(self, statement: Insert | Update | Delete, parameters: Sequence[Mapping[str, Any]]) -> None:
        """Run a changing statement once for each set of parameters."""
        with translated_errors():
            await self._connection.execute(statement, parameters)


@asynccontextmanager
async def _unit(engine: AsyncEngine) -> AsyncIterator[Unit]:
    with translated_errors():
        connection = await engine.connect()
    try:
        with translated_errors():
            await connection.begin()
        yield PostgresUnit(connection)
        with translated_errors():
            await connection.commit()
    finally:
        await asyncio.shield(connection.close())
