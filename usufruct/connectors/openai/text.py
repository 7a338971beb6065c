"""The text inside an upstream's answer: what it wrote for the caller, and what it says went wrong."""

import re
from collections.abc import Iterator

_PROTOCOL = frozenset({"role", "id", "type", "index", "tool_call_id"})
_LONGEST_MESSAGE = 300
_SECRET = re.compile(r"(?i)\b(?:bearer\s+\S+|(?:sk|pk|rk|api|key|token)[-_][\w*.-]{6,})")


def output_text(choices: object) -> str:
    """Return all text that the `choices` of an answer or of one event carry; never raises.

    Every text under a message or delta but the protocol's own words: whatever a model writes, under any name.
    """
    if not isinstance(choices, list):
        return ""
    return "".join([_written(choice) for choice in choices])


def _written(choice: object) -> str:
    if not isinstance(choice, dict):
        return ""
    part = choice.get("delta") or choice.get("message")
    if not isinstance(part, dict):
        text = choice.get("text")
        return text if isinstance(text, str) else ""
    if part.get("reasoning_content"):
        part = {name: value for name, value in part.items() if name != "reasoning"}  # some servers send it twice
    return "".join(_strings(part))


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each)
    elif isinstance(value, dict):
        for name, each in value.items():
            if name not in _PROTOCOL:
                yield from _strings(each)


def shorten(error: object, secret: str = "") -> str:
    """Return the message of an upstream's `error`, on one line, at most 300 characters, without `secret` or any key."""
    message = error.get("message") if isinstance(error, dict) else error
    text = " ".join(str(message).split())
    if secret:
        text = text.replace(secret, "***")
    text = _SECRET.sub("***", text)
    return text if len(text) <= _LONGEST_MESSAGE else text[: _LONGEST_MESSAGE - 3] + "..."
