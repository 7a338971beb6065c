"""The text inside an upstream's answer: what the model wrote for the caller, and what the server says went wrong."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

_PROTOCOL = frozenset({"role", "id", "type", "index", "tool_call_id"})
_MESSAGES = ("message", "msg", "detail", "error", "status_msg", "error_msg", "errmsg")
_DEEPEST_MESSAGE = 4
_LONGEST_MESSAGE = 300
_SECRET = re.compile(r"(?i)\b(?:bearer\s+\S+|(?:sk|pk|rk|api|key|token)[-_][\w*.-]{6,})")


def output_text(choices: object) -> str:
    """Return all text of the `choices` of a whole answer, as receipts hash it; never raises.

    Every text under a `message` but the protocol's own words: whatever a model writes, under any name.
    """
    return well_formed("".join(_texts(choices, "message")))


def delta_text(choices: object) -> str:
    """Return the text that the `choices` of one event of a stream add; never raises.

    Every text under a `delta`, as in `output_text`. A `message` is left out: it repeats what deltas have brought. The
    join of all events has to pass `well_formed`: a character may be cut between two of them.
    """
    return "".join(_texts(choices, "delta"))


def part_text(part: Mapping[str, Any]) -> str:
    """Return the text of one message or delta, each piece once.

    Servers send the same reasoning under up to three names; only the first of `reasoning_content`, `reasoning` and
    `reasoning_details` that holds something counts.
    """
    if "reasoning" in part or "reasoning_details" in part:
        part = _reasoning_once(part)
    text = ""
    for name, value in part.items():
        if type(value) is str:
            if name not in _PROTOCOL:
                text += value
        elif value:
            return "".join(_strings(part))
    return text


def well_formed(text: str) -> str:
    """Return a text that has a UTF-8 form: surrogate pairs joined, each lone surrogate replaced by U+FFFD.

    Servers that cut output at UTF-16 units escape the halves of an emoji in two events. Browsers encode text this way.
    """
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def shorten(error: object, secret: str = "") -> str:
    """Return the message of an upstream's `error`, on one line, at most 300 characters, without `secret` or any key."""
    text = " ".join(well_formed(_message(error)).split())
    if secret:
        text = text.replace(secret, "***")
    text = _SECRET.sub("***", text)
    return text if len(text) <= _LONGEST_MESSAGE else text[: _LONGEST_MESSAGE - 3] + "..."


def _message(error: object) -> str:
    for _ in range(_DEEPEST_MESSAGE):
        inner = next((error[name] for name in _MESSAGES if error.get(name)), None) if isinstance(error, dict) else None
        if inner is None:
            break
        error = inner
    try:
        return str(error)
    except RecursionError:
        return "an error that is nested too deeply to be shown"


def _texts(choices: object, member: str) -> Iterator[str]:
    for choice in choices if isinstance(choices, list) else ():
        if isinstance(choice, dict):
            part = choice.get(member)
            if isinstance(part, dict):
                yield part_text(part)
            elif isinstance(text := choice.get("text"), str):
                yield text


def _reasoning_once(part: Mapping[str, Any]) -> Mapping[str, Any]:
    spoken = [name for name in ("reasoning_content", "reasoning", "reasoning_details") if part.get(name)]
    return {name: value for name, value in part.items() if name not in spoken[1:]}


def _strings(value: object) -> Iterator[str]:
    """Yield the texts in a JSON value in their order, without recursion: a server may nest very deeply."""
    stack = [value]
    while stack:
        top = stack.pop()
        if isinstance(top, str):
            yield top
        elif isinstance(top, list):
            stack += reversed(top)
        elif isinstance(top, dict):
            stack += [each for name, each in reversed(top.items()) if name not in _PROTOCOL]
