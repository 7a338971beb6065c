"""Server-sent events: cut a byte stream into events, and read the few facts billing needs from each.

Raw bytes are kept as they came, so that an event can be relayed without writing it again.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from usufruct.connectors.openai.errors import UpstreamFailed, UpstreamMalformed, UpstreamOversized
from usufruct.connectors.openai.text import output_text, shorten
from usufruct.connectors.openai.usage import Usage, UsageFault, read_usage

# Two line ends in a row. Each group is atomic: a lone CRLF must not be taken for CR and then LF.
_BLANK_LINE = re.compile(rb"(?>\r\n|\n|\r)(?>\r\n|\n|\r)")
_LONGEST_BLANK_LINE = 4


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """One event of a streamed answer.

    `raw` holds its bytes with the blank line that ends it. `text` is the output text it adds. `usage` is what it
    reports, or None when it reports nothing. `usage_only` marks the event that exists only because usage was asked
    for: withhold it from a caller who did not ask. `done` marks `[DONE]`.
    """

    raw: bytes
    text: str = ""
    usage: Usage | UsageFault | None = None
    usage_only: bool = False
    done: bool = False


class EventSplitter:
    """Cuts chunks of any size into events; the same events come out however the bytes were chunked.

    A CR at the very end of what has arrived waits for the next byte, which may be its LF.
    """

    def __init__(self, largest: int) -> None:
        """Refuse events longer than `largest` bytes."""
        self._largest = largest
        self._rest = b""
        self._searched = 0

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Yield the events that `chunk` completes; to be exhausted before the next call.

        Raises:
            UpstreamOversized: when an event, complete or not, is longer than the limit.
        """
        buffer = self._rest + chunk if self._rest else chunk
        start, position = 0, self._searched
        while end := _end_of_event(buffer, position):
            yield self._measured(buffer[start:end])
            start = position = end
        self._rest = self._measured(buffer[start:])
        self._searched = max(0, len(self._rest) - _LONGEST_BLANK_LINE)

    def finish(self) -> bytes:
        """Return the bytes after the last complete event, at the end of the stream."""
        rest, self._rest, self._searched = self._rest, b"", 0
        return rest

    def _measured(self, event: bytes) -> bytes:
        if len(event) > self._largest:
            raise UpstreamOversized(
                f"the upstream sent an event of over {self._largest} bytes; raise event_bytes if that is right",
                limit=self._largest,
            )
        return event


def _end_of_event(buffer: bytes, position: int) -> int:
    """Return where the event ends that ends first after `position`; 0 when none does."""
    if b"\r" not in buffer:  # what every known server sends, found five times faster
        blank_line = buffer.find(b"\n\n", position)
        return 0 if blank_line < 0 else blank_line + 2
    found = _BLANK_LINE.search(buffer, position)
    if found is None or (found.end() == len(buffer) and buffer.endswith(b"\r")):
        return 0
    return found.end()


def event_data(raw: bytes) -> bytes:
    """Return the data of one event: its `data` lines joined by LF; empty for comments and keep-alives."""
    if raw.startswith(b"data: ") and raw.endswith(b"\n\n") and raw.find(b"\n") == len(raw) - 2 and b"\r" not in raw:
        return raw[6:-2]
    values = []
    for line in raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n"):
        name, _, value = line.partition(b":")
        if name == b"data":
            values.append(value.removeprefix(b" "))
    return b"\n".join(values)


def read_event(raw: bytes, secret: str = "") -> StreamEvent:
    """Read one event; `secret` is kept out of error messages.

    Raises:
        UpstreamMalformed: when its data is no JSON object.
        UpstreamFailed: when it reports an error.
    """
    data = event_data(raw)
    if not data:
        return StreamEvent(raw)
    if data == b"[DONE]":
        return StreamEvent(raw, done=True)
    content = _parse(data)
    if error := content.get("error"):
        raise UpstreamFailed(f"the upstream reported an error in mid-stream: {shorten(error, secret)}")
    reported = content.get("usage")
    usage = None if reported is None else read_usage(reported)
    choices = content.get("choices")
    return StreamEvent(raw, output_text(choices), usage, usage_only=usage is not None and not choices)


def _parse(data: bytes) -> dict[str, Any]:
    try:
        content = orjson.loads(data)
    except orjson.JSONDecodeError:
        content = None
    if isinstance(content, dict):
        return content
    raise UpstreamMalformed("the upstream sent an event that is no JSON object; check that it speaks the OpenAI format")
