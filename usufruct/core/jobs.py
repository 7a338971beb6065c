"""Background jobs: one value, one runner with exponential back-off, and a board that says which of them fail.

A job's step is taken every `every` seconds. After a failure it is taken again after some seconds, then after twice the
time, up to `longest`. So a job that fails repeatedly is known within a minute, however rarely it is due.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace

from usufruct.core.clock import Clock
from usufruct.core.errors import Unavailable, UsufructError

__all__ = ["Job", "JobBoard", "JobState", "jobs_running", "run_job", "run_jobs"]

_log = logging.getLogger(__name__)

_FIRST_SECONDS = 5.0
_FAULT = "fault"

REPEATEDLY = 2
"""A job that failed so often in a row fails repeatedly."""


@dataclass(frozen=True, slots=True)
class Job:
    """Work that is done again and again.

    Stopped, the job finishes its step, if that takes no longer than `finish` seconds; then `close` is called, to give
    back a lease, say.
    """

    name: str
    step: Callable[[], Awaitable[object]]
    every: float
    close: Callable[[], Awaitable[object]] | None = None
    longest: float = 60.0
    finish: float = 10.0

    def pause(self, failures: int) -> float:
        """Return the seconds to the next step, after so many failures in a row."""
        if not failures:
            return self.every
        return min(self.longest, min(self.every, _FIRST_SECONDS) * 2.0 ** min(failures, 20))


@dataclass(frozen=True, slots=True)
class JobState:
    """How a job does. `failures`: in a row, since `failing_since` (wall seconds); `failed`: in all.

    `code` and `message` are of the last failure and hold no secret: of a fault of ours they name its class only.
    """

    name: str
    failing_since: int | None = None
    failures: int = 0
    failed: int = 0
    code: str = ""
    message: str = ""

    @property
    def fails(self) -> bool:
        """Whether the job fails repeatedly."""
        return self.failures >= REPEATEDLY


class JobBoard:
    """The states of one process's jobs; a subclass writes them down for other processes."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or Clock()
        self._states: dict[str, JobState] = {}

    @property
    def states(self) -> list[JobState]:
        """Return the state of every job that took a step, by name."""
        return [self._states[name] for name in sorted(self._states)]

    async def succeeded(self, name: str) -> None:
        """Note that a job's step went well."""
        before = self._states.get(name, JobState(name))
        await self._note(replace(before, failing_since=None, failures=0, code="", message=""))

    async def failed(self, name: str, error: Exception) -> JobState:
        """Note that a job's step failed, and return how the job does now."""
        before = self._states.get(name, JobState(name))
        code, message = _FAULT, type(error).__name__
        if isinstance(error, UsufructError):
            code, message = error.code, error.message
        state = replace(
            before,
            failing_since=self._clock.now() if before.failing_since is None else before.failing_since,
            failures=before.failures + 1,
            failed=before.failed + 1,
            code=code,
            message=message,
        )
        await self._note(state)
        return state

    async def write(self, state: JobState) -> None:
        """Write one job's state down."""

    async def close(self) -> None:
        """Take back what was written: the process ends."""

    async def _note(self, state: JobState) -> None:
        self._states[state.name] = state
        await self.write(state)


async def run_job(job: Job, board: JobBoard | None = None) -> None:
    """Run a job until cancelled. Nothing that a step raises ends it."""
    board = board or JobBoard()
    try:
        while True:
            failures = 0
            try:
                await _take(job)
            except Exception as error:
                state = await board.failed(job.name, error)
                failures = state.failures
                _say(job, state, error)
            else:
                await board.succeeded(job.name)
            await asyncio.sleep(job.pause(failures))
    finally:
        if job.close is not None:
            await job.close()


async def run_jobs(jobs: Iterable[Job], board: JobBoard | None = None) -> None:
    """Run jobs side by side until cancelled; returns when each has closed."""
    board = board or JobBoard()
    try:
        async with asyncio.TaskGroup() as group:
            for job in jobs:
                group.create_task(run_job(job, board), name=job.name)
    finally:
        await board.close()


@asynccontextmanager
async def jobs_running(jobs: Iterable[Job], board: JobBoard | None = None) -> AsyncIterator[None]:
    """Run jobs while the block runs; when it ends, each has closed."""
    running = asyncio.create_task(run_jobs(jobs, board))
    try:
        yield
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def _take(job: Job) -> None:
    """Take a step; cancelled meanwhile, let it finish first, for a bounded time."""
    step = asyncio.ensure_future(job.step())
    try:
        await asyncio.shield(step)
    except asyncio.CancelledError:
        await asyncio.wait([step], timeout=job.finish)
        if not step.done():
            step.cancel()
            await asyncio.wait([step], timeout=job.finish)
        if step.done() and not step.cancelled() and (error := step.exception()):
            _log.warning("the last step of job %s failed: %s", job.name, error, extra={"job": job.name})
        raise


def _say(job: Job, state: JobState, error: Exception) -> None:
    """Log a failure: what is away as a warning, what an operator must mend as an error, a fault with its trace."""
    level = logging.WARNING if isinstance(error, Unavailable) else logging.ERROR
    _log.log(
        level,
        "job %s failed %d times in a row, the next try is in %.1f s: %s",
        job.name,
        state.failures,
        job.pause(state.failures),
        state.message,
        extra={"job": job.name, "code": state.code, "failures": state.failures},
        exc_info=None if isinstance(error, UsufructError) else error,
    )
