"""Long-running commands: how a process starts, and what the first and later signals do."""

import asyncio
import logging
import signal
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import orjson

from usufruct.core.process import Shutdown, end_with_standard_input
from usufruct.web import event_loop_factory, log_as_json

_VERBOSE_LIBRARIES = ("alembic", "uvicorn")

_log = logging.getLogger(__name__)


def announce_ready(ready: dict[str, object]) -> None:
    """Log and print the JSON line that `Process` waits for."""
    loop = type(asyncio.get_running_loop()).__module__.partition(".")[0]
    _log.info("ready", extra={**ready, "event_loop": loop})
    print(orjson.dumps(ready).decode(), flush=True)  # noqa: T201


def run_until_stopped(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run work that goes on until SIGTERM or Ctrl-C: the first cancels it, so that it tidies up; more hurry that."""
    asyncio.run(_until_stopped(lambda _: work()))


def run_server(work: Callable[[Shutdown], Coroutine[Any, Any, None]], *, attached: bool) -> None:
    """Run a server process on the servers' event loop until SIGTERM or Ctrl-C; its log is JSON.

    The first asks work that drains to finish, and cancels other work; the second forces it; more cancel all there is.
    If `attached`, the process also exits when its standard input ends.
    """
    log_as_json()
    for library in _VERBOSE_LIBRARIES:
        logging.getLogger(library).setLevel(logging.WARNING)
    if attached:
        end_with_standard_input()
    with asyncio.Runner(loop_factory=event_loop_factory()) as runner:
        runner.run(_until_stopped(work))


async def _until_stopped(work: Callable[[Shutdown], Coroutine[Any, Any, None]]) -> None:
    shutdown = Shutdown()
    task = asyncio.ensure_future(work(shutdown))

    def stop() -> None:
        if not shutdown.asked.is_set():
            shutdown.asked.set()
            if not shutdown.drains:
                task.cancel()
        elif shutdown.drains and not shutdown.forced.is_set():
            shutdown.forced.set()
        else:
            for each in asyncio.all_tasks() - {asyncio.current_task(), waiting}:
                each.cancel()

    waiting = asyncio.current_task()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, stop)
    with suppress(asyncio.CancelledError):
        await task
