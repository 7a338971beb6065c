"""One request and its answer on raw ASGI: the hot path pays for no framework object it does not use."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import orjson
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from usufruct.core import Clock, UsufructError, time_ordered_id
from usufruct.web.errors import BodyTooLarge, ClientGone, Header, MalformedBody, SlowBody, error_body, error_headers
from usufruct.web.protocol import CONNECTION, GuardedProtocol, answer_at_once, body_at_once

BODY_SECONDS = 60.0
"""How long a caller may take to send a body."""

_CLOCK = Clock()

JSON = (b"content-type", b"application/json")
_NO_SNIFFING = (b"x-content-type-options", b"nosniff")
"""Of every answer: a browser takes it for what it says it is."""
EVENT_STREAM: tuple[Header, ...] = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # a proxy that collects a stream takes its purpose away
)

_PUBLIC_URL = "usufruct.public_url"
_HOST = re.compile(r"([\w.-]+|\[[0-9a-fA-F:.]+\])(:[0-9]{1,5})?", re.ASCII)


def at_public_url(app: ASGIApp, url: str) -> ASGIApp:
    """Return `app` such that it is called `url`, whatever a proxy calls it; as it is for an empty one."""
    if not url:
        return app

    def named(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        scope[_PUBLIC_URL] = url
        return app(scope, receive, send)

    return named


class HttpExchange:
    """A request, and the one answer that may be sent to it.

    `call_id` (32 bytes that sort by time, 27 of them random, as `0x` and hex) names it in the `x-request-id` header, in
    log lines, errors and receipts.
    """

    __slots__ = (
        "_attached",
        "_connection",
        "_receive",
        "_send",
        "call_id",
        "headers",
        "method",
        "path",
        "scope",
        "started",
    )

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._connection: GuardedProtocol | None = scope.get(CONNECTION)
        self.call_id: str = time_ordered_id(_CLOCK.now())
        self.headers: Mapping[bytes, bytes] = dict(scope["headers"])
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.started = False
        self._attached: dict[bytes, bytes] = {}
        self.scope = scope

    @property
    def has_public_url(self) -> bool:
        """Whether the address of this server is configured, rather than what the caller says."""
        return _PUBLIC_URL in self.scope

    @property
    def root(self) -> str:
        """The address of this server, without a slash at its end: its public one, or else as the caller names it."""
        scope = self.scope
        if public := scope.get(_PUBLIC_URL):
            return str(public)
        host = self.header(b"host")
        if not _HOST.fullmatch(host):
            host = ":".join(map(str, scope.get("server") or ("localhost",)))
        return f"{scope.get('scheme', 'http')}://{host}"

    @property
    def url(self) -> str:
        """The address that was called."""
        return f"{self.root}{self.path}"

    def attach(self, headers: Sequence[Header]) -> None:
        """Let headers go out with the answer, whichever it will be; a later one of the same name replaces them."""
        self._attached.update(headers)

    def header(self, name: bytes) -> str:
        """Return a request header's text (lowercase `name`), or "" when it was not sent."""
        return self.headers.get(name, b"").decode("latin-1").strip()

    def is_longer(self, limit: int) -> bool:
        """Tell whether the body may have more than `limit` bytes: by its declared length, or without one."""
        declared = self.headers.get(b"content-length", b"")
        return not declared.isdigit() or int(declared) > limit

    async def body(self, limit: int) -> bytes:
        """Read the whole body.

        Raises:
            BodyTooLarge: when it is longer than `limit` bytes.
            ClientGone: when the caller hangs up before its end.
            SlowBody: when it has not come to its end after `BODY_SECONDS`.
        """
        declared = self.headers.get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > limit:
            raise _too_large(limit)
        whole = body_at_once(self._receive)
        if whole is not None:
            if len(whole) > limit:
                raise _too_large(limit)
            return whole
        try:
            async with asyncio.timeout(BODY_SECONDS):
                return await self._whole_body(limit)
        except TimeoutError as error:
            raise SlowBody(f"the request's body took over {BODY_SECONDS:g} s; send it again", field="body") from error

    async def _whole_body(self, limit: int) -> bytes:
        parts: list[bytes] = []
        length, more = 0, True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            part = message.get("body", b"")
            length += len(part)
            if length > limit:
                raise _too_large(limit)
            parts.append(part)
            more = message.get("more_body", False)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    @property
    def is_draining(self) -> bool:
        """Whether the server shuts down; a handler of an endless stream ends it, so that the client reconnects."""
        return self._connection is not None and self._connection.server_state.draining

    def when_disconnected(self, leave: Callable[[], None]) -> Callable[[], object]:
        """Call `leave` when the client disconnects; return what cancels this. Call it after reading the body.

        Other servers than ours report a disconnect only to a task that waits for it, and also after a complete answer.
        """
        if self._connection is not None:
            return self._connection.when_disconnected(leave)

        async def watch() -> None:
            while (await self._receive())["type"] != "http.disconnect":
                pass
            leave()

        return asyncio.create_task(watch()).cancel

    async def start(self, status: int, headers: Sequence[Header]) -> None:
        """Send the status line and the headers."""
        self.started = True
        await self._send({"type": "http.response.start", "status": status, "headers": self._every(headers)})

    def _every(self, headers: Sequence[Header]) -> list[Header]:
        """Return the headers with those that were attached, and the request's id."""
        named = dict(headers)
        attached = [header for header in (*self._attached.items(), _NO_SNIFFING) if header[0] not in named]
        return [*headers, *attached, (b"x-request-id", self.call_id.encode())]

    async def write(self, body: bytes, *, more: bool = True) -> None:
        """Send a piece of the body; waits while the caller's connection is full."""
        await self._send({"type": "http.response.body", "body": body, "more_body": more})

    async def answer(self, status: int, body: bytes, headers: Sequence[Header] = (JSON,)) -> None:
        """Send a whole answer."""
        headers = [*headers, (b"content-length", b"%d" % len(body))]
        if answer_at_once(self._send, status, self._every(headers), body):
            self.started = True
            return
        await self.start(status, headers)
        await self.write(body, more=False)

    async def answer_json(self, content: object, headers: Sequence[Header] = (), status: int = 200) -> None:
        """Send a whole answer as JSON."""
        await self.answer(status, orjson.dumps(content), [JSON, *headers])

    async def respond(self, response: Response) -> None:
        """Send Starlette's answer."""
        response.raw_headers = self._every(response.raw_headers)
        self.started = True
        if type(response) is Response and response.background is None:
            body = bytes(response.body)
            if answer_at_once(self._send, response.status_code, response.raw_headers, body):
                return
        await response(self.scope, self._receive, self._send)

    async def answer_error(self, error: UsufructError) -> None:
        """Send an error in the shape OpenAI's client libraries read; an attached header replaces the error's own."""
        headers = [header for header in error_headers(error) if header[0] not in self._attached]
        await self.answer_json(error_body(error, self.call_id), headers, error.status)


def json_object(body: bytes) -> dict[str, Any]:
    """Parse a request's body; raises `MalformedBody` when it is not JSON, or not an object."""
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise MalformedBody(
            f"the body is not valid JSON: {error}; send one JSON object in UTF-8", field="body"
        ) from error
    if not isinstance(content, dict):
        raise MalformedBody(f"the body is JSON but a {type(content).__name__}; send an object", field="body")
    return content


def _too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge(f"the body is over {limit} bytes; send a shorter one", field="body", limit=limit)
