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

from usufruct.core import asset_to_bytes, id_to_bytes
from usufruct.payments.ledger.admission import scope_of
from usufruct.payments.ledger.backend import Alone, Backend
from usufruct.payments.ledger.records import Account
from usufruct.payments.ledger.rows import ACCOUNT_COLUMNS, CALL_COLUMNS, account_of, call_of, key_of, lines_text
from usufruct.payments.ledger.statements import FaultHook, Money, Parameter, Row, Work, no_faults
from usufruct.payments.ledger.working_set import EndedCall, Entry, KeptKey, Needs, NewCall, WorkingSet
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
_NOW = "SELECT CAST(strftime('%s', 'now') AS INTEGER) AS now"
_ACCOUNT = f"SELECT {ACCOUNT_COLUMNS} FROM accounts WHERE id = ?"
_CALL = f"SELECT {CALL_COLUMNS} FROM calls WHERE id = ?"
_KEY_COLUMNS = "scope, key, call_id, body_hash, sealed, expires_at"
_KEY = f"SELECT {_KEY_COLUMNS} FROM answers WHERE scope = ? AND key = ?"
_KEY_OF = f"SELECT {_KEY_COLUMNS} FROM answers WHERE call_id = ?"
_PUBLISHED = "SELECT 1 AS found FROM claims WHERE account_id = ? AND voucher_amount = ? LIMIT 1"
_INSERT_CALL = (
    "INSERT INTO calls (id, account_id, asset, state, owner, epoch, lease_until, ceiling, price_card_version, "
    "request_hash, opened_at, voucher_amount, voucher_signature) "
    "VALUES (?, ?, ?, 'open', ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_END_CALL = (
    "UPDATE calls SET state = ?, epoch = ?, finished_at = ?, reason = ?, charge = ?, cumulative = ?, "
    "lines = ?, flagged = ?, model_digest = ?, response_hash = ?, counted_by = ?, reasoning_tokens = ?, "
    "receipt_signature = ? WHERE id = ? AND state = 'open' AND epoch = ?"
)
_CHANGE_ACCOUNT = (
    "UPDATE accounts SET charged = ?, reserved = ?, voucher_amount = ?, voucher_signature = ?, last_call_at = ? "
    "WHERE id = ?"
)
_INSERT_ENTRY = (
    "INSERT INTO entries (account_id, call_id, asset, debit, credit, amount, at) VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_NOT_BILLED = (None,) * 8
_FREE_KEY = "DELETE FROM answers WHERE call_id = ?"
_TAKE_KEY = "INSERT INTO answers (scope, key, call_id, body_hash, expires_at) VALUES (?, ?, ?, ?, ?)"
_KEEP_ANSWER = "UPDATE answers SET sealed = ?, expires_at = ? WHERE call_id = ?"


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

    async def read(self, name: str, work: Work[T]) -> T:
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
                return _driven(work(SqliteStatements(connection, "", no_faults)))
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
            return _loaded(self._connection, needs)

    async def _store(self, work: WorkingSet) -> None:
        with _translated_errors():
            _store(self._connection, work, self._faults)

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

    async def _run(self, alone: Alone[object]) -> object:
        return await self._loop.run_in_executor(self._write_thread, self._run_now, alone)

    def _run_now(self, alone: Alone[object]) -> object:
        try:
            self._wait_and_begin()
            with _translated_errors():
                result = _driven(alone.work(SqliteStatements(self._connection, alone.name, self._faults)))
                self._faults("commit.before")
                self._connection.execute("COMMIT")
        finally:
            if self._connection.in_transaction:
                self._connection.rollback()
            self._release_gate()
        self._faults("commit.after")
        return result


class SqliteStatements:
    """One transaction; nothing in it waits, so a verb runs to its end in one go."""

    def __init__(self, connection: sqlite3.Connection, name: str, faults: FaultHook) -> None:
        """Run on `connection`; `faults` receives `name` and a number before each statement."""
        self._connection = connection
        self._name = name
        self._faults = faults
        self._step = 0

    async def rows(self, sql: str, *parameters: Parameter) -> Sequence[Row]:
        """Run a statement and return its rows."""
        return [Row(row) for row in self._execute(sql, parameters).fetchall()]

    async def row(self, sql: str, *parameters: Parameter) -> Row | None:
        """Run a statement and return its first row, or None."""
        rows = await self.rows(sql, *parameters)
        return rows[0] if rows else None

    async def stream(self, sql: str, *parameters: Parameter) -> AsyncIterator[Row]:
        """Run a query and yield its rows, a few at a time in memory."""
        cursor = self._execute(sql, parameters)
        while chunk := cursor.fetchmany(_CHUNK):
            for row in chunk:
                yield Row(row)

    def _execute(self, sql: str, parameters: Sequence[Parameter]) -> sqlite3.Cursor:
        self._faults(f"{self._name}.{self._step}")
        self._step += 1
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


def _loaded(connection: sqlite3.Connection, needs: Sequence[Needs]) -> WorkingSet:
    def first(sql: str, *parameters: Parameter) -> Row | None:
        row = connection.execute(sql, parameters).fetchone()
        return None if row is None else Row(row)

    clock = first(_NOW)
    work = WorkingSet(now=clock.integer("now") if clock else 0)
    for need in needs:
        if need.account not in work.accounts and (row := first(_ACCOUNT, id_to_bytes(need.account))) is not None:
            work.accounts[need.account] = account_of(row)
        if need.call is not None and (row := first(_CALL, id_to_bytes(need.call))) is not None:
            work.calls[need.call] = call_of(row)
            if (kept := first(_KEY_OF, id_to_bytes(need.call))) is not None:
                work.load_keys([key_of(kept)])
        account = work.accounts.get(need.account)
        if need.key is not None and account is not None:
            found = first(_KEY, scope_of(account.owner, account.signer), need.key)
            work.load_keys([key_of(found)] if found else [])
        if need.promise is not None and first(_PUBLISHED, id_to_bytes(need.account), Money(need.promise)):
            work.published.add((need.account, need.promise))
    return work


def _store(connection: sqlite3.Connection, work: WorkingSet, faults: FaultHook) -> None:
    changes: tuple[tuple[str, str, Iterator[tuple[Parameter, ...]]], ...] = (
        ("free_keys", _FREE_KEY, ((id_to_bytes(call),) for call in work.keys_freed)),
        ("open_calls", _INSERT_CALL, map(_new_call, work.opened)),
        ("take_keys", _TAKE_KEY, map(_taken_key, work.keys_taken)),
        ("end_calls", _END_CALL, map(_ended_call, work.ended)),
        ("keep_answers", _KEEP_ANSWER, ((k.sealed, k.expires_at, id_to_bytes(k.call)) for k in work.answers_kept)),
        ("change_accounts", _CHANGE_ACCOUNT, map(_changed_account, work.touched.values())),
        ("add_entries", _INSERT_ENTRY, (_entry(entry, work.now) for entry in work.entries)),
    )
    for name, sql, rows in changes:
        faults(f"store.{name}")
        changed = connection.executemany(sql, rows).rowcount
        if name == "end_calls" and changed != len(work.ended) and work.ended:
            raise ConstraintViolated("a call was ended meanwhile; nothing of this was kept")


def _new_call(new: NewCall) -> tuple[Parameter, ...]:
    call = new.call
    return (
        id_to_bytes(call.lease.call),
        id_to_bytes(call.lease.account),
        asset_to_bytes(call.asset),
        call.owner,
        call.lease.epoch,
        call.lease_until,
        amount_to_blob(call.ceiling),
        call.price_card_version,
        id_to_bytes(call.request_hash),
        call.opened_at,
        amount_to_blob(new.voucher.max_claimable),
        new.voucher.signature,
    )


def _ended_call(ended: EndedCall) -> tuple[Parameter, ...]:
    call, bill = ended.call, ended.call.bill
    head = (call.state.value, call.lease.epoch, call.finished_at, call.reason)
    tail = (call.receipt_signature, id_to_bytes(call.lease.call), ended.before)
    if bill is None or call.cumulative is None:
        return (*head, *_NOT_BILLED, *tail)
    return (
        *head,
        amount_to_blob(bill.charge),
        amount_to_blob(call.cumulative),
        lines_text(bill.lines),
        bill.flagged,
        id_to_bytes(bill.model_digest),
        id_to_bytes(bill.response_hash),
        bill.counted_by.value,
        bill.reasoning_tokens,
        *tail,
    )


def _changed_account(account: Account) -> tuple[Parameter, ...]:
    voucher = account.voucher
    return (
        amount_to_blob(account.charged),
        amount_to_blob(account.reserved),
        amount_to_blob(voucher.max_claimable if voucher else 0),
        voucher.signature if voucher else None,
        account.last_call_at,
        id_to_bytes(account.id),
    )


def _taken_key(key: KeptKey) -> tuple[Parameter, ...]:
    return (key.scope, key.key, id_to_bytes(key.call), id_to_bytes(key.body_hash), key.expires_at)


def _entry(entry: Entry, now: int) -> tuple[Parameter, ...]:
    return (
        id_to_bytes(entry.account),
        None if entry.call is None else id_to_bytes(entry.call),
        None if entry.asset is None else asset_to_bytes(entry.asset),
        entry.debit,
        entry.credit,
        amount_to_blob(entry.amount),
        now,
    )


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
    sql = sql.replace(" FOR UPDATE", "").replace("{now}", "CAST(strftime('%s', 'now') AS INTEGER)")
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
