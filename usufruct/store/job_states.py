"""The jobs that fail, by process, stored so that another process can report them."""

import logging
import secrets
from collections.abc import Sequence

from sqlalchemy import BigInteger, Column, Integer, String, Table, delete, insert, select

from usufruct.core import Clock
from usufruct.core.jobs import JobBoard, JobState
from usufruct.store.database import Database
from usufruct.store.metadata import metadata

_log = logging.getLogger(__name__)

_FRESH_SECONDS = 300
_REPORT_SECONDS = 30.0
_LONGEST_MESSAGE = 300

job_states = Table(
    "job_states",
    metadata,
    Column("process", String(40), primary_key=True),
    Column("job", String(40), primary_key=True),
    Column("failing_since", BigInteger),  # wall seconds; NULL: it does not fail
    Column("failures", Integer, nullable=False),  # in a row
    Column("failed", BigInteger, nullable=False),  # in all
    Column("code", String(100), nullable=False),
    Column("message", String(_LONGEST_MESSAGE), nullable=False),
    Column("seen_at", BigInteger, nullable=False),  # by the database's clock
)


class DatabaseJobBoard(JobBoard):
    """Writes states to a database: each failure, and every now and then that a job does well.

    A database that cannot be written to is logged and nothing else: the jobs go on.
    """

    def __init__(self, database: Database, role: str, clock: Clock | None = None) -> None:
        super().__init__(clock)
        self._database = database
        self._process = f"{role}-{secrets.token_hex(4)}"
        self._written: dict[str, float] = {}

    async def write(self, state: JobState) -> None:
        """Write a job's state down, unless it does as well as a moment ago."""
        now = self._clock.monotonic()
        if not state.failures and now - self._written.get(state.name, float("-inf")) < _REPORT_SECONDS:
            return
        try:
            await self._write(state)
        except Exception:  # whatever it is, the jobs go on, and their states are in the process's metrics
            _log.exception("the state of job %s is not written down", state.name)
        else:
            self._written[state.name] = now if not state.failures else float("-inf")

    async def close(self) -> None:
        """Remove what this process wrote."""
        try:
            async with self._database.transaction() as unit:
                await unit.change(delete(job_states).where(job_states.c.process == self._process))
        except Exception:  # the process ends; readers forget it after some minutes
            _log.exception("the states of jobs stay written down")

    async def _write(self, state: JobState) -> None:
        now = await self._database.now()
        row = {
            "process": self._process,
            "job": state.name,
            "failing_since": state.failing_since,
            "failures": state.failures,
            "failed": state.failed,
            "code": state.code,
            "message": state.message[:_LONGEST_MESSAGE],
            "seen_at": now,
        }
        same = (job_states.c.process == self._process, job_states.c.job == state.name)
        async with self._database.transaction() as unit:
            await unit.change(delete(job_states).where(*same))
            await unit.change(delete(job_states).where(job_states.c.seen_at < now - 10 * _FRESH_SECONDS))
            await unit.change(insert(job_states).values(row))


async def reported_jobs(database: Database) -> Sequence[tuple[str, JobState]]:
    """Return the jobs of processes that run, as each process, which is named, wrote them down last."""
    now = await database.now()
    query = select(job_states).where(job_states.c.seen_at >= now - _FRESH_SECONDS)
    async with database.snapshot() as unit:
        rows = await unit.rows(query.order_by(job_states.c.process, job_states.c.job))
    return [
        (row.process, JobState(row.job, row.failing_since, row.failures, row.failed, row.code, row.message))
        for row in rows
    ]
