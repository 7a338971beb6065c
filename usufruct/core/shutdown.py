"""How a process ends: asked once it finishes what runs, asked twice it ends now."""

import asyncio
from collections.abc import Awaitable
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
    while True:
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():
                raise
