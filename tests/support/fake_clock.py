"""A clock for tests."""

from usufruct.core import Clock


class FakeClock(Clock):
    """A clock that moves only when told to."""

    def __init__(self, now: int = 1_800_000_000) -> None:
        self._now = now
        self._monotonic = 0.0

    def now(self) -> int:
        """Return the time it was set to."""
        return self._now

    def monotonic(self) -> float:
        """Return the seconds it was advanced by."""
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Move both clocks forward."""
        self._now += int(seconds)
        self._monotonic += seconds
