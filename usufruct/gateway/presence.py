"""Whether the caller is still there, and for how long a call may go on."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from usufruct.web import Exchange


class Presence:
    """The caller at the other end: `gone` once they hung up."""

    __slots__ = ("gone",)

    def __init__(self) -> None:
        """Begin with the caller there."""
        self.gone = False


@asynccontextmanager
async def presence(exchange: Exchange, longest: float, grace: Callable[[], float]) -> AsyncIterator[Presence]:
    """Run a block for at most `longest` seconds, and for at most `grace()` more once the caller has hung up.

    Raises:
        TimeoutError: when the time is over.
    """
    caller = Presence()
    loop = asyncio.get_running_loop()

    def leave() -> None:
        caller.gone = True
        if not limit.expired():
            limit.reschedule(loop.time() + grace())

    async with asyncio.timeout(longest) as limit:
        stay = exchange.when_gone(leave)
        try:
            yield caller
        finally:
            stay()
