"""Readers of pages: kept-alive connections, each asks for one page after the other and notes how long it took."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import cast
from urllib.parse import urlsplit

import httptools

BROWSER = {"accept": "text/html", "accept-encoding": "gzip, deflate, br", "accept-language": "en-US,en;q=0.9"}
HTMX = {**BROWSER, "hx-request": "true"}


@dataclass(slots=True)
class Reading:
    """What came of it: seconds of each page, and of all together."""

    seconds: list[float] = field(default_factory=list)
    elapsed: float = 0.0


async def read(
    root: str, paths: Iterator[str], headers: Mapping[str, str], seconds: float, readers: int = 1
) -> Reading:
    """Have so many readers ask for pages at `root` for so long, each for the next of `paths`.

    Raises:
        RuntimeError: when a page is refused or a connection is lost.
    """
    address = urlsplit(root)
    run = _Run(address.netloc, paths, headers, readers, perf_counter() + seconds)
    where, began = (address.hostname or "", address.port or 80), perf_counter()
    for _ in range(readers):
        await asyncio.get_running_loop().create_connection(lambda: _Reader(run), *where)
    await run.over
    run.reading.elapsed = perf_counter() - began
    return run.reading


class _Run:
    """All readers together."""

    def __init__(self, host: str, paths: Iterator[str], headers: Mapping[str, str], readers: int, until: float) -> None:
        self._paths = paths
        self._head = "".join(f"{name}: {text}\r\n" for name, text in {"host": host, **headers}.items())
        self._open, self._least = readers, 2 * readers
        self._until = until
        self.reading = Reading()
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def next_request(self) -> bytes | None:
        """Return the next request; None when the time is over and each page was read twice."""
        if perf_counter() > self._until and len(self.reading.seconds) >= self._least:
            return None
        return f"GET {next(self._paths)} HTTP/1.1\r\n{self._head}\r\n".encode()

    def left(self) -> None:
        """Note that a reader has gone."""
        self._open -= 1
        if not self._open and not self.over.done():
            self.over.set_result(None)

    def fail(self, why: str) -> None:
        """End with an error."""
        if not self.over.done():
            self.over.set_exception(RuntimeError(why))


class _Reader(asyncio.Protocol):
    """One connection."""

    def __init__(self, run: _Run) -> None:
        self._run = run
        self._transport: asyncio.Transport
        self._parser = httptools.HttpResponseParser(self)
        self._asked = 0.0
        self._done = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        if status != 200:
            self._run.fail(f"a page was answered {status}")
            return
        self._run.reading.seconds.append(perf_counter() - self._asked)
        self._parser = httptools.HttpResponseParser(self)
        self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._done:
            self._run.fail("the server closed a connection")
        self._run.left()

    def _ask(self) -> None:
        request = self._run.next_request()
        if request is None:
            self._done = True
            self._transport.close()
            return
        self._asked = perf_counter()
        self._transport.write(request)
