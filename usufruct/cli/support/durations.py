"""Lengths of time as people write them."""

import re

from usufruct.core import Invalid

_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_LONGEST = 100 * 365 * 86_400


def parse_duration(text: str, field: str) -> int:
    """Parse "30d", "12h", "45m" or "90s" into seconds."""
    found = re.fullmatch(r"(\d{1,10})([smhd])", text, re.ASCII)
    seconds = int(found[1]) * _SECONDS[found[2]] if found else 0
    if not 0 < seconds <= _LONGEST:
        raise Invalid(
            f"{field} must be a length of time such as 30d, 12h or 45m, not {text!r}", code="invalid_duration"
        )
    return seconds
