"""One connection to a server, and the answer that comes on it."""

import asyncio
import zlib
from collections.abc import Callable, Mapping
from typing import cast

import httptools

from usufruct.http.errors import ConnectionCut, NotHttp, TransportError

HEAD_BYTES = 1 << 16
"""The longest head of an answer."""

_MOST_BUFFERED = 1 << 18
_MOST_DECODED = 1 << 24
"""The most that may be decoded and not yet taken by the reader."""

_CHANGED_PROTOCOL = 101


class Response:
    """An answer whose head is here; its body is read as it comes.

    Its user must `release` it: the connection then serves another request, or is closed if the answer was not
    read to its end.
    """

    __slots__ = ("_body", "_connection", "_decoder", "_failure", "_length", "_waiter", "complete", "headers", "status")

    def __init__(self, connection: "Connection", status: int, headers: Mapping[str, str]) -> None:
        self.status = status
        self.headers = headers
        """By lowercase name; of several of one name the last."""
        self._connection = connection
        self._decoder = _decoder(headers)
        self._body: list[bytes] = []
        self._length = 0
        self.complete = False
        """Whether the whole body is here."""
        self._failure: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None

    async def read(self) -> bytes:
        """Return the bytes of the body that are here, at least one; b"" at its end.

        Raises:
            TransportError: when the connection ended too early, or the error given to `fail`.
        """
        while not self._body:
            if self._failure is not None:
                raise self._failure
            if self.complete:
                return b""
            self._waiter = self._connection.loop.create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        body = self._body
        data = body[0] if len(body) == 1 else b"".join(body)
        body.clear()
        if self._length > _MOST_BUFFERED:
            self._connection.resume_reading()
        self._length = 0
        return data

    async def read_all(self, most: int) -> bytes:
        """Return the whole body, or as much of it as came when it was seen to be longer than `most` bytes."""
        parts: list[bytes] = []
        length = 0
        while length <= most and (part := await self.read()):
            parts.append(part)
            length += len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def fail(self, failure: Exception) -> None:
        """Let a reader that waits, and every later one without data, raise `failure`; nothing once all is here."""
        if not self.complete:
            self._failure = self._failure or failure  # the first is the cause; a closed connection follows it
            self._wake()

    def release(self) -> None:
        """Give the connection back, for another request if the answer has been read whole; else it is closed."""
        connection = self._connection
        if not connection.released:
            connection.release(reusable=self.complete)

    def feed(self, data: bytes) -> None:
        """Take bytes of the body from the connection."""
        if self._decoder is not None:
            if self._failure is not None:
                return
            try:
                data = self._decoder.decompress(data, max(1, _MOST_DECODED - self._length))
            except zlib.error as error:
                self.fail(NotHttp(f"the body is not in the encoding it names: {error}"))
                return
            if self._decoder.unconsumed_tail or self._decoder.unused_data:
                self.fail(NotHttp("the body goes on behind its encoding, or swells too much when it is decoded"))
                return
            if not data:
                return
        self._body.append(data)
        self._length += len(data)
        if self._length > _MOST_BUFFERED:
            self._connection.pause_reading()
        self._wake()

    def end(self) -> None:
        """Note that the body is complete."""
        if self._decoder is not None and not self._decoder.eof and self._failure is None:
            self._failure = NotHttp("the body ends within its encoding")
        self.complete = self._failure is None
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Connection(asyncio.Protocol):
    """A connection that carries one request at a time."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        on_free: "Callable[[Connection], None]",
        on_lost: "Callable[[Connection], None]",
    ) -> None:
        """Call `on_free` when it can carry another request, `on_lost` when it is closed."""
        self.loop = loop
        self.released = True
        self._on_free = on_free
        self._on_lost = on_lost
        self._transport: asyncio.Transport
        self._parser = httptools.HttpResponseParser(self)
        self._head: asyncio.Future[Response] | None = None
        self._response: Response | None = None
        self._headers: dict[str, str] = {}
        self._head_bytes = 0
        self._keep_alive = False
        self._paused = False

    def send(self, request: bytes) -> "asyncio.Future[Response]":
        """Send a request; return what will be its answer, once the head is here."""
        self.released = False
        self._head_bytes = 0
        self._head = self.loop.create_future()
        self._transport.write(request)
        return self._head

    def fail(self, failure: Exception) -> None:
        """End the request that waits for its answer's head, and close the connection."""
        if self._head is not None and not self._head.done():
            self._head.set_exception(failure)
        self.close()

    def release(self, *, reusable: bool) -> None:
        """Record that the answer is not read any more."""
        self.released = True
        self._response = None
        transport = self._transport
        if reusable and self._keep_alive and not (transport.is_closing() or transport.get_write_buffer_size()):
            self.resume_reading()
            self._on_free(self)
        else:
            self.close()

    def close(self) -> None:
        """Close the connection now."""
        self._transport.abort()

    @property
    def usable(self) -> bool:
        """Whether a request may be sent on it."""
        return not self._transport.is_closing()

    def pause_reading(self) -> None:
        """Read nothing more from the server until the reader has caught up."""
        if not self._paused and not self._transport.is_closing():
            self._paused = True
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Read again."""
        if self._paused and not self._transport.is_closing():
            self._paused = False
            self._transport.resume_reading()

    # asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Feed the parser; unrequested data closes the connection."""
        if self._response is None:
            self._head_bytes += len(data)
            if self._head is None or self.released:
                self.close()
                return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._broken(NotHttp(f"the answer is not HTTP/1.1 ({error})"))
            return
        if self._response is None and self._head_bytes > HEAD_BYTES:
            self._broken(NotHttp(f"the head of the answer is over {HEAD_BYTES} bytes"))

    def connection_lost(self, exc: Exception | None) -> None:
        """End the answer: whole, where only the connection's end could tell it; cut otherwise."""
        self._on_lost(self)
        response = self._response
        if response is not None:
            headers = response.headers
            framed = "content-length" in headers or "chunked" in headers.get("transfer-encoding", "").lower()
            if exc is None and not framed:
                response.end()
            else:
                response.fail(ConnectionCut(unanswered=False))
        elif self._head is not None and not self._head.done():
            self._head.set_exception(ConnectionCut(unanswered=self._head_bytes == 0))

    def _broken(self, failure: TransportError) -> None:
        if self._response is not None:
            self._response.fail(failure)
        self.fail(failure)

    # httptools' side

    def on_message_begin(self) -> None:
        """Refuse an answer behind the one that was asked for: its bytes must reach neither this reader nor the next.

        Raises:
            NotHttp: through the parser, which ends the connection.
        """
        if self._response is not None:
            raise NotHttp("an answer came that was not asked for")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; no reader of ours wants trailers, least of all among the next answer's headers."""
        if self._response is not None:
            return
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """Hand the answer over; a provisional one (1xx) is only the announcement of another."""
        headers, self._headers = self._headers, {}
        status = self._parser.get_status_code()
        if status < 200 and status != _CHANGED_PROTOCOL:
            return
        if self._head is None or self._head.done():
            return
        try:
            self._response = Response(self, status, headers)
        except NotHttp as failure:
            self.fail(failure)
            return
        self._head.set_result(self._response)

    def on_body(self, body: bytes) -> None:
        """Take bytes of the body."""
        if self._response is not None:
            self._response.feed(body)

    def on_message_complete(self) -> None:
        """Note the answer's end."""
        if self._response is not None:
            self._keep_alive = self._parser.should_keep_alive()
            self._response.end()


def _decoder(headers: Mapping[str, str]) -> "zlib._Decompress | None":
    """Return what decodes the body; None when it comes as it is.

    Raises:
        NotHttp: for an unknown encoding that was not requested.
    """
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding in ("", "identity"):
        return None
    if encoding in ("gzip", "x-gzip", "deflate"):
        return zlib.decompressobj(zlib.MAX_WBITS | 32 if encoding != "deflate" else zlib.MAX_WBITS)
    raise NotHttp(f"the answer is encoded as {encoding[:40]!r}, which was not asked for")
