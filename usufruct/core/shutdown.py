"""How a process ends: asked once it finishes what runs, asked twice it ends now."""

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


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
