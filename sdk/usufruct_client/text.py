"""The text of an answer, as receipts hash it: whatever the model wrote, in order."""

import json
import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

from usufruct_client.identifiers import Hash32

_PROTOCOL = frozenset({"role", "id", "type", "index", "tool_call_id"})
_REASONING = ("reasoning_content", "reasoning", "reasoning_details")
"""Names under which servers send the same reasoning; the first that holds something counts."""
_SPACE = re.compile(r"[ \t\r\n]*")


def output_text(choices: object) -> str:
    """Return the text under the `message` of a whole answer's `choices`."""
    return "".join(_texts(choices, "message"))


def delta_text(choices: object) -> str:
    """Return the text under the `delta` of one event's `choices`; a `message` beside it repeats what deltas brought."""
    return "".join(_texts(choices, "delta"))


def part_text(part: Mapping[str, Any]) -> str:
    """Return the text of one message or delta: each piece once, and none of the protocol's own words."""
    if "reasoning" in part or "reasoning_details" in part:
        repeated = [name for name in _REASONING if part.get(name)][1:]
        part = {name: value for name, value in part.items() if name not in repeated}
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


def content_hash(content: bytes) -> Hash32:
    """Return the SHA-256 by which receipts name requests and answers."""
    return Hash32("0x" + sha256(content).hexdigest())


def text_hash(text: str) -> Hash32:
    """Return the SHA-256 of a text's UTF-8 when it is `well_formed`."""
    return content_hash(well_formed(text).encode())


def data_member(body: str) -> str:
    """Return the `data` member of an answer as the text has it; empty when there is none."""
    decoder = json.JSONDecoder()
    position = _skip(body, _skip(body, 0) + 1)
    while position < len(body) and body[position] == '"':
        name, position = decoder.raw_decode(body, position)
        start = _skip(body, _skip(body, position) + 1)
        _, position = decoder.raw_decode(body, start)
        if name == "data":
            return body[start:position]
        position = _skip(body, _skip(body, position) + 1)
    return ""


def _skip(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position


def _texts(choices: object, member: str) -> Iterator[str]:
    for choice in choices if isinstance(choices, list) else ():
        if isinstance(choice, dict):
            part = choice.get(member)
            if isinstance(part, dict):
                yield part_text(part)
            elif isinstance(text := choice.get("text"), str):
                yield text


def _strings(value: object) -> Iterator[str]:
    """Yield the texts in a JSON value in order; with an explicit stack, as a server may nest very deeply."""
    stack = [value]
    while stack:
        top = stack.pop()
        if isinstance(top, str):
            yield top
        elif isinstance(top, list):
            stack += reversed(top)
        elif isinstance(top, dict):
            stack += [each for name, each in reversed(top.items()) if name not in _PROTOCOL]
