"""How often an exchange is asked again, and how long it is waited for."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Pacing:
    """Time-outs and pauses: pauses double from `first_pause` to `longest_pause`, in seconds.

    A venue's own advice (`Retry-After`) is followed up to `longest_wait`; a longer one ends the attempt. A stream that
    is silent for `silence` is opened again. The list of markets has a time-out of its own: it takes
    several requests of a few megabytes each.
    """

    timeout: float = 15.0
    markets_timeout: float = 60.0
    tries: int = 5
    first_pause: float = 1.0
    longest_pause: float = 30.0
    longest_wait: float = 120.0
    silence: float = 60.0
    sleep: Sleep = asyncio.sleep

    def pause(self, tried: int) -> float:
        """Return the seconds to wait after the try number `tried`, counted from 0."""
        return min(self.longest_pause, self.first_pause * 2.0**tried)
