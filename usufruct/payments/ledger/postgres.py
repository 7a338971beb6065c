"""The ledger's verbs on PostgreSQL: asyncpg itself, one writing connection for each process, group commit.

Needs the `postgres` extra.
"""

import asyncio
from functools import lru_cache
from typing import Any

import asyncpg  # type: ignore[import-untyped]

from usufruct.core import id_to_bytes
from usufruct.payments.ledger.backend import Job, Outcome, Points, closed, no_points, resolve
from usufruct.store import ConstraintViolated, DatabaseUnavailable

LARGEST_GROUP = 256
ATTEMPTS = 5

_LOCK_CHANNELS = "SELECT 1 FROM channels WHERE id = ANY($1) ORDER BY id FOR UPDATE"
_CONFLICTS = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
_LOST = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
)

_Queued = tuple[Job, "asyncio.Future[Any]"]


class PostgresBackend:
    """Runs verbs on a PostgreSQL database that other processes use at the same time."""

    def __init__(self, url: str, points: Points = no_points) -> None:
        self._url = url
        self._points = points
        self._closed = False
        self._queue: asyncio.Queue[_Queued | None] = asyncio.Queue()
        self._writer: asyncpg.Connection | None = None
        self._readers = asyncpg.create_pool(self._url, min_size=0, max_size=4, init=_prepare)
        self._task = asyncio.create_task(self._serve(), name="ledger-writer")

    async def write(self, job: Job) -> Any:
        """Run a verb in a group commit and return its result once that is durable."""
        if self._closed:
            raise closed()
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._queue.put_nowait((job, future))
        return await future

    async def read(self, job: Job) -> Any:
        """Run a verb that only reads, on one moment of the database."""
        try:
            await self._readers
            async with (
                self._readers.acquire() as connection,
                connection.transaction(isolation="repeatable_read", readonly=True),
            ):
                return await _drive(connection, job, no_points, _Progress())
        except _LOST as error:
            raise _unavailable(error) from error

    async def close(self) -> None:
        """Finish what is queued and close the connections."""
        self._closed = True
        self._queue.put_nowait(None)
        await self._task
        await self._readers
        await self._readers.close()

    async def _serve(self) -> None:
        """Take what is queued, commit it together, answer; until told to stop."""
        stop = False
        while not stop and (first := await self._queue.get()) is not None:
            group = [first]
            while len(group) < LARGEST_GROUP and not self._queue.empty() and not stop:
                if (queued := self._queue.get_nowait()) is None:
                    stop = True
                else:
                    group.append(queued)
            try:
                outcomes = await self._commit_together([job for job, _ in group])
            except Exception as error:  # a bug of ours, or no such database; nobody may wait for ever because of it
                outcomes = [(None, error)] * len(group)
                self._hang_up()
            resolve([future for _, future in group], outcomes)
        if self._writer is not None:
            await self._writer.close()

    async def _commit_together(self, jobs: list[Job]) -> list[Outcome]:
        """Run jobs in one transaction; if one fails after it changed something, each in a transaction of its own."""
        for _ in range(ATTEMPTS):
            try:
                outcomes = await self._transact(await self._connected(), jobs)
            except _CONFLICTS:
                continue
            except _LOST as error:
                self._hang_up()
                return [(None, _unavailable(error))] * len(jobs)
            if outcomes is None:
                return [(await self._commit_together([job]))[0] for job in jobs]
            return outcomes
        return [(None, DatabaseUnavailable("the ledger's rows are contended; try again"))] * len(jobs)

    async def _transact(self, connection: "asyncpg.Connection", jobs: list[Job]) -> list[Outcome] | None:
        """Commit jobs together. None, and nothing done, when one of several spoils it for the others."""
        transaction = connection.transaction()
        await transaction.start()
        outcomes: list[Outcome] = []
        try:
            if channels := {channel for job in jobs for channel in job.channels}:
                await connection.fetch(_LOCK_CHANNELS, [id_to_bytes(channel) for channel in channels])
            for job in jobs:
                outcome, spoilt = await _attempt(connection, job, self._points)
                if spoilt:
                    await transaction.rollback()
                    return [outcome] if len(jobs) == 1 else None
                outcomes.append(outcome)
        except _CONFLICTS:
            await transaction.rollback()
            raise
        self._points("commit.before")
        await transaction.commit()
        self._points("commit.after")
        return outcomes

    def _hang_up(self) -> None:
        """Drop the writing connection, and with it whatever transaction it is in; the next group gets a new one."""
        if self._writer is not None:
            self._writer.terminate()

    async def _connected(self) -> "asyncpg.Connection":
        if self._writer is None or self._writer.is_closed():
            self._writer = await asyncpg.connect(self._url, server_settings={"synchronous_commit": "on"})
            await _prepare(self._writer)
        return self._writer


async def _prepare(connection: "asyncpg.Connection") -> None:
    """Carry NUMERIC as Python integers, exactly."""
    await connection.set_type_codec("numeric", schema="pg_catalog", encoder=str, decoder=int, format="text")


async def _attempt(connection: "asyncpg.Connection", job: Job, points: Points) -> tuple[Outcome, bool]:
    """Run a verb; return its outcome, and whether it spoilt the transaction by failing after a change."""
    progress = _Progress()
    try:
        return (await _drive(connection, job, points, progress), None), False
    except (*_CONFLICTS, *_LOST):
        raise
    except asyncpg.IntegrityConstraintViolationError as error:
        rule = error.constraint_name or error.message
        return (None, ConstraintViolated(f"the schema refused what {job.name} wrote: {rule}")), True
    except Exception as error:
        return (None, error), progress.changed or isinstance(error, asyncpg.PostgresError)


class _Progress:
    """Whether a verb has changed something yet."""

    changed = False


async def _drive(connection: "asyncpg.Connection", job: Job, points: Points, progress: _Progress) -> Any:
    verb = job.start()
    rows: list[asyncpg.Record] | None = None
    step = 0
    while True:
        try:
            statement = verb.send(rows)
        except StopIteration as end:
            return end.value
        points(f"{job.name}.{step}")
        progress.changed |= not statement.sql.startswith("SELECT")
        rows = await connection.fetch(_translated(statement.sql), *statement.parameters)
        step += 1


@lru_cache(maxsize=256)
def _translated(sql: str) -> str:
    """Turn common SQL into PostgreSQL's: its clock, which moves on within a transaction."""
    return sql.replace("{now}", "CAST(floor(extract(epoch FROM clock_timestamp())) AS BIGINT)")


def _unavailable(error: Exception) -> DatabaseUnavailable:
    kind = type(error).__name__
    return DatabaseUnavailable(
        f"the ledger's database is gone ({kind}); ask again with the same call id: it counts once"
    )
