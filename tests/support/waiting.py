"""Wait for what has to come true, without a guess of when; or let time pass without waiting."""

import asyncio
from collections.abc import Awaitable, Callable
from inspect import isawaitable

PATIENCE = 60.0
"""How long a test waits for something good: a busy machine makes it late, only a fault makes it fail."""


async def until(condition: Callable[[], Awaitable[object] | object], seconds: float = PATIENCE) -> None:
    """Return as soon as `condition`, a function or a coroutine function, holds.

    Raises:
        TimeoutError: when it does not within `seconds`.
    """
    async with asyncio.timeout(seconds):
        while True:
            holds = condition()
            if await holds if isawaitable(holds) else holds:
                return
            await asyncio.sleep(0.01)


def pass_loop_time(seconds: float) -> None:
    """Move the running event loop's clock on: timers that fall due within `seconds` fire at once."""
    loop = asyncio.get_running_loop()
    time = loop.time
    loop.time = lambda: time() + seconds  # type: ignore[method-assign]
