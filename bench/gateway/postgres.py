"""A scratch database on a running PostgreSQL server, and the server's processes that work for it."""

import asyncio
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg  # type: ignore[import-untyped]
import psutil

SERVERS = ("postgresql:///postgres?host=/var/run/postgresql", "postgresql://postgres@127.0.0.1:5432/postgres")
_BACKGROUND = ("checkpointer", "walwriter", "background writer")


def _ask(url: str, sql: str, *parameters: object) -> list[Any]:
    async def asked() -> list[Any]:
        connection = await asyncpg.connect(url, timeout=5)
        try:
            return list(await connection.fetch(sql, *parameters))
        finally:
            await connection.close()

    return asyncio.run(asked())


def server_url() -> str | None:
    """Return the URL of a server that takes connections: USUFRUCT_TEST_POSTGRES_URL, or a local one; else None."""
    named = os.environ.get("USUFRUCT_TEST_POSTGRES_URL")  # noqa: TID251 - a benchmark's own setting
    for url in (named,) if named else SERVERS:
        try:
            _ask(url, "SELECT 1")
        except (OSError, asyncpg.PostgresError, TimeoutError):
            continue
        return url
    return None


@contextmanager
def scratch_database(server: str) -> Iterator[str]:
    """Make a database while the block runs; yields its URL."""
    name = f"usufruct_bench_{secrets.token_hex(6)}"
    _ask(server, f"CREATE DATABASE {name}")
    try:
        head, _, options = server.partition("?")
        url = f"{head.rsplit('/', 1)[0]}/{name}"
        yield f"{url}?{options}" if options else url
    finally:
        _ask(server, f"DROP DATABASE {name} WITH (FORCE)")


def server_processes(url: str) -> tuple[psutil.Process, ...]:
    """Return the server's processes that serve this database's clients, and those that write for all databases."""
    rows = _ask(
        url,
        "SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
        "AND (datname = current_database() OR backend_type = ANY($1))",
        list(_BACKGROUND),
    )
    return tuple(psutil.Process(row["pid"]) for row in rows)
