"""What the events of one streamed answer say: what to relay, the text in it, how it ends, the usage it reports."""

from typing import Any, NamedTuple

import orjson

from usufruct.connectors.openai.content import choice_error, parse, parse_event, reported_error, shorten
from usufruct.connectors.openai.errors import (
    UpstreamCut,
    UpstreamEmpty,
    UpstreamFailed,
    UpstreamFault,
    UpstreamMalformed,
    UpstreamOversized,
)
from usufruct.connectors.openai.event_splitter import EventSplitter, event_fields
from usufruct.connectors.openai.usage import Usage, UsageFault, read_usage, reported_usage
from usufruct_client.text import part_text

_BOM = b"\xef\xbb\xbf"
_KEEP_ALIVE = b": keep-alive\n\n"
_SAMPLE_BYTES = 1 << 16
_NOT_FINISHED = (None, "", "null")


class Batch(NamedTuple):
    """Events that came together: the bytes to relay, each event as one `data` line, and the output text in them."""

    data: bytes
    text: str


class AnswerReader:
    """Reads a streamed answer from its bytes; every event is parsed once, and relayed as the bytes it came in.

    The answer is complete when `[DONE]`, a finish reason or a usage event marks its end, with no text after it, and the
    bytes end. Usage counts if no text follows it. A fault is kept in `fault`, for after the events
    that came before it.
    """

    def __init__(self, largest: int, source: str, secret: str = "", kind: str = "") -> None:
        """Stop at an event of over `largest` bytes; `source`, without `secret`, and the content type name faults."""
        self._splitter = EventSplitter(largest)
        self._largest = largest
        self._source = source
        self._secret = secret
        self._kind = kind
        self._sample = b""  # of a body that has no events
        self._any_data = self._any_text = self._any_output = self._any_message = False
        self._finished = self._usage_alone = False
        self._usage: object = None
        self._text = ""
        self.ended = False
        self.fault: UpstreamFault | None = None

    @property
    def report(self) -> Usage | UsageFault | None:
        """The usage of the whole answer; None before the answer is complete."""
        if self._usage is None or not (self._finished or self.ended):
            return None
        return read_usage(self._usage, has_text=self._any_text)

    def read(self, chunk: bytes) -> Batch:
        """Read the next bytes."""
        size = len(chunk)
        if (  # one event in the plain frame: nearly every read of nearly every stream
            chunk.startswith(b"data: ")
            and chunk.find(b"\n") == size - 2
            and chunk.endswith(b"\n\n")
            and self._splitter.between_events
            and size <= self._largest
            and b"\r" not in chunk
        ):
            self._any_data = True
            relayed = chunk if self._data(chunk[6:-2]) else b""
            text, self._text = self._text, ""
            return Batch(relayed, text)
        kept: list[bytes] = []
        for event in self._splitter.feed(chunk):
            frame = self._event(event)
            if frame:
                kept.append(frame)
            if self.ended or self.fault is not None:
                break
        else:
            if self._splitter.oversized:
                self.fault = UpstreamOversized(
                    f"{self._source} sent an event of over {self._largest} bytes; raise event_bytes if that is right",
                    limit=self._largest,
                )
        return self._batch(kept)

    def finish(self) -> Batch:
        """Read what is left at the end of the bytes: an event whose blank line is missing counts, if it is whole."""
        kept: list[bytes] = []
        if rest := self._splitter.finish():
            kept.append(self._event(rest))
            if isinstance(self.fault, UpstreamMalformed):
                self.fault = None  # cut within the event: the rules for a missing end hold
        if not (self.ended or self.fault):
            if not self._any_data:
                self.fault = self._not_a_stream()
            elif self._any_output and not (self._finished or self._usage_alone):
                self.fault = UpstreamCut(f"{self._source} ended its stream before [DONE]; try again", url=self._source)
            else:
                self._end()
        return self._batch(kept)

    def _batch(self, kept: list[bytes]) -> Batch:
        text, self._text = self._text, ""
        return Batch(b"".join(kept), text)

    def _event(self, event: bytes) -> bytes:
        """Read one event; return it as it is relayed, or nothing when it is not for the caller."""
        if event.startswith(b"data: ") and b"\n" not in event:  # what nearly every server sends
            self._any_data = True
            return event + b"\n\n" if self._data(event[6:]) else b""
        if not self._any_data:
            event = event.removeprefix(_BOM)
        name, data = event_fields(event)
        if data:
            self._any_data = True
            if name == b"error":
                self._fail(shorten(parse_event(data) or data.decode(errors="replace"), self._secret))
                return b""
            return b"data: " + data.replace(b"\n", b" ") + b"\n\n" if self._data(data) else b""
        if not self._any_data:
            self._sample = (self._sample + event)[:_SAMPLE_BYTES]
        return _KEEP_ALIVE if self._any_output and event.lstrip(b"\n").startswith(b":") else b""

    def _data(self, data: bytes) -> bool:
        """Read the data of one event; tell whether it is for the caller."""
        try:
            content = orjson.loads(data)
        except orjson.JSONDecodeError:
            if data.startswith(b"[DONE]"):
                self._end()
                return False
            content = parse_event(data)
        if type(content) is not dict:
            self.fault = UpstreamMalformed(
                f"{self._source} sent an event that is not a JSON object; check that it speaks the OpenAI format"
            )
            return False
        choices = content.get("choices")
        if type(choices) is list and choices and not content.get("error"):
            return self._choices(choices, content)
        if error := reported_error(content):
            self._fail(shorten(error, self._secret))
            return False
        usage = reported_usage(content)
        if usage is None:
            return True
        self._usage, self._usage_alone = usage, True
        return False

    def _choices(self, choices: list[Any], content: dict[str, Any]) -> bool:
        text, finished = "", False
        for choice in choices:
            if type(choice) is not dict:
                continue
            finish = choice.get("finish_reason")
            if finish or "error" in choice:
                if error := choice_error(choice):
                    self._fail(shorten(error, self._secret))
                    return False
                finished = finished or finish not in _NOT_FINISHED
            delta = choice.get("delta")
            if type(delta) is dict:
                text += part_text(delta)
            elif type(written := choice.get("text")) is str:
                text += written
            if "message" in choice:
                self._any_message = self._any_message or bool(choice["message"])
        if text:
            self._text += text
            self._any_text = self._any_output = True
            self._finished, self._usage, self._usage_alone = False, None, False
        if finished:
            self._any_output = self._any_output or not self._any_message
            self._finished = True
        usage = reported_usage(content) if finished else content.get("usage")
        if usage is not None:
            self._usage = usage
        return True

    def _end(self) -> None:
        """Note the end of the answer, which must have had output."""
        self.ended = True
        if not self._any_output:
            what = "messages where deltas belong" if self._any_message else "no output"
            self.fault = UpstreamEmpty(f"{self._source} sent a stream with {what}; try again")

    def _fail(self, message: str) -> None:
        self.fault = UpstreamFailed(f"{self._source} reported an error in mid-stream: {message}")

    def _not_a_stream(self) -> UpstreamFault:
        content = parse(self._sample)
        error = reported_error(content) if isinstance(content, dict) else None
        if error:
            return UpstreamFailed(f"{self._source} reported an error: {shorten(error, self._secret)}; try again")
        return UpstreamMalformed(f"{self._source} answered {self._kind} where a stream was asked for")
