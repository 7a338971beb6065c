"""The ledger on PostgreSQL: asyncpg itself, one writing connection for each process, group commit.

A transaction of hot verbs takes five round trips, however many verbs it holds: begin, lock and read the accounts, read
the calls, write everything in one statement, commit. Needs the `postgres` extra.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import TypeVar

import asyncpg  # type: ignore[import-untyped]

from usufruct.payments.ledger import working_rows
from usufruct.payments.ledger.backend import Backend, Contended
from usufruct.payments.ledger.rows import ACCOUNT_COLUMNS, CALL_COLUMNS, KEY_COLUMNS
from usufruct.payments.ledger.sql_statements import FaultHook, Parameter, Row, Statements, Work, no_faults
from usufruct.payments.ledger.working_set import Needs, WorkingSet
from usufruct.store import ConstraintViolated, DatabaseUnavailable, check_amount

T = TypeVar("T")

_CHUNK = 1_000
_CLOCK = "CAST(floor(extract(epoch FROM clock_timestamp())) AS BIGINT)"
_QUERIES = working_rows.Queries(
    accounts=f"SELECT {ACCOUNT_COLUMNS}, {_CLOCK} AS now FROM accounts WHERE id = ANY($1) ORDER BY id FOR UPDATE",
    calls=f"SELECT {CALL_COLUMNS} FROM calls WHERE id = ANY($1)",
    keys_of_calls=f"SELECT {KEY_COLUMNS} FROM answers WHERE call_id = ANY($1)",
    keys=f"SELECT {KEY_COLUMNS} FROM answers WHERE (scope, key) IN (SELECT * FROM unnest($1::text[], $2::text[]))",
    published="SELECT account_id, voucher_amount FROM claims WHERE (account_id, voucher_amount) IN "
    "(SELECT account, amount::numeric FROM unnest($1::bytea[], $2::text[]) AS asked(account, amount))",
)
_WRITE = """
WITH opened AS (
  INSERT INTO calls (id, account_id, asset, state, owner, epoch, lease_until, ceiling, price_card_version,
    request_hash, opened_at, voucher_amount, voucher_signature)
  SELECT id, account_id, asset, 'open', owner, epoch, lease_until, ceiling::numeric, version, request_hash, opened_at,
    promise::numeric, signature
  FROM unnest($1::bytea[], $2::bytea[], $3::bytea[], $4::text[], $5::bigint[], $6::bigint[], $7::text[], $8::bigint[],
    $9::bytea[], $10::bigint[], $11::text[], $12::bytea[])
    AS n(id, account_id, asset, owner, epoch, lease_until, ceiling, version, request_hash, opened_at, promise,
    signature)
), ended AS (
  UPDATE calls SET state = e.state, epoch = e.epoch, finished_at = e.finished_at, reason = e.reason,
    receipt_signature = e.signature, charge = e.charge::numeric, cumulative = e.cumulative::numeric, lines = e.lines,
    flagged = e.flagged, model_digest = e.model, response_hash = e.response, counted_by = e.counted_by,
    reasoning_tokens = e.reasoning
  FROM unnest($13::bytea[], $14::bigint[], $15::text[], $16::bigint[], $17::bigint[], $18::text[], $19::bytea[],
    $20::text[], $21::text[], $22::text[], $23::boolean[], $24::bytea[], $25::bytea[], $26::text[], $27::bigint[])
    AS e(id, before, state, epoch, finished_at, reason, signature, charge, cumulative, lines, flagged, model, response,
    counted_by, reasoning)
  WHERE calls.id = e.id AND calls.state = 'open' AND calls.epoch = e.before
  RETURNING calls.id
), changed AS (
  UPDATE accounts SET charged = c.charged::numeric, reserved = c.reserved::numeric,
    voucher_amount = c.promise::numeric, voucher_signature = c.signature, last_call_at = c.last_call_at,
    day = c.day, charged_before = c.charged_before::numeric
  FROM unnest($28::bytea[], $29::text[], $30::text[], $31::text[], $32::bytea[], $33::bigint[], $34::bigint[],
    $35::text[])
    AS c(id, charged, reserved, promise, signature, last_call_at, day, charged_before)
  WHERE accounts.id = c.id
), moved AS (
  INSERT INTO entries (account_id, call_id, asset, debit, credit, amount, at)
  SELECT account_id, call_id, asset, debit, credit, amount::numeric, at
  FROM unnest($36::bytea[], $37::bytea[], $38::bytea[], $39::text[], $40::text[], $41::text[], $42::bigint[])
    AS m(account_id, call_id, asset, debit, credit, amount, at)
)
SELECT count(*) AS ended FROM ended
"""

_CONFLICTS = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
_LOST = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,  # a full disk, too many connections
    asyncpg.ReadOnlySQLTransactionError,  # what was the primary: a new connection may find the one that is
)


class PostgresBackend(Backend):
    """Runs verbs on a PostgreSQL database that other processes use at the same time."""

    def __init__(self, url: str, faults: FaultHook = no_faults) -> None:
        """Connect at the first verb; `faults` receives the name of every point a crash may come at."""
        self._url = url
        self._writer: asyncpg.Connection = None  # until the first verb
        self._readers = asyncpg.create_pool(url, min_size=0, max_size=4, init=_prepare)
        super().__init__(faults)

    async def read(self, work: Work[T]) -> T:
        """Run a verb that only reads, on one moment of the database."""
        with _translated_errors():
            await self._readers
            async with (
                self._readers.acquire() as connection,
                connection.transaction(isolation="repeatable_read", readonly=True),
            ):
                return await work(PostgresStatements(connection))

    async def close(self) -> None:
        """Finish what is queued and close the connections."""
        await super().close()
        if self._writer is not None:
            await self._writer.close()
        await self._readers
        await self._readers.close()

    async def _begin(self) -> None:
        with self._dropped_when_lost():
            if self._writer is None or self._writer.is_closed():
                self._writer = await self._connected()
            await self._writer.execute("BEGIN")

    async def _connected(self) -> "asyncpg.Connection":
        connection = await asyncpg.connect(self._url, server_settings={"synchronous_commit": "on"})
        try:
            await _prepare(connection)
        except BaseException:
            connection.terminate()
            raise
        return connection

    async def _load(self, needs: Sequence[Needs]) -> WorkingSet:
        with self._dropped_when_lost():
            return await working_rows.read_needs(self._find, _QUERIES, needs, _amount)

    async def _find(self, sql: str, keys: working_rows.Rows) -> Sequence[Row]:
        return [Row(row) for row in await self._writer.fetch(sql, *zip(*keys, strict=True))] if keys else []

    async def _store(self, work: WorkingSet) -> None:
        with self._dropped_when_lost():
            await _store(self._writer, work, self._faults)

    async def _run(self, name: str, work: Work[T]) -> T:
        with self._dropped_when_lost():
            return await work(PostgresStatements(self._writer, name, self._faults))

    async def _commit(self) -> None:
        with self._dropped_when_lost():
            await self._writer.execute("COMMIT")

    async def _rollback(self) -> None:
        """Undo the transaction; a connection that cannot is dropped, and with it the transaction."""
        if self._writer is None or self._writer.is_closed() or not self._writer.is_in_transaction():
            return
        try:
            await self._writer.execute("ROLLBACK")
        except (*_LOST, asyncpg.PostgresError):
            self._writer.terminate()

    @contextmanager
    def _dropped_when_lost(self) -> Iterator[None]:
        """Drop the writing connection after an error that leaves its state unknown; the next group gets a new one."""
        try:
            with _translated_errors():
                yield
        except DatabaseUnavailable as error:
            if self._writer is not None and not isinstance(error, Contended):
                self._writer.terminate()
            raise


class PostgresStatements(Statements):
    """Statements on a connection."""

    def __init__(self, connection: "asyncpg.Connection", name: str = "", faults: FaultHook = no_faults) -> None:
        super().__init__(name, faults)
        self._connection = connection

    async def rows(self, sql: str, *parameters: Parameter) -> Sequence[Row]:
        """Run a statement and return its rows."""
        self._point()
        return [Row(row) for row in await self._connection.fetch(_translated(sql), *parameters)]

    async def stream(self, sql: str, *parameters: Parameter) -> AsyncIterator[Row]:
        """Run a query and yield its rows, a few at a time in memory."""
        self._point()
        async for row in self._connection.cursor(_translated(sql), *parameters, prefetch=_CHUNK):
            yield Row(row)


async def _prepare(connection: "asyncpg.Connection") -> None:
    """Carry NUMERIC as Python integers, exactly."""
    await connection.set_type_codec("numeric", schema="pg_catalog", encoder=str, decoder=int, format="text")


async def _store(connection: "asyncpg.Connection", work: WorkingSet, faults: FaultHook) -> None:
    async def change_keys(name: str, sql: str, rows: working_rows.Rows) -> None:
        if rows:
            faults(f"store.{name}")
            await connection.executemany(sql, rows)

    await change_keys("free_keys", working_rows.FREE_KEY, working_rows.freed_keys(work))
    faults("store.write")
    ended = await connection.fetchval(
        _WRITE,
        *_columns(12, working_rows.opened_calls(work, _amount)),
        *_columns(15, working_rows.ended_calls(work, _amount)),
        *_columns(8, working_rows.changed_accounts(work, _amount)),
        *_columns(7, working_rows.added_entries(work, _amount)),
    )
    if ended != len(work.ended):
        raise ConstraintViolated("a call was ended meanwhile; nothing of this was kept")
    try:
        await change_keys("take_keys", working_rows.TAKE_KEY, working_rows.taken_keys(work))
    except asyncpg.UniqueViolationError as error:  # another process took it, for another account of the payer
        raise Contended from error
    await change_keys("keep_answers", working_rows.KEEP_ANSWER, working_rows.kept_answers(work))


def _columns(width: int, rows: working_rows.Rows) -> list[list[Parameter]]:
    """Turn rows into the arrays that `unnest` turns back into rows."""
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]


def _amount(amount: int) -> str:
    """Write an amount for an array: asyncpg carries NUMERIC of any size only as text."""
    return str(check_amount(amount))


@lru_cache(maxsize=256)
def _translated(sql: str) -> str:
    """Turn common SQL into PostgreSQL's: its clock, which moves on within a transaction, and its sum."""
    return sql.replace("{now}", _CLOCK).replace("{sum}", "SUM")


@contextmanager
def _translated_errors() -> Iterator[None]:
    """Turn the driver's errors into ours.

    Raises:
        Contended: after a deadlock or a conflict, which may be tried again.
        ConstraintViolated: when the schema refuses a row.
        DatabaseUnavailable: when the connection is lost.
    """
    try:
        yield
    except _CONFLICTS as error:
        raise Contended from error
    except asyncpg.IntegrityConstraintViolationError as error:
        rule = error.constraint_name or error.message
        raise ConstraintViolated(f"the schema refused a row of the ledger: {rule}") from error
    except _LOST as error:
        raise DatabaseUnavailable(
            f"the ledger's database is gone ({type(error).__name__}); ask again with the same call id: it counts once"
        ) from error
