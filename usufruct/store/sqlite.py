"""SQLite: the embedded default. One writer, readers beside it (WAL), every commit on disk (synchronous=FULL)."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal, TypeVar

from sqlalchemy import Connection, Engine, Executable, QueuePool, Row, create_engine, event, text
from sqlalchemy.sql.dml import Delete, Insert, Update

from usufruct.core import SystemClock
from usufruct.store.database import Parameters, Unit, all_rows, translated_errors

T = TypeVar("T")

READERS = 4
BUSY_SECONDS = 15.0
_PAUSE_SECONDS = 0.01
CHECKPOINT_PAGES = 8_000
"""Pages of the write-ahead log before they are copied into the file: a page that changes often is copied once."""


def connect_sqlite(path: Path, *, read_only: bool = False, busy_seconds: float = BUSY_SECONDS) -> sqlite3.Connection:
    """Open a connection with this package's settings: explicit transactions, WAL, FULL, foreign keys, busy timeout.

    The connection may move between threads as long as one uses it at a time.
    """
    connection = sqlite3.connect(path, timeout=busy_seconds, isolation_level=None, check_same_thread=False)
    _use_wal(connection, busy_seconds)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
    if read_only:
        connection.execute("PRAGMA query_only = ON")
    return connection


def _use_wal(connection: sqlite3.Connection, busy_seconds: float) -> None:
    """Switch a new file to WAL; for this alone SQLite does not wait while another process does the same."""
    clock = SystemClock()
    until = clock.monotonic() + busy_seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if clock.monotonic() > until:
                raise
            time.sleep(_PAUSE_SECONDS)
        else:
            return


class SqliteDatabase:
    """A SQLite file under SQLAlchemy: synchronous engines on threads of their own, asyncio on our side."""

    dialect: Literal["sqlite"] = "sqlite"

    def __init__(self, path: Path, *, busy_seconds: float = BUSY_SECONDS) -> None:
        """Open or create the file; a transaction waits `busy_seconds` for another process's write."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.url = f"sqlite:///{path}"
        self.write_gate = threading.Lock()
        """Held around every write transaction of this process, so that writers queue here and never poll the file."""
        self._turn = asyncio.Lock()
        self._seats = asyncio.Semaphore(READERS)  # a thread must never wait for a connection: its holder needs threads
        self._writer = _engine(path, busy_seconds, read_only=False)
        self._readers = _engine(path, busy_seconds, read_only=True)
        self._write_thread = ThreadPoolExecutor(1, thread_name_prefix="store-writer")
        self._read_threads = ThreadPoolExecutor(READERS, thread_name_prefix="store-reader")

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Unit]:
        """Open a unit of work."""
        async with self._turn:
            try:
                await finish(self._write_thread, self.write_gate.acquire)
            except asyncio.CancelledError:  # acquired all the same: `finish` waits for the end
                self.write_gate.release()
                raise
            try:
                async with _unit(self._writer, self._write_thread) as unit:
                    yield unit
            finally:
                self.write_gate.release()

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Unit]:
        """Open a read-only unit of work."""
        async with self._seats, _unit(self._readers, self._read_threads) as unit:
            yield unit

    async def now(self) -> int:
        """Return the database's clock in whole seconds since 1970."""
        async with self.snapshot() as unit:
            row = await unit.row(text("SELECT CAST(strftime('%s', 'now') AS INTEGER)"))
        return int(row[0]) if row else 0

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Run synchronous SQLAlchemy code in one write transaction."""

        def whole() -> T:
            with self.write_gate, translated_errors(), self._writer.begin() as connection:
                return work(connection)

        async with self._turn:
            return await finish(self._write_thread, whole)

    async def close(self) -> None:
        """Close every connection and stop the threads."""
        await finish(self._write_thread, self._writer.dispose)
        await finish(self._read_threads, self._readers.dispose)
        self._write_thread.shutdown()
        self._read_threads.shutdown()


class SqliteUnit:
    """One transaction; its statements run on the engine's threads, one after another."""

    def __init__(self, connection: Connection, threads: ThreadPoolExecutor) -> None:
        self._connection = connection
        self._threads = threads

    async def rows(self, statement: Executable, parameters: Parameters = None) -> Sequence[Row[Any]]:
        """Run a statement and return all its rows."""
        return (await self._execute(statement, parameters))[0]

    async def row(self, statement: Executable, parameters: Parameters = None) -> Row[Any] | None:
        """Run a statement and return its first row, or None."""
        found = await self.rows(statement, parameters)
        return found[0] if found else None

    async def change(self, statement: Insert | Update | Delete, parameters: Parameters = None) -> int:
        """Run a changing statement and return how many rows it touched."""
        return (await self._execute(statement, parameters))[1]

    async def change_each(self, statement: Insert | Update | Delete, parameters: Sequence[Mapping[str, Any]]) -> None:
        """Run a changing statement once for each set of parameters."""
        await self._execute(statement, parameters)

    async def _execute(
        self, statement: Executable, parameters: Parameters | Sequence[Mapping[str, Any]]
    ) -> tuple[Sequence[Row[Any]], int]:
        def work() -> tuple[Sequence[Row[Any]], int]:
            with translated_errors():
                return all_rows(self._connection.execute(statement, parameters))

        return await finish(self._threads, work)


async def finish(threads: ThreadPoolExecutor, work: Callable[[], T]) -> T:
    """Run `work` on a thread and wait for its end even when the caller is cancelled.

    A statement cannot be called back; a transaction must not be rolled back beneath one that still runs.
    """
    future = asyncio.get_running_loop().run_in_executor(threads, work)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        await asyncio.wait([future])
        raise


@asynccontextmanager
async def _unit(engine: Engine, threads: ThreadPoolExecutor) -> AsyncIterator[Unit]:
    with translated_errors():
        connection = await _connected(engine, threads)
    try:
        with translated_errors():
            await finish(threads, connection.begin)
        yield SqliteUnit(connection, threads)
        with translated_errors():
            await finish(threads, connection.commit)
    finally:
        await finish(threads, connection.close)


async def _connected(engine: Engine, threads: ThreadPoolExecutor) -> Connection:
    """Take a connection out of the pool; a caller that is cancelled meanwhile returns it."""
    taking = asyncio.get_running_loop().run_in_executor(threads, engine.connect)
    try:
        return await asyncio.shield(taking)
    except asyncio.CancelledError:
        await asyncio.wait([taking])
        if taking.exception() is None:
            await finish(threads, taking.result().close)
        raise


def _engine(path: Path, busy_seconds: float, *, read_only: bool) -> Engine:
    engine = create_engine(
        "sqlite://",
        creator=lambda: connect_sqlite(path, read_only=read_only, busy_seconds=busy_seconds),
        poolclass=QueuePool,
        pool_size=READERS if read_only else 1,
        max_overflow=0,
    )
    begin = "BEGIN" if read_only else "BEGIN IMMEDIATE"
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine
