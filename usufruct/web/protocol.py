"""uvicorn's HTTP protocol, with bounds on what a client may send outside of a request that is being served.

Without them a client may send header bytes without end, or none at all, and keep a connection and memory for it: in a
head, in the trailers after a chunked body, in a body whose answer is out, in requests queued behind a slow one.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any, cast

from starlette.types import Receive, Send
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from usufruct.web.server_limits import ServerLimits
from usufruct.web.transport import HeadJoiner, send_without_delay

_FIRST_REQUEST_SECONDS = 1.0
"""How long a draining server waits for a head that has begun, or for a new connection's first request."""

_TOO_LONG = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
_NOT_HTTP = (
    b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\n"
    b"connection: close\r\n\r\n%b"
)

_log = logging.getLogger(__name__)


class Refused(Exception):
    """Raised in the parser's callbacks: ends the parsing and the connection."""


class Connections(ServerState):
    """What the connections of one server share: their limits, whether they are draining, and which are idle.

    `idle` is ordered: the connection that has been idle longest comes first.
    """

    def __init__(self, limits: ServerLimits) -> None:
        super().__init__()
        self.limits = limits
        self.draining = False
        self.idle: dict[GuardedProtocol, None] = {}

    def drain(self) -> None:
        """Let the last answer of each connection carry `Connection: close`."""
        self.draining = True
        for connection in self.guarded():
            connection.drain()

    def close_unused(self) -> None:
        """Close idle connections; give new ones and begun heads a moment to become requests."""
        for connection in self.guarded():
            connection.close_unused()

    def make_room(self) -> None:
        """Close the connection that has been idle longest, if there are many connections."""
        if len(self.connections) * 4 >= self.limits.connections * 3 and self.idle:
            next(iter(self.idle)).transport.close()

    def guarded(self) -> "list[GuardedProtocol]":
        """Return the open connections."""
        return [each for each in self.connections if isinstance(each, GuardedProtocol)]


CONNECTION = "usufruct.connection"
"""Under which name an ASGI scope holds the `GuardedProtocol` that the request came on."""


def body_at_once(receive: Receive) -> bytes | None:
    """Take a whole body past ASGI's messages; None when `receive` is not uvicorn's own, or more of it is to come."""
    cycle = getattr(receive, "__self__", None)
    if type(cycle) is not RequestResponseCycle or cycle.more_body or cycle.disconnected or cycle.response_complete:
        return None
    body, cycle.body = bytes(cycle.body), bytearray()
    cycle.message_event.clear()
    return body


def answer_at_once(send: Send, status: int, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> bool:
    """Send a whole answer past ASGI's messages; tell whether it was: not where `send` is not uvicorn's own, or waits.

    `headers` are in lower case, and say how long the body is. As uvicorn's `send`, at a quarter of its cost.

    Raises:
        RuntimeError: for a header that would be read as more than one.
    """
    cycle = getattr(send, "__self__", None)
    if type(cycle) is not RequestResponseCycle or cycle.response_started or cycle.scope["method"] == "HEAD":
        return False
    if cycle.disconnected or cycle.flow.write_paused:
        return cycle.disconnected
    every = [*cycle.default_headers, *headers]
    if not cycle.keep_alive:
        every.append((b"connection", b"close"))
    head = b"".join([STATUS_LINE[status], *[b"%b: %b\r\n" % header for header in every], b"\r\n"])
    if not head.count(b"\r") == head.count(b"\n") == len(every) + 2 or b"\0" in head:
        raise RuntimeError("a header holds a line break or a NUL")
    cycle.response_started = cycle.response_complete = True
    cast(HeadJoiner, cycle.transport).write_at_once(head + body)
    cycle.message_event.set()
    if not cycle.keep_alive:
        cycle.transport.close()
    cycle.on_response()
    return True


class GuardedProtocol(HttpToolsProtocol):
    """One connection; a deadline runs while no request of it is served."""

    server_state: Connections

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._limits = self.server_state.limits
        self._in_body = self._refused = False
        self._barren_bytes = 0
        self._unwanted_bytes = 0
        self._deadline: asyncio.TimerHandle | None = None
        self._leavers: list[Callable[[], None]] = []

    def when_disconnected(self, leave: Callable[[], None]) -> Callable[[], None]:
        """Call `leave` when the client hangs up, soon if it has; return what takes that back.

        Without the task that an ASGI application has to keep waiting in `receive`.
        """
        if self.transport.is_closing():
            self.loop.call_soon(leave)
            return lambda: None  # it has happened already
        self._leavers.append(leave)
        self.flow.resume_reading()  # paused after a long body; a connection that is not read from is not seen to end

        def stay() -> None:
            if leave in self._leavers:
                self._leavers.remove(leave)

        return stay

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for the first head."""
        stream = cast(asyncio.Transport, transport)  # uvloop's class does not inherit from it
        send_without_delay(stream)
        self.server_state.make_room()
        super().connection_made(cast(asyncio.Transport, HeadJoiner(stream, self.loop)))
        self._wait(self._limits.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting, and call what `when_disconnected` was given."""
        self._stop_waiting()
        super().connection_lost(exc)
        leavers, self._leavers = self._leavers, []
        for leave in leavers:
            leave()

    def data_received(self, data: bytes) -> None:
        """Feed the parser; end the connection when what comes has no end."""
        if self in self.server_state.idle:
            self._wait(self._limits.head_seconds)
        if self._refused:
            self._unwanted_bytes += len(data)
        else:
            self._barren_bytes += len(data)
            super().data_received(data)
        if self.transport.is_closing():
            return
        if self._unwanted_bytes > self._limits.linger_bytes:
            self.transport.close()
        elif self._barren_bytes > self._limits.head_bytes and not self._refused:
            _log.warning("a request's head passed %d bytes", self._limits.head_bytes)
            self._refuse(_TOO_LONG, answers=not self._in_body)

    def send_400_response(self, msg: str) -> None:
        """End the connection, with an answer unless it would stand within or behind another."""
        self._refuse(_NOT_HTTP % (len(msg), msg.encode()))

    def _refuse(self, answer: bytes, *, answers: bool = True) -> None:
        """Send a last answer, unless it would stand within or behind another, and end the connection.

        What the client still sends is read for a while: closing at once could take the answer from it.
        """
        if not (answers and self._may_answer()):
            self.transport.close()
            return
        self._refused = True
        self.transport.write(answer)
        self.transport.write_eof()
        self._unwanted_bytes = 0
        self._wait(self._limits.linger_seconds)

    def on_message_begin(self) -> None:
        """Let a request wait behind others, if those are few; raises `Refused` when they are many."""
        if len(self.pipeline) >= self._limits.pipelined:
            raise Refused
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header.

        Raises:
            Refused: for a trailer; no route reads them.
        """
        if self._in_body:
            raise Refused
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Stop waiting, and let the request be served; draining, it is the connection's last."""
        before = self.cycle
        cast(dict[str, Any], self.scope)[CONNECTION] = self
        super().on_headers_complete()
        self._stop_waiting()
        self._in_body, self._barren_bytes, self._unwanted_bytes = True, 0, 0
        if self.server_state.draining:
            if before is not None and not before.response_started:  # type: ignore[redundant-expr]  # None at first
                before.keep_alive = True
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        self._barren_bytes = 0
        if self.cycle.response_complete:
            self._unwanted_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Wait for the next request, if the answer was out before the request's end."""
        self._in_body, self._barren_bytes = False, 0
        if self.cycle.response_complete:
            self._rest()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Wait for what remains of the request, or else for the next one, unless another request is served now."""
        super().on_response_complete()
        if self.cycle.response_complete and self._in_body:
            self._wait(self._limits.linger_seconds)
        elif self.cycle.response_complete:
            self._rest()

    def drain(self) -> None:
        """Let the latest request's answer be the connection's last."""
        if not self._is_unused():
            self.cycle.keep_alive = False

    def close_unused(self) -> None:
        """Close the connection if it is idle; wait only a moment for a head that has begun, or for the first one."""
        if self in self.server_state.idle:
            self.transport.close()
        elif self._is_unused() and not self._in_body:
            self._wait(_FIRST_REQUEST_SECONDS)

    def _is_unused(self) -> bool:
        """Tell whether no request waits for its answer."""
        return self.cycle is None or self.cycle.response_complete  # type: ignore[redundant-expr]  # None at first

    def _may_answer(self) -> bool:
        """Tell whether an answer written now would be the only one to the latest request."""
        if not self.cycle:  # type: ignore[truthy-bool]  # None before the first request
            return True
        if self._in_body:
            return not (self.cycle.response_started or self.pipeline)
        return self.cycle.response_complete

    def _rest(self) -> None:
        """Begin to be idle."""
        self._wait(self._limits.keep_alive_seconds)
        self.server_state.idle[self] = None

    def _wait(self, seconds: float) -> None:
        self._stop_waiting()
        self._deadline = self.loop.call_later(seconds, self._late)

    def _stop_waiting(self) -> None:
        self.server_state.idle.pop(self, None)
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _late(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()
