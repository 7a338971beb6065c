"""How many text tokens an upstream says it read and wrote."""

from dataclasses import dataclass
from enum import Enum
from typing import Any

_LARGEST = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Usage:
    """Text tokens of one call, as the upstream counts them.

    `cached` are those of the input read from a cache; `reasoning` those spent on thinking. Both are information: most
    servers count them inside input and output already.
    """

    input_tokens: int
    output_tokens: int
    cached: int = 0
    reasoning: int = 0


class UsageFault(Enum):
    """Why there is no `Usage`: nothing was reported, or what was reported makes no sense."""

    ABSENT = "absent"
    INVALID = "invalid"


def read_usage(reported: object, *, has_output: bool = True) -> Usage | UsageFault:
    """Read the `usage` member of an answer; never raises.

    `has_output` is False for embeddings, whose usage has no `completion_tokens`. A number must be an integer from 0 to
    2**63 - 1: strings, fractions, booleans and negative numbers make the whole report invalid.
    """
    if reported is None:
        return UsageFault.ABSENT
    if not isinstance(reported, dict):
        return UsageFault.INVALID
    counts: tuple[Any, ...] = (
        reported.get("prompt_tokens"),
        reported.get("completion_tokens") if has_output else 0,
        _detail(reported.get("prompt_tokens_details"), "cached_tokens"),
        _detail(reported.get("completion_tokens_details"), "reasoning_tokens"),
    )
    if all(type(n) is int and 0 <= n <= _LARGEST for n in counts):
        return Usage(*counts)
    return UsageFault.INVALID


def _detail(group: object, name: str) -> object:
    """Return a number of a group of details; 0 when the group or the number is left out."""
    if isinstance(group, dict):
        group = group.get(name)
    return 0 if group is None else group
