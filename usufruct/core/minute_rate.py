"""How often each name did something in the minute that its first time began, in this process."""

from usufruct.core.clock import Clock

__all__ = ["MinuteRate"]

_MINUTE = 60


class MinuteRate:
    """Counts by name; each name's minute begins when it is counted and has none, by the monotonic clock."""

    def __init__(self, clock: Clock) -> None:
        """Count nothing yet."""
        self._clock = clock
        self._minutes: dict[str, tuple[float, int]] = {}  # when it began, and the count
        self._forgot_at = clock.monotonic()

    def count(self, name: str, most: int) -> int:
        """Count one more of a name and return 0; where it has `most`, count nothing and return the seconds to wait."""
        now = self._clock.monotonic()
        if now - self._forgot_at >= _MINUTE:
            self._minutes = {name: minute for name, minute in self._minutes.items() if now - minute[0] < _MINUTE}
            self._forgot_at = now
        began, counted = self._minutes.get(name, (now, 0))
        if now - began >= _MINUTE:
            began, counted = now, 0
        if counted >= most:
            return int(began + _MINUTE - now) + 1
        self._minutes[name] = began, counted + 1
        return 0
