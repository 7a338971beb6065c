"""How many text tokens an upstream says it read and wrote."""

from collections.abc import Mapping
from enum import Enum
from typing import Any

from usufruct.core import value

_LARGEST = (1 << 63) - 1

_CACHED_GROUPS = ("prompt_tokens_details", "input_tokens_details")
"""Groups in which OpenAI (chat, responses), vLLM and SGLang report `cached_tokens`."""

_CACHED_MEMBERS = ("prompt_cache_hit_tokens", "cache_read_input_tokens", "cached_tokens")
"""Names that DeepSeek, Anthropic and Moonshot report the same number under."""

_CACHED_NAMES = frozenset({*_CACHED_GROUPS, *_CACHED_MEMBERS})


@value
class Usage:
    """Text tokens of one call, as the upstream counts them.

    `cached` are those of the input read from a cache; `reasoning` those spent on thinking. Most servers count them
    inside input and output already.
    """

    input_tokens: int
    output_tokens: int
    cached: int = 0
    reasoning: int = 0


class UsageFault(Enum):
    """Why there is no `Usage`: nothing was reported, or what was reported makes no sense."""

    ABSENT = "absent"
    INVALID = "invalid"


def reported_usage(content: Mapping[str, Any]) -> object:
    """Return what an answer or event reports as its usage, unread; None when it reports nothing.

    Looked for where OpenAI has it, then where other servers put it: in a choice, or under `x_groq`.
    """
    usage = content.get("usage")
    if usage is not None:
        return usage
    choices = content.get("choices")
    for holder in (*(choices if isinstance(choices, list) else ()), content.get("x_groq")):
        if isinstance(holder, dict) and holder.get("usage") is not None:
            return holder["usage"]
    return None


def read_usage(reported: object, *, has_output: bool = True, has_text: bool = False) -> Usage | UsageFault:
    """Read the `usage` of an answer; never raises.

    `has_output` is False for embeddings, whose usage has no `completion_tokens`. A number must be whole, from 0 to
    2**63 - 1; `4.0` is whole. Strings, fractions, booleans and negative numbers make the whole report invalid; so does
    no output where the answer `has_text`: some servers write zeros for what they do not count. A report without both
    counts (only a total, say) is none.
    """
    if reported is None:
        return UsageFault.ABSENT
    if not isinstance(reported, dict):
        return UsageFault.INVALID
    given = (reported.get("prompt_tokens"), reported.get("completion_tokens"))
    if given == (None, None):
        return UsageFault.ABSENT
    inputs, outputs = _count(given[0]), _count(given[1]) if has_output else 0
    reasoning = _detail(reported.get("completion_tokens_details"), "reasoning_tokens")
    cached = _cached(reported)
    if inputs is None or outputs is None or reasoning is None or cached is None or (has_text and not outputs):
        return UsageFault.INVALID
    return Usage(inputs, outputs, cached, reasoning)


def _cached(reported: dict[str, Any]) -> int | None:
    """Return the most cached input under any name a server may report it by; 0 where all are absent."""
    if _CACHED_NAMES.isdisjoint(reported):
        return 0
    found = [_detail(reported.get(group), "cached_tokens") for group in _CACHED_GROUPS]
    found += [_detail(reported, name) for name in _CACHED_MEMBERS]
    counts = [count for count in found if count is not None]
    return max(counts) if len(counts) == len(found) else None


def _detail(group: object, name: str) -> int | None:
    """Return a number of a group of details; 0 when it or the group is left out, None when it is not a number."""
    if isinstance(group, dict):
        group = group.get(name)
    return 0 if group is None else _count(group)


def _count(number: object) -> int | None:
    """Return a whole number of text tokens; None for anything else."""
    if type(number) is float and number.is_integer():
        number = int(number)
    return number if type(number) is int and 0 <= number <= _LARGEST else None
