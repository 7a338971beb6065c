"""Durations and moments as people write and read them."""

import re
from datetime import UTC, datetime

from usufruct.core import Invalid

_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_LONGEST = 100 * 365 * 86_400


class InvalidDuration(Invalid):
    """Text that is no length of time."""

    code = "invalid_duration"


def parse_duration(text: str, field: str) -> int:
    """Parse "30d", "12h", "45m" or "90s" into seconds.

    Raises:
        InvalidDuration: for anything else, nothing at all, and more than a hundred years.
    """
    found = re.fullmatch(r"(\d{1,10})([smhd])", text, re.ASCII)
    seconds = int(found[1]) * _SECONDS[found[2]] if found else 0
    if not 0 < seconds <= _LONGEST:
        raise InvalidDuration(f"{field} must be a length of time such as 30d, 12h or 45m, not {text!r}", field=field)
    return seconds


def shown_time(seconds: int) -> str:
    """Write seconds since 1970 as a date and time in UTC; what no calendar reaches stays a number."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError, OSError):
        return str(seconds)
