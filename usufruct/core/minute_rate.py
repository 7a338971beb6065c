"""How often each name did something in this minute, in this process."""

from usufruct.core.clock import Clock

__all__ = ["MinuteRate"]

_MINUTE = 60


class MinuteRate:
    """Counts by name, minute by minute of the monotonic clock."""

    def __init__(self, clock: Clock) -> None:
        """Count nothing yet."""
        self._clock = clock
        self._minute = 0
        self._counts: dict[str, int] = {}

    def count(self, name: str, most: int) -> int:
        """Count one more of a name and return 0; where it has `most`, count nothing and return the seconds to wait."""
        now = self._clock.monotonic()
        if now // _MINUTE != self._minute:
            self._minute = int(now // _MINUTE)
            self._counts.clear()
        counted = self._counts.get(name, 0)
        if counted >= most:
            return int(_MINUTE - now % _MINUTE) + 1
        self._counts[name] = counted + 1
        return 0
