"""PostgreSQL through asyncpg: the same unit of work, at scale. Needs the `postgres` extra."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection, Executable, Row, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.util import greenlet_spawn

from usufruct.store.database import Database, Outcome, Parameters, Unit, outcome_of, translated_errors

T = TypeVar("T")

CONNECTIONS = 16
"""Of a process, kept open: a new one costs the server a process of its own, and more than many queries."""


class PostgresDatabase(Database):
    """A PostgreSQL database under SQLAlchemy's asyncio engine."""

    dialect = "postgresql"
    _seconds = "CAST(floor(extract(epoch FROM clock_timestamp())) AS BIGINT)"

    def __init__(self, url: str) -> None:
        self.url = url
        self._engine = create_async_engine(
            make_url(url).set(drivername="postgresql+asyncpg"),
            connect_args={"server_settings": {"synchronous_commit": "on", "application_name": "usufruct"}},
            pool_size=CONNECTIONS,
            pool_use_lifo=True,  # the one used last has prepared most statements
            max_overflow=0,
        )
        self._snapshots = self._engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        self._statements = self._engine.sync_engine.execution_options(isolation_level="AUTOCOMMIT")

    def transaction(self) -> AbstractAsyncContextManager[Unit]:
        """Open a unit of work."""
        return _unit(self._engine)

    def snapshot(self) -> AbstractAsyncContextManager[Unit]:
        """Open a read-only unit of work."""
        return _unit(self._snapshots)

    async def rows(self, query: Executable, parameters: Parameters = None) -> Sequence[Row[Any]]:
        """Run one reading statement without BEGIN and COMMIT: PostgreSQL gives each statement a snapshot."""

        def whole() -> Sequence[Row[Any]]:
            with self._statements.connect() as connection:
                return outcome_of(connection.execute(query, parameters))[0]

        with translated_errors():
            return await greenlet_spawn(whole)  # once: as three awaited steps it takes a quarter more

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Run synchronous SQLAlchemy code in one transaction."""
        with translated_errors():
            async with self._engine.begin() as connection:
                return await connection.run_sync(work)

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()


@asynccontextmanager
async def _unit(engine: AsyncEngine) -> AsyncIterator[Unit]:
    with translated_errors():
        connection = await engine.connect()

    async def execute(statement: Executable, parameters: Parameters) -> Outcome:
        with translated_errors():
            return outcome_of(await connection.execute(statement, parameters))

    try:
        with translated_errors():
            await connection.begin()
        yield Unit(execute)
        with translated_errors():
            await connection.commit()
    finally:
        await asyncio.shield(connection.close())
