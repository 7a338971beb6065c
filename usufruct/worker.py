"""The background runner: an installation's jobs, side by side, until it is stopped.

Any number of workers and gateways may share one database. Each job knows by itself how not to do a thing twice: only
the worker that holds the claimer's lease claims, and stopping gives the lease back.
"""

import logging
from collections.abc import Iterable

from usufruct.core.jobs import Job, JobBoard, run_jobs

_log = logging.getLogger(__name__)


async def work(jobs: Iterable[Job], board: JobBoard | None = None) -> None:
    """Run jobs until cancelled; returns when each has tidied up. `board` keeps which of them fail."""
    try:
        await run_jobs(jobs, board)
    finally:
        _log.info("worker ends")
