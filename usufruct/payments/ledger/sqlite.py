"""The ledger on SQLite: sqlite3 itself, one writing connection, group commit.

Hot verbs run on the event loop: their statements take some ten microseconds each, less than a change of threads. What
may take long runs on the writer's thread: waiting for the file's write lock, the commit, and every other verb.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from queue import SimpleQueue
from typing import TypeVar

from usufruct.payments.ledger import working_rows
from usufruct.payments.ledger.backend import Backend
from usufruct.payments.ledger.rows import ACCOUNT_COLUMNS, CALL_COLUMNS, KEY_COLUMNS
from usufruct.payments.ledger.sql_statements import FaultHook, Money, Parameter, Row, Statements, Work, no_faults
from usufruct.payments.ledger.working_set import Needs, WorkingSet
from usufruct.store import (
    BUSY_SECONDS,
    ConstraintViolated,
    DatabaseUnavailable,
    SqliteDatabase,
    amount_to_blob,
    connect_sqlite,
)

T = TypeVar("T")

READERS = 2
CACHE_KIB = 65_536
"""Of pages that the writing connection keeps in memory, so that the loop seldom waits for the disk."""
_CHUNK = 1_000

sqlite3.register_adapter(Money, amount_to_blob)

_SUM = "usufruct_amount_sum"
_NOW = "CAST(strftime('%s', 'now') AS INTEGER)"
_QUERIES = working_rows.Queries(
    accounts=f"SELECT {ACCOUNT_COLUMNS}, {_NOW} AS now FROM accounts WHERE id = ?",
    calls=f"SELECT {CALL_COLUMNS} FROM calls WHERE id = ?",
    keys_of_calls=f"SELECT {KEY_COLUMNS} FROM answers WHERE call_id = ?",
    keys=f"SELECT {KEY_COLUMNS} FROM answers WHERE scope = ? AND key = ?",
    published="SELECT account_id, voucher_amount FROM claims WHERE account_id = ? AND voucher_amount = ? LIMIT 1",
)
_OPEN_CALL = (
    "INSERT INTO calls (id, account_id, asset, state, owner, epoch, lease_until, ceiling, price_card_version, "
    "request_hash, opened_at, voucher_amount, voucher_signature) "
    "VALUES (?, ?, ?, 'open', ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_END_CALL = (
    "UPDATE calls SET state = ?3, epoch = ?4, finished_at = ?5, reason = ?6, receipt_signature = ?7, charge = ?8, "
    "cumulative = ?9, lines = ?10, flagged = ?11, model_digest = ?12, response_hash = ?13, counted_by = ?14, "
    "reasoning_tokens = ?15 WHERE id = ?1 AND state = 'open' AND epoch = ?2"
)
_CHANGE_ACCOUNT = (
    "UPDATE accounts SET charged = ?2, reserved = ?3, voucher_amount = ?4, voucher_signature = ?5, last_call_at = ?6, "
    "day = ?7, charged_before = ?8 WHERE id = ?1"
)
_ADD_ENTRY = "INSERT INTO entries (account_id, call_id, asset, debit, credit, amount, at) VALUES (?, ?, ?, ?, ?, ?, ?)"


class SqliteBackend(Backend):
    """Runs verbs on a SQLite file, which other parts of this process may use at the same time."""

    def __init__(self, database: SqliteDatabase, faults: FaultHook = no_faults) -> None:
        """Open the connections; `faults` receives the name of every point a crash may come at."""
        self._gate = database.write_gate
        self._holds_gate = False
        self._loop = asyncio.get_running_loop()
        self._connection = _connected(database, read_only=False)
        self._connection.execute("PRAGMA busy_timeout = 0")
        self._connection.execute(f"PRAGMA cache_size = {-CACHE_KIB}")
        self._readers: SimpleQueue[sqlite3.Connection] = SimpleQueue()
        for _ in range(READERS):
            self._readers.put(_connected(database, read_only=True))
        self._write_thread = ThreadPoolExecutor(1, thread_name_prefix="ledger-writer")
        self._read_threads = ThreadPoolExecutor(READERS, thread_name_prefix="ledger-reader")
        super().__init__(faults)

    async def read(self, work: Work[T]) -> T:
        """Run a verb that only reads, on one moment of the database."""
        return await self._loop.run_in_executor(self._read_threads, self._read, work)

    async def close(self) -> None:
        """Finish what is queued and close the connections."""
        await super().close()
        self._write_thread.shutdown()
        self._read_threads.shutdown()
        self._connection.close()
        while not self._readers.empty():
            self._readers.get().close()

    def _read(self, work: Work[T]) -> T:
        connection = self._readers.get()
        try:
            with _translated_errors():
                connection.execute("BEGIN")
                return _driven(work(SqliteStatements(connection)))
        finally:
            connection.rollback()
            self._readers.put(connection)

    async def _begin(self) -> None:
        """Begin at once when the file is free; else wait for it on the writer's thread."""
        self._holds_gate = self._gate.acquire(blocking=False)
        if self._holds_gate:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                pass
            else:
                return
        await self._loop.run_in_executor(self._write_thread, self._wait_and_begin)

    def _wait_and_begin(self) -> None:
        if not self._holds_gate:
            self._holds_gate = self._gate.acquire()
        with _translated_errors():
            self._connection.execute(f"PRAGMA busy_timeout = {int(BUSY_SECONDS * 1000)}")
            try:
                self._connection.execute("BEGIN IMMEDIATE")
            finally:
                self._connection.execute("PRAGMA busy_timeout = 0")
        self._connection.execute(f"PRAGMA cache_size = {-CACHE_KIB}")

    async def _load(self, needs: Sequence[Needs]) -> WorkingSet:
        with _translated_errors():
            return await working_rows.read_needs(self._find, _QUERIES, needs, amount_to_blob)

    async def _find(self, sql: str, keys: working_rows.Rows) -> Sequence[Row]:
        return [Row(row) for key in keys for row in self._connection.execute(sql, key)]

    async def _store(self, work: WorkingSet) -> None:
        with _translated_errors():
            _store(self._connection, work, self._faults)

    async def _run(self, name: str, work: Work[T]) -> T:
        return await self._loop.run_in_executor(self._write_thread, self._run_now, name, work)

    def _run_now(self, name: str, work: Work[T]) -> T:
        with _translated_errors():
            return _driven(work(SqliteStatements(self._connection, name, self._faults)))

    async def _commit(self) -> None:
        await self._loop.run_in_executor(self._write_thread, self._commit_now)

    def _commit_now(self) -> None:
        with _translated_errors():
            self._connection.execute("COMMIT")
        self._release_gate()

    async def _rollback(self) -> None:
        try:
            if self._connection.in_transaction:
                self._connection.rollback()
        finally:
            self._release_gate()

    def _release_gate(self) -> None:
        if self._holds_gate:
            self._holds_gate = False
            self._gate.release()


class SqliteStatements(Statements):
    """Statements on a connection; nothing in them waits, so a verb runs to its end in one go."""

    def __init__(self, connection: sqlite3.Connection, name: str = "", faults: FaultHook = no_faults) -> None:
        super().__init__(name, faults)
        self._connection = connection

    async def rows(self, sql: str, *parameters: Parameter) -> Sequence[Row]:
        """Run a statement and return its rows."""
        return [Row(row) for row in self._execute(sql, parameters).fetchall()]

    async def stream(self, sql: str, *parameters: Parameter) -> AsyncIterator[Row]:
        """Run a query and yield its rows, a few at a time in memory."""
        cursor = self._execute(sql, parameters)
        while chunk := cursor.fetchmany(_CHUNK):
            for row in chunk:
                yield Row(row)

    def _execute(self, sql: str, parameters: Sequence[Parameter]) -> sqlite3.Cursor:
        self._point()
        return self._connection.execute(_translated(sql), parameters)


def _driven(work: Awaitable[T]) -> T:
    """Run a verb that never waits to its end."""
    result: list[T] = []

    async def run() -> None:
        result.append(await work)

    try:
        run().send(None)
    except StopIteration:
        return result[0]
    raise AssertionError("a verb waited for something else than a statement")


def _store(connection: sqlite3.Connection, work: WorkingSet, faults: FaultHook) -> None:
    statements = (
        ("free_keys", _translated(working_rows.FREE_KEY), working_rows.freed_keys(work)),
        ("open_calls", _OPEN_CALL, working_rows.opened_calls(work, amount_to_blob)),
        ("take_keys", _translated(working_rows.TAKE_KEY), working_rows.taken_keys(work)),
        ("end_calls", _END_CALL, working_rows.ended_calls(work, amount_to_blob)),
        ("keep_answers", _translated(working_rows.KEEP_ANSWER), working_rows.kept_answers(work)),
        ("change_accounts", _CHANGE_ACCOUNT, working_rows.changed_accounts(work, amount_to_blob)),
        ("add_entries", _ADD_ENTRY, working_rows.added_entries(work, amount_to_blob)),
    )
    for name, sql, rows in statements:
        faults(f"store.{name}")
        changed = connection.executemany(sql, rows).rowcount
        if name == "end_calls" and rows and changed != len(rows):
            raise ConstraintViolated("a call was ended meanwhile; nothing of this was kept")


class _AmountSum:
    """SQLite's own sums end at 64 bits, and know no blobs."""

    def __init__(self) -> None:
        self._total = 0

    def step(self, amount: bytes) -> None:
        self._total += int.from_bytes(amount, "big")

    def finalize(self) -> bytes:
        return amount_to_blob(self._total)


def _connected(database: SqliteDatabase, *, read_only: bool) -> sqlite3.Connection:
    connection = connect_sqlite(database.path, read_only=read_only)
    connection.row_factory = sqlite3.Row
    connection.create_aggregate(_SUM, 1, _AmountSum)  # type: ignore[arg-type]  # typeshed knows integers only
    return connection


@lru_cache(maxsize=256)
def _translated(sql: str) -> str:
    """Turn common SQL into SQLite's: `?1` for `$1`, no row locks (the writer has the file to itself), its clock."""
    sql = sql.replace(" FOR UPDATE", "").replace("{now}", _NOW)
    return sql.replace("{sum}", _SUM).replace("$", "?")


@contextmanager
def _translated_errors() -> Iterator[None]:
    """Turn the driver's errors into ours.

    Raises:
        ConstraintViolated: when the schema refuses a row.
        DatabaseUnavailable: for everything else that SQLite reports: a full disk, a lock that is held too long.
        sqlite3.ProgrammingError: when a value is none that SQLite takes; the fault is the caller's, not the file's.
    """
    try:
        yield
    except sqlite3.IntegrityError as error:
        raise ConstraintViolated(f"the schema refused a row of the ledger: {error}") from error
    except sqlite3.ProgrammingError:
        raise
    except sqlite3.Error as error:
        kind = getattr(error, "sqlite_errorname", type(error).__name__)
        raise DatabaseUnavailable(f"the ledger's file cannot be used ({kind}); nothing of this was kept") from error
