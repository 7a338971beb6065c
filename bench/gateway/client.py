"""The load generator: kept-alive HTTP/1.1 connections that ask one call after the other, and note how long each took.

Run as a program it reads one `Load` as JSON from standard input and prints one `Timing`.
"""

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass, field
from typing import cast
from urllib.parse import urlsplit

import httptools
import uvloop


@dataclass(frozen=True, slots=True)
class Load:
    """What to ask: `body` at `url`/chat/completions with one of `headers` after the other.

    Each of `connections` asks until `seconds` are over, or until `calls` were made by all together. An answer with
    another status than `status` counts as failed.
    """

    url: str
    body: str
    headers: list[dict[str, str]]
    connections: int
    seconds: float = 0.0
    calls: int = 0
    status: int = 200


@dataclass(slots=True)
class Timing:
    """What came of it; seconds of each call, and until its first text token."""

    elapsed: float = 0.0
    failed: int = 0
    first_failure: str = ""
    seconds: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)


class _Connection(asyncio.Protocol):
    """One connection and the call that is under way on it."""

    def __init__(self, run: "_Run") -> None:
        self._run = run
        self._transport: asyncio.Transport
        self._parser = httptools.HttpResponseParser(self)
        self._sent = 0.0
        self._first: float | None = None
        self._text = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        # An event that only names the role carries no text token.
        if self._first is None and b"word" in body:
            self._first = time.perf_counter()
        self._text += body

    def on_message_complete(self) -> None:
        now, timing = time.perf_counter(), self._run.timing
        status = self._parser.get_status_code()
        if status == self._run.status and (status != 200 or b'"error"' not in self._text):
            timing.seconds.append(now - self._sent)
            timing.first.append((self._first or now) - self._sent)
        else:
            timing.failed += 1
            timing.first_failure = timing.first_failure or f"{status} {self._text[:300]!r}"
        keep = self._parser.should_keep_alive()
        self._parser = httptools.HttpResponseParser(self)
        if keep:
            self._ask()
        else:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._run.ended(self)

    def _ask(self) -> None:
        request = self._run.next_request()
        if request is None:
            self._transport.close()
            return
        self._first, self._text, self._sent = None, b"", time.perf_counter()
        self._transport.write(request)


class _Run:
    """The whole load, until its last call has ended."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self.status = load.status
        target = urlsplit(load.url)
        body = load.body.encode()
        self._address = str(target.hostname), target.port or 80
        self._requests = [
            (
                f"POST {target.path}/chat/completions HTTP/1.1\r\nhost: {target.netloc}\r\n"
                f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
                + "".join(f"{name}: {value}\r\n" for name, value in headers.items())
                + "\r\n"
            ).encode()
            + body
            for headers in load.headers
        ]
        self._made = 0
        self._until = float("inf")
        self._open = load.connections
        self._over = asyncio.Event()
        self.timing = Timing()

    def next_request(self) -> bytes | None:
        """Return the next request's bytes; None when enough were made."""
        enough = self._load.calls and self._made >= self._load.calls
        if enough or time.perf_counter() > self._until:
            return None
        self._made += 1
        return self._requests[self._made % len(self._requests)]

    def ended(self, _: _Connection) -> None:
        """Note that a connection is closed."""
        self._open -= 1
        if not self._open:
            self._over.set()

    async def run(self) -> Timing:
        """Make all calls."""
        loop = asyncio.get_running_loop()
        started = time.perf_counter()
        if self._load.seconds:
            self._until = started + self._load.seconds
        for _ in range(self._load.connections):
            await loop.create_connection(lambda: _Connection(self), *self._address)
        await self._over.wait()
        self.timing.elapsed = time.perf_counter() - started
        return self.timing


async def _main() -> None:
    load = Load(**json.loads(sys.stdin.read()))
    print(json.dumps(asdict(await _Run(load).run())))


if __name__ == "__main__":
    uvloop.run(_main())
