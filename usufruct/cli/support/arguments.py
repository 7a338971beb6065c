"""What text among a command's arguments and options means."""

import re
from typing import Any

import typer

from usufruct.core import Address, Invalid, address

_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_LONGEST = 100 * 365 * 86_400


def _read_address(parameter: typer.CallbackParam, text: str | None) -> Address | None:
    return address(text, parameter.opts[0]) if text else None


ADDRESS: dict[str, Any] = {"callback": _read_address, "metavar": "ADDRESS"}
"""Makes an argument or option an address, which is refused if mistyped before anything is opened.

`to: Annotated[Address, typer.Argument(**ADDRESS, help="...")]`; an option is None where it was not given.
"""


def parse_duration(text: str, field: str) -> int:
    """Parse "30d", "12h", "45m" or "90s" into seconds, from one to those of a hundred years."""
    found = re.fullmatch(r"(\d{1,10})([smhd])", text, re.ASCII)
    seconds = int(found[1]) * _SECONDS[found[2]] if found else 0
    if not 0 < seconds <= _LONGEST:
        raise Invalid(
            f"{field} must be a length of time such as 30d, 12h or 45m, not {text!r}", code="invalid_duration"
        )
    return seconds


def split_part(text: str, field: str) -> tuple[str, str]:
    """Split WHO:PERCENT."""
    who, _, percent = text.rpartition(":")
    if not who or not percent:
        raise Invalid(f"{field} must be WHO:PERCENT, such as 0x...:12.5, not {text!r}", code="invalid_part")
    return who, percent
