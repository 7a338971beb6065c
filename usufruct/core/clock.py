"""The only place that reads a clock.

Three clocks, three uses (DESIGN 8): leases use the database's, deadlines the chain's, durations the monotonic one here.
Wall time is for log lines and what people read.
"""

import time
from datetime import UTC, datetime

LAST_MOMENT = (1 << 63) - 1
"""The latest time that is accepted as input, seconds since 1970."""

DAY_SECONDS = 86_400

_LAST_YEAR = 253_402_300_800  # from here on, years have five digits


def moment(seconds: int) -> str:
    """Write seconds since 1970 as people and programs read them: "2026-01-31T12:00:00Z"."""
    if seconds >= _LAST_YEAR:
        return f"{seconds} seconds since 1970"
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Clock:
    """The machine's clocks; tests pass others."""

    def now(self) -> int:
        """Return wall time in whole seconds since 1970."""
        return int(time.time())  # noqa: TID251 - the one place

    def monotonic(self) -> float:
        """Return seconds that never run backwards, for measuring durations."""
        return time.monotonic()  # noqa: TID251 - the one place
