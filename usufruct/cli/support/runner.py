"""Runs a command's work, and turns every error we know into one clean line."""

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from rich.console import Console

from usufruct.cli.support.output import one_line, words
from usufruct.core import Shutdown, UsufructError
from usufruct.web import event_loop_factory

T = TypeVar("T")


def run(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a command's work to its end; Ctrl-C and SIGTERM let it tidy up, and give the exit code a shell expects."""
    try:
        return asyncio.run(_to_its_end(work))
    except KeyboardInterrupt:
        sys.exit(130)
    except asyncio.CancelledError:
        sys.exit(143)


async def _to_its_end(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    task = asyncio.current_task()
    assert task is not None
    with suppress(NotImplementedError, RuntimeError, ValueError):  # on Windows, and off the main thread
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await work()


def run_until_stopped(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run work that goes on until SIGTERM or Ctrl-C: the first cancels it, so that it tidies up; more hurry that."""
    asyncio.run(_until_stopped(lambda _: work()))


def run_server(work: Callable[[Shutdown], Coroutine[Any, Any, None]]) -> None:
    """Run a server process on the servers' event loop until SIGTERM or Ctrl-C.

    The first asks work that drains to finish, and cancels other work; the second forces it; more cancel all there is.
    """
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


def exit_with(error: UsufructError) -> None:
    """Print an error as one line, and end with exit code 1."""
    line = words("error", "red").append_text(words(f" {error.code}: {one_line(error.message)}", "default"))
    Console(stderr=True, highlight=False).print(line, soft_wrap=True)
    sys.exit(1)
