"""PostgreSQL through asyncpg: the same unit of work, at scale. Needs the `postgres` extra."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypeVar

from sqlalchemy import Connection, Executable, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from usufruct.store.database import Database, Outcome, Parameters, Unit, outcome_of, translated_errors

T = TypeVar("T")


class PostgresDatabase(Database):
    """A PostgreSQL database under SQLAlchemy's asyncio engine."""

    dialect = "postgresql"
    _seconds = "CAST(floor(extract(epoch FROM clock_timestamp())) AS BIGINT)"

    def __init__(self, url: str) -> None:
        self.url = url
        self._engine = create_async_engine(
            make_url(url).set(drivername="postgresql+asyncpg"),
            connect_args={"server_settings": {"synchronous_commit": "on", "application_name": "usufruct"}},
            pool_size=8,
        )
        self._snapshots = self._engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    def transaction(self) -> AbstractAsyncContextManager[Unit]:
        """Open a unit of work."""
        return _unit(self._engine)

    def snapshot(self) -> AbstractAsyncContextManager[Unit]:
        """Open a read-only unit of work."""
        return _unit(self._snapshots)

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
