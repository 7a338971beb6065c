"""An answer on its way to the caller: handed on as it comes, read along for its text and its bill."""

import base64
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import httpx

from usufruct_client.text import data_member, delta_text, output_text

HELD_MOST = 1 << 20
"""`[DONE]` and what follows are held back until the end, so that the bill is known when a client stops reading."""


class EventReader:
    """Reads a stream of server-sent events, cut anywhere: text, bill, x402's extensions, and whether it is done."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []
        self._text: list[str] = []
        self.done = False
        self.bill: object = None
        self.extensions: object = None
        self.usage: object = None

    @property
    def text(self) -> str:
        """The text of all events so far."""
        return "".join(self._text)

    def feed(self, chunk: bytes) -> None:
        """Read on."""
        lines = (self._rest + chunk).splitlines(keepends=True)
        self._rest = lines.pop() if lines and not lines[-1].endswith(b"\n") else b""
        for line in lines:
            self._line(line.rstrip(b"\r\n"))

    def _line(self, line: bytes) -> None:
        if line.startswith(b"data:"):
            self._data.append(line[5:].removeprefix(b" "))
        elif not line and self._data:
            self._event(b"\n".join(self._data))
            self._data.clear()

    def _event(self, data: bytes) -> None:
        if data.startswith(b"[DONE]"):
            self.done = True
            return
        try:
            content = json.loads(data)
        except (ValueError, RecursionError):
            return
        if isinstance(content, dict):
            self._text.append(delta_text(content.get("choices")))
            self.bill = content.get("usufruct", self.bill)
            self.extensions = content.get("extensions", self.extensions)
            self.usage = content.get("usage") or self.usage


class AnswerReader:
    """Reads one answer along while it is handed on; ends exactly once, whether or not its end is seen."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        """Read the answer that comes under `headers`."""
        self._headers = headers
        self._stream = EventReader() if "text/event-stream" in headers.get("content-type", "") else None
        self._whole: list[bytes] = []
        self._held = b""
        self._open = True

    @property
    def done(self) -> bool:
        """Whether a stream has said that it is done."""
        return self._stream is not None and self._stream.done

    @property
    def replayed(self) -> bool:
        """Whether the answer was given before."""
        return self._headers.get("x-usufruct-replayed") == "true"

    @property
    def bill(self) -> object:
        """The receipt as it came, of a stream in its last event, else in a header; None when there is none yet."""
        if self._stream is not None:
            return self._stream.bill
        header = self._headers.get("x-usufruct-receipt")
        try:
            return header and json.loads(base64.b64decode(header, validate=True))
        except (ValueError, RecursionError):
            return header  # not an object: read_receipt refuses it

    def feed(self, chunk: bytes) -> bytes:
        """Read a piece of the answer; return what to hand on now."""
        if self._stream is None:
            self._whole.append(chunk)
            return chunk
        self._stream.feed(chunk)
        if not self._stream.done:
            return chunk
        self._held += chunk
        return self._let_go() if len(self._held) > HELD_MOST else b""

    def end(self) -> bytes:
        """End at the end of the body; return what was held back."""
        self._end(complete=True)
        return self._let_go()

    def close(self) -> None:
        """End an answer that was not read to its end; nothing if it has ended."""
        self._end(complete=False)

    def ended(self, *, complete: bool) -> None:
        """Do what the end of the answer calls for; called once."""

    def read_whole(self) -> Mapping[str, Any]:
        """Return the object of an answer that came whole; empty for anything else."""
        try:
            content = json.loads(b"".join(self._whole))
        except (ValueError, RecursionError):
            return {}
        return content if isinstance(content, dict) else {}

    def read_text(self) -> str:
        """Return the text that a receipt hashes: what was written, or an embedding's `data` as it stands."""
        if self._stream is not None:
            return self._stream.text
        content = self.read_whole()
        if "choices" in content:
            return output_text(content["choices"])
        return data_member(b"".join(self._whole).decode(errors="replace")) if content else ""

    def read_usage(self) -> Mapping[str, Any]:
        """Return `usage`; empty when there is none."""
        usage = self._stream.usage if self._stream is not None else self.read_whole().get("usage")
        return usage if isinstance(usage, dict) else {}

    def _end(self, *, complete: bool) -> None:
        if self._open:
            self._open = False
            self.ended(complete=complete)

    def _let_go(self) -> bytes:
        held, self._held = self._held, b""
        return held


class AnswerBody(httpx.SyncByteStream, httpx.AsyncByteStream):
    """The body of an answer that is read along, for threads and for event loops, as `httpx.ByteStream` is."""

    def __init__(self, response: httpx.Response, reader: AnswerReader) -> None:
        """Hand `response` on through `reader`."""
        self._stream = response.stream
        self._reader = reader
        self._pieces: object = None  # kept until the end: a generator that is let go closes the connection

    def __iter__(self) -> Iterator[bytes]:
        assert isinstance(self._stream, httpx.SyncByteStream)
        self._pieces = pieces = iter(self._stream)
        try:
            for chunk in pieces:
                if ready := self._reader.feed(chunk):
                    yield ready
        except httpx.TransportError:
            if not self._reader.done:
                raise
        if rest := self._reader.end():
            yield rest

    async def __aiter__(self) -> AsyncIterator[bytes]:
        assert isinstance(self._stream, httpx.AsyncByteStream)
        self._pieces = pieces = aiter(self._stream)
        try:
            async for chunk in pieces:
                if ready := self._reader.feed(chunk):
                    yield ready
        except httpx.TransportError:
            if not self._reader.done:
                raise
        if rest := self._reader.end():
            yield rest

    def close(self) -> None:
        """End the answer, and close what it comes from."""
        assert isinstance(self._stream, httpx.SyncByteStream)
        try:
            self._reader.close()
        finally:
            self._stream.close()

    async def aclose(self) -> None:
        """End the answer, and close what it comes from, on an event loop."""
        assert isinstance(self._stream, httpx.AsyncByteStream)
        try:
            self._reader.close()
        finally:
            await self._stream.aclose()


def handed_on(response: httpx.Response, reader: AnswerReader) -> httpx.Response:
    """Return a response whose body is read along by `reader`."""
    body = AnswerBody(response, reader)
    return httpx.Response(response.status_code, headers=response.headers, stream=body, extensions=response.extensions)
