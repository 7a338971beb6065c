"""What a process that serves does at its start and its end.

Asked to end once, it finishes what runs; asked twice, it ends now.
"""

import asyncio
import gc
import os
import signal
import sys
import threading
from collections.abc import Awaitable
from contextlib import suppress
from typing import TypeVar

__all__ = ["Shutdown", "end_with_standard_input", "spare_collector", "unbroken"]

T = TypeVar("T")

_YOUNG = 20_000
"""Objects made and not freed before the collector looks at the young ones; Python's own number is 700."""


class Shutdown:
    """What the signals of a process ask for: `asked` by the first, `forced` by the second.

    `drains` is set by work that ends by itself once asked; other work is cancelled.
    """

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.forced = asyncio.Event()
        self.drains = False


async def unbroken(work: Awaitable[T]) -> T:
    """Await work to its end, though this task is cancelled meanwhile; the cancellation is dropped.

    For short work that must not be left half done, such as a charge.
    """
    task = asyncio.ensure_future(work)
    while not task.done():
        with suppress(asyncio.CancelledError):
            await _end_of(task)
    return task.result()


def _end_of(task: "asyncio.Future[T]") -> "asyncio.Future[None]":
    """Return a separate future for the end of `task`, which cancelling does not reach."""
    end: asyncio.Future[None] = task.get_loop().create_future()

    def tell(_: object) -> None:
        if not end.done():
            end.set_result(None)

    task.add_done_callback(tell)
    return end


def spare_collector() -> None:
    """Let the collector pass over all that is there now, and look less often at what comes.

    Modules and settings stay for the process's life. A call makes few cycles, and most of its objects are freed when
    it ends.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, 20, 20)


def end_with_standard_input() -> None:
    """Send this process SIGTERM as soon as its standard input ends, which means that its parent ended."""

    def wait() -> None:
        while os.read(sys.stdin.fileno(), 1024):  # sys.stdin itself has a lock that must be free when we end
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()
