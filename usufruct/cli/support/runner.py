"""Runs a command's work, and turns every error we know into one clean line."""

import asyncio
import signal
import sys
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from rich.console import Console

from usufruct.cli.support.output import one_line, words
from usufruct.core import UsufructError
from usufruct_client.errors import ClientError

T = TypeVar("T")


def run(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a command's work to its end; Ctrl-C and SIGTERM let it tidy up, and give the exit code a shell expects."""

    async def to_its_end() -> T:
        task = asyncio.current_task()
        assert task is not None
        with suppress(NotImplementedError, RuntimeError, ValueError):  # on Windows, and off the main thread
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await work()

    try:
        return asyncio.run(to_its_end())
    except KeyboardInterrupt:
        sys.exit(130)
    except asyncio.CancelledError:
        sys.exit(143)


def run_blocking(work: Callable[[], T]) -> T:
    """Run a command's work outside an event loop; SIGTERM ends it as Ctrl-C does, with its own exit code."""

    def terminate(number: int, _: object) -> None:
        sys.exit(128 + number)

    if threading.current_thread() is not threading.main_thread():
        return work()
    before = signal.signal(signal.SIGTERM, terminate)
    try:
        return work()
    finally:
        signal.signal(signal.SIGTERM, before or signal.SIG_DFL)


def exit_with(error: UsufructError | ClientError) -> None:
    """Print an error as one line, and end with exit code 1."""
    line = words("error", "red").append_text(words(f" {error.code}: {one_line(error.message)}", "default"))
    Console(stderr=True, highlight=False).print(line, soft_wrap=True)
    sys.exit(1)
