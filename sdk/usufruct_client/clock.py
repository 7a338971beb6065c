"""The only place that reads clocks: for deposits that expire, abandoned calls, and bounds on waiting."""

import time


def wall_seconds() -> int:
    """Return whole seconds since 1970."""
    return int(time.time())  # noqa: TID251 - the one place


def steady_seconds() -> float:
    """Return seconds that never run backwards."""
    return time.monotonic()  # noqa: TID251 - the one place
