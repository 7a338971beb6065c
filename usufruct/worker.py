"""The background runner: an installation's jobs, side by side, until it is told to stop.

Any number of workers and gateways may share one database. Each job knows by itself how not to do a thing twice: only
the worker that holds the claimer's lease claims, and stopping gives the lease back.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

Job = Callable[[], Coroutine[Any, Any, None]]
"""Work that does not end by itself, and tidies up when it is cancelled."""

_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 60.0

_log = logging.getLogger(__name__)


async def work(jobs: Mapping[str, Job], *, first_pause: float = _FIRST_PAUSE) -> None:
    """Run jobs until cancelled; returns when each has tidied up.

    A job that a fault of ours ends is begun again after `first_pause` seconds, longer each time; the others go on.
    """
    try:
        async with asyncio.TaskGroup() as group:
            for name, job in jobs.items():
                group.create_task(_keep(name, job, first_pause), name=name)
    finally:
        _log.info("worker ends")


async def _keep(name: str, job: Job, pause: float) -> None:
    while True:
        try:
            await job()
        except Exception:  # what a job knows how to bear it bears itself; this is a fault, and money still moves
            _log.exception("job %s failed and begins again in %.0f s", name, pause, extra={"job": name})
        else:
            _log.error("job %s ended and begins again in %.0f s", name, pause, extra={"job": name})
        await asyncio.sleep(pause)
        pause = min(_LONGEST_PAUSE, pause * 2)
