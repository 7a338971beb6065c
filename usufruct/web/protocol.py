"""uvicorn's HTTP protocol, with bounds on what a caller may send that is no part of a request being served.

Without them a caller may send header bytes for ever, or none at all, and keep a connection and memory for it: in a
head, in the trailers after a chunked body, in a body whose answer is out, in requests queued behind a slow one.
"""

import asyncio
import logging
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from usufruct.web.transport import HeadJoiner, send_without_delay

HEAD_BYTES = 65_536
"""The longest head: request line and headers. As much may come within a body without bringing a byte of it."""

HEAD_SECONDS = 20.0
"""How long a caller may take for the head, from the connection's begin or the last answer's end."""

LINGER_BYTES = 16 << 20
LINGER_SECONDS = 5.0
"""What may still come of a request whose answer is complete. To close at once could take the answer from a caller who
is still sending."""

MOST_PIPELINED = 16
"""Requests that may wait in one connection for those before them."""

_TOO_LONG = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"

_log = logging.getLogger(__name__)


class Refused(Exception):
    """Raised in the parser's callbacks: ends the parsing and the connection."""


class GuardedProtocol(HttpToolsProtocol):
    """One connection of a gateway; while nothing is served in it, a deadline runs."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._in_body = False
        self._barren_bytes = 0
        self._unwanted_bytes = 0
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for the first head."""
        stream = cast(asyncio.Transport, transport)  # uvloop's are no subclass
        send_without_delay(stream)
        super().connection_made(HeadJoiner(stream, self.loop))
        self._wait(HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Feed the parser; end the connection when what comes has no end."""
        self._barren_bytes += len(data)
        super().data_received(data)
        if self.transport.is_closing() or (self._barren_bytes <= HEAD_BYTES and self._unwanted_bytes <= LINGER_BYTES):
            return
        if not self._in_body and self._may_answer():
            _log.warning("a request's head passed %d bytes", HEAD_BYTES)
            self.transport.write(_TOO_LONG)
        self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """End the connection, with an answer unless it would stand within or behind another."""
        if self._may_answer():
            super().send_400_response(msg)
        else:
            self.transport.close()

    def on_message_begin(self) -> None:
        """Let a request wait behind others, if those are few.

        Raises:
            Refused: when they are many.
        """
        if len(self.pipeline) >= MOST_PIPELINED:
            raise Refused
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header.

        Raises:
            Refused: for a trailer: nobody here reads them.
        """
        if self._in_body:
            raise Refused
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Stop waiting, and let the request be served."""
        super().on_headers_complete()
        self._stop_waiting()
        self._in_body, self._barren_bytes, self._unwanted_bytes = True, 0, 0

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        self._barren_bytes = 0
        if self.cycle.response_complete:
            self._unwanted_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Wait for the next head, if the answer was out before the request's end."""
        self._in_body, self._barren_bytes = False, 0
        if self.cycle.response_complete:
            self._wait(HEAD_SECONDS)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Wait for what remains of the request, or else for the next head, unless another request is served now."""
        super().on_response_complete()
        if self.cycle.response_complete:
            self._wait(LINGER_SECONDS if self._in_body else HEAD_SECONDS)

    def _may_answer(self) -> bool:
        """Tell whether an answer written now would be the only one to the latest request."""
        if not self.cycle:  # type: ignore[truthy-bool]  # None before the first request
            return True
        if self._in_body:
            return not (self.cycle.response_started or self.pipeline)
        return self.cycle.response_complete

    def _wait(self, seconds: float) -> None:
        self._stop_waiting()
        self._deadline = self.loop.call_later(seconds, self._late)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _late(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()
