"""SQLite: the embedded default. One writer, readers beside it (WAL), every commit on disk (synchronous=FULL)."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, Executable, QueuePool, Row, create_engine, event

from usufruct.core import Clock
from usufruct.core.process import unbroken
from usufruct.store.database import Database, Outcome, Parameters, Unit, outcome_of, translated_errors

T = TypeVar("T")

READERS = 4
BUSY_SECONDS = 15.0
_READER_CACHE_KIB = 500
"""Pages of the file that a reader keeps. SQLite would take 2,000 for each, beside the system's cache of the file."""

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
    clock = Clock()
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


class SqliteDatabase(Database):
    """A SQLite file under SQLAlchemy: synchronous engines on threads of their own, asyncio on our side."""

    dialect = "sqlite"
    _seconds = "CAST(strftime('%s', 'now') AS INTEGER)"

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
            await finish(self._write_thread, self.write_gate.acquire, undo=lambda _: self.write_gate.release())
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

    async def rows(self, query: Executable, parameters: Parameters = None) -> Sequence[Row[Any]]:
        """Run one reading statement in one step of a thread."""

        def whole() -> Sequence[Row[Any]]:
            with translated_errors(), self._readers.begin() as connection:
                return outcome_of(connection.execute(query, parameters))[0]

        async with self._seats:
            return await finish(self._read_threads, whole)

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


async def finish(threads: ThreadPoolExecutor, work: Callable[[], T], undo: Callable[[T], object] | None = None) -> T:
    """Run `work` on a thread to its end, however often the caller is cancelled; `undo` then gives back its result.

    A statement cannot be called back; a transaction must not be rolled back beneath one that still runs.
    """
    future = asyncio.get_running_loop().run_in_executor(threads, work)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        await unbroken(asyncio.wait([future]))
        if undo is not None and future.exception() is None:
            await unbroken(finish(threads, partial(undo, future.result())))
        raise


@asynccontextmanager
async def _unit(engine: Engine, threads: ThreadPoolExecutor) -> AsyncIterator[Unit]:
    """Open a unit of work whose statements run on `threads`, one after another.

    Its begin and its end are one step of a thread each: a step costs more than a small query.
    """

    def begun() -> Connection:
        connection = engine.connect()
        try:
            connection.begin()
        except BaseException:
            connection.close()
            raise
        return connection

    with translated_errors():
        connection = await finish(threads, begun, undo=Connection.close)

    async def execute(statement: Executable, parameters: Parameters) -> Outcome:
        with translated_errors():
            return await finish(threads, lambda: outcome_of(connection.execute(statement, parameters)))

    def committed() -> None:
        with connection:
            connection.commit()

    try:
        yield Unit(execute)
    except BaseException:
        await finish(threads, connection.close)
        raise
    with translated_errors():
        await finish(threads, committed)


def _engine(path: Path, busy_seconds: float, *, read_only: bool) -> Engine:
    def connected() -> sqlite3.Connection:
        connection = connect_sqlite(path, read_only=read_only, busy_seconds=busy_seconds)
        if read_only:
            connection.execute(f"PRAGMA cache_size = -{_READER_CACHE_KIB}")
        return connection

    engine = create_engine(
        "sqlite://",
        creator=connected,
        poolclass=QueuePool,
        pool_size=READERS if read_only else 1,
        max_overflow=0,
    )
    begin = "BEGIN" if read_only else "BEGIN IMMEDIATE"
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine
