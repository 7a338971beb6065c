"""PostgreSQL databases that are emptied after a test and used by the next: to make and drop one waits for the disk."""

import asyncpg
from sqlalchemy import make_url

_SHAPE = """
    SELECT md5(string_agg(part, ';' ORDER BY part)) FROM (
        SELECT attrelid::regclass || '.' || attname || ' ' || atttypid::text || attnotnull::text AS part
            FROM pg_attribute
            WHERE attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace) AND attnum > 0
        UNION ALL SELECT indexrelid::regclass || ' ' || indisunique::text FROM pg_index
            WHERE indrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)
        UNION ALL SELECT tgrelid::regclass || ' ' || tgname || tgenabled::text FROM pg_trigger WHERE NOT tgisinternal
        UNION ALL SELECT setconfig::text FROM pg_db_role_setting
            WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
    ) AS parts"""
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
_SEQUENCES = "SELECT setval(format('%I', sequencename), start_value, false) FROM pg_sequences"
_HANG_UP = """
    SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()"""


async def on_server(url: str, *statements: str) -> None:
    """Execute statements, each in a transaction of its own."""
    connection = await asyncpg.connect(url, timeout=60)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


class EmptiedDatabases:
    """Copies of one migrated database; those that no test uses now."""

    def __init__(self) -> None:
        self._free: list[str] = []
        self._shape: str | None = None
        self._rows: dict[str, str] = {}

    def take(self) -> str | None:
        """Return the URL of a database that is as the migrations made it, or None."""
        return self._free.pop() if self._free else None

    async def learn(self, url: str) -> None:
        """Note what a copy, which nobody has used yet, looks like."""
        if self._shape is not None:
            return
        connection = await asyncpg.connect(url, timeout=60)
        try:
            for (table,) in await connection.fetch(_TABLES):
                if rows := await connection.fetchval(f"SELECT json_agg(each)::text FROM {table} AS each"):
                    self._rows[table] = rows
            self._shape = await connection.fetchval(_SHAPE)
        finally:
            await connection.close()

    async def give_back(self, urls: list[str]) -> None:
        """Empty databases for their next use; drop those whose tables, triggers or settings are no longer as made."""
        for url in urls:
            if await self._emptied(url):
                self._free.append(url)
            else:
                await _drop(url)

    async def drop(self) -> None:
        """Drop them all."""
        while self._free:
            await _drop(self._free.pop())

    async def _emptied(self, url: str) -> bool:
        try:
            connection = await asyncpg.connect(url, timeout=60)
        except (OSError, asyncpg.PostgresError, TimeoutError):
            return False
        try:
            await connection.execute(_HANG_UP)
            async with connection.transaction():
                return await connection.fetchval(_SHAPE) == self._shape and await self._empty(connection)
        except (OSError, asyncpg.PostgresError, TimeoutError):
            return False
        finally:
            await connection.close(timeout=60)

    async def _empty(self, connection: asyncpg.Connection) -> bool:
        await connection.execute("SET LOCAL session_replication_role = replica")  # no trigger, no foreign key refuses
        tables = [table for (table,) in await connection.fetch(_TABLES)]
        await connection.execute(";".join(f"DELETE FROM {table}" for table in tables))
        for table, rows in self._rows.items():
            await connection.execute(
                f"INSERT INTO {table} SELECT * FROM json_populate_recordset(NULL::{table}, $1)", rows
            )
        await connection.execute(_SEQUENCES)
        return True


async def _drop(url: str) -> None:
    parsed = make_url(url)
    server = parsed.set(database="postgres").render_as_string(hide_password=False)
    await on_server(server, f"DROP DATABASE {parsed.database} WITH (FORCE)")
