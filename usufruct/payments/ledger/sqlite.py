"""The ledger's verbs on SQLite: sqlite3 itself, one writer thread, group commit."""

import asyncio
import sqlite3
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from queue import Empty, SimpleQueue
from typing import Any

from usufruct.payments.ledger.backend import Job, Money, Outcome, Points, Row, closed, no_points, resolve
from usufruct.store import ConstraintViolated, DatabaseUnavailable, SqliteDatabase, amount_to_blob, connect_sqlite

LARGEST_GROUP = 256
READERS = 2

sqlite3.register_adapter(Money, amount_to_blob)

_Queued = tuple[Job, "asyncio.Future[Any]"]


class SqliteBackend:
    """Runs verbs on a SQLite file, which other rooms of this process may use at the same time."""

    def __init__(self, database: SqliteDatabase, points: Points = no_points) -> None:
        self._gate = database.write_gate
        self._points = points
        self._loop = asyncio.get_running_loop()
        self._closed = False
        self._queue: SimpleQueue[_Queued | None] = SimpleQueue()
        self._connection = connect_sqlite(database.path)
        self._connection.row_factory = sqlite3.Row
        self._readers: SimpleQueue[sqlite3.Connection] = SimpleQueue()
        for _ in range(READERS):
            reader = connect_sqlite(database.path, read_only=True)
            reader.row_factory = sqlite3.Row
            self._readers.put(reader)
        self._read_threads = ThreadPoolExecutor(READERS, thread_name_prefix="ledger-reader")
        self._thread = threading.Thread(target=self._serve, name="ledger-writer", daemon=True)
        self._thread.start()

    async def write(self, job: Job) -> Any:
        """Run a verb in a group commit and return its result once that is durable."""
        if self._closed:
            raise closed()
        future: asyncio.Future[Any] = self._loop.create_future()
        self._queue.put((job, future))
        return await future

    async def read(self, job: Job) -> Any:
        """Run a verb that only reads, on one moment of the database."""
        return await self._loop.run_in_executor(self._read_threads, self._read, job)

    async def close(self) -> None:
        """Finish what is queued and close the connections."""
        self._closed = True
        self._queue.put(None)
        await self._loop.run_in_executor(None, self._thread.join)
        self._read_threads.shutdown()
        self._connection.close()
        while not self._readers.empty():
            self._readers.get().close()

    def _read(self, job: Job) -> Any:
        connection = self._readers.get()
        try:
            connection.execute("BEGIN")
            return _drive(connection, job, no_points)
        except sqlite3.Error as error:
            raise _unavailable(error) from error
        finally:
            connection.rollback()
            self._readers.put(connection)

    def _serve(self) -> None:
        """Take what is queued, commit it together, answer; until told to stop."""
        while (first := self._queue.get()) is not None:
            group = [first]
            while len(group) < LARGEST_GROUP:
                try:
                    queued = self._queue.get_nowait()
                except Empty:
                    break
                if queued is None:
                    self._queue.put(None)
                    break
                group.append(queued)
            try:
                outcomes = self._commit_together([job for job, _ in group])
            except Exception as error:  # a bug of ours; nobody may wait for ever because of it
                outcomes = [(None, error)] * len(group)
            futures = [future for _, future in group]
            self._loop.call_soon_threadsafe(resolve, futures, outcomes)

    def _commit_together(self, jobs: list[Job]) -> list[Outcome]:
        """Run jobs in one transaction; if one spoils it for the others, each in a transaction of its own."""
        with self._gate:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
            except sqlite3.Error as error:
                return [(None, _unavailable(error))] * len(jobs)
            try:
                outcomes = self._transact(jobs)
            finally:
                if self._connection.in_transaction:
                    self._connection.rollback()
        if outcomes is None:
            return [self._commit_together([job])[0] for job in jobs]
        return outcomes

    def _transact(self, jobs: list[Job]) -> list[Outcome] | None:
        """Commit jobs together. None, and nothing committed, when one of several spoils it for the others."""
        outcomes: list[Outcome] = []
        try:
            for job in jobs:
                outcome, spoilt = _attempt(self._connection, job, self._points)
                if spoilt:
                    return [outcome] if len(jobs) == 1 else None
                outcomes.append(outcome)
            self._points("commit.before")
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            return [(None, _unavailable(error))] if len(jobs) == 1 else None
        self._points("commit.after")
        return outcomes


def _attempt(connection: sqlite3.Connection, job: Job, points: Points) -> tuple[Outcome, bool]:
    """Run a verb; return its outcome, and whether it spoilt the transaction by failing after a change.

    What the verb raises is its own affair; what SQLite raises (a full disk, say) may have ended the transaction.
    """
    before = connection.total_changes
    try:
        return (_drive(connection, job, points), None), False
    except sqlite3.IntegrityError as error:
        refused = ConstraintViolated(f"the schema refused what {job.name} wrote: {error}")
        return (None, refused), connection.total_changes != before
    except sqlite3.Error:
        raise
    except Exception as error:
        return (None, error), connection.total_changes != before


def _drive(connection: sqlite3.Connection, job: Job, points: Points) -> Any:
    verb = job.start()
    rows: Sequence[Row] | None = None
    step = 0
    while True:
        try:
            statement = verb.send(rows)
        except StopIteration as end:
            return end.value
        points(f"{job.name}.{step}")
        rows = connection.execute(_translated(statement.sql), statement.parameters).fetchall()
        step += 1


@lru_cache(maxsize=256)
def _translated(sql: str) -> str:
    """Turn common SQL into SQLite's: `?1` for `$1`, no row locks (the writer has the file to itself), its clock."""
    sql = sql.replace(" FOR UPDATE", "").replace("{now}", "CAST(strftime('%s', 'now') AS INTEGER)")
    return sql.replace("$", "?")


def _unavailable(error: sqlite3.Error) -> DatabaseUnavailable:
    kind = getattr(error, "sqlite_errorname", type(error).__name__)
    return DatabaseUnavailable(f"the ledger's file cannot be used ({kind}); nothing of this was kept")
