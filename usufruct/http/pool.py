"""Kept-alive connections to one server."""

import asyncio
import socket
import ssl
from collections import deque
from contextlib import suppress
from urllib.parse import urlsplit

from usufruct.http.connection import Connection, Response
from usufruct.http.errors import AddressRefused, ConnectFailed, ConnectionCut, ConnectTimeout, ReadTimeout
from usufruct.http.reach import Reach


class Pool:
    """Connections to one server: as many as there are requests at once; idle ones are used again, newest first.

    A server may close an idle connection at any moment. A request that meets one so, of whose answer not a byte came,
    is sent once more, on a new connection.
    """

    def __init__(
        self, url: str, *, connect_seconds: float, keep_alive_seconds: float, reach: Reach = Reach.ANY
    ) -> None:
        """Open connections within `connect_seconds`; use none that was idle for over `keep_alive_seconds`.

        `reach`: which addresses the host may have.

        Raises:
            ValueError: when the URL is not of http or https, names no host, or has an invalid port.
        """
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("the address must begin with http:// or https:// and name a host")
        self._context = ssl.create_default_context() if parts.scheme == "https" else None
        self._host, self._port = parts.hostname, parts.port or (443 if self._context else 80)
        self._reach = reach
        self._connect_seconds = connect_seconds
        self._keep_alive_seconds = keep_alive_seconds
        self._idle: deque[tuple[float, Connection]] = deque()
        self._open: set[Connection] = set()
        self._closed = False

    async def send(self, request: bytes, head_seconds: float, late: Exception | None = None) -> Response:
        """Send a whole request and return its answer once the head is here, within `head_seconds` of sending it.

        Raises:
            ConnectFailed, ConnectTimeout: when the server cannot be reached.
            AddressRefused: when it has no address that it may have.
            ReadTimeout: when the head does not come in time; `late` in its place, if given.
            ConnectionCut, NotHttp: when the reply has no valid head.
        """
        kept = self._take()
        if kept is not None:
            try:
                return await self._answered(kept, request, head_seconds, late)
            except ConnectionCut as cut:
                if not cut.unanswered:
                    raise
        return await self._answered(await self._connect(), request, head_seconds, late)

    async def close(self) -> None:
        """Close every connection; a later request opens new ones."""
        self._closed = True
        self._idle.clear()
        for connection in list(self._open):
            connection.close()
        while self._open:  # noqa: ASYNC110 - asyncio tells a protocol of its end in the next iteration
            await asyncio.sleep(0)

    def _take(self) -> Connection | None:
        """Return the connection that was used last; close those that were idle for too long."""
        idle = self._idle
        if not idle:
            return None
        oldest = idle[-1][1].loop.time() - self._keep_alive_seconds
        while idle and idle[0][0] < oldest:
            idle.popleft()[1].close()
        while idle:
            connection = idle.pop()[1]
            if connection.usable:
                return connection
        return None

    async def _answered(
        self, connection: Connection, request: bytes, seconds: float, late: Exception | None
    ) -> Response:
        head = connection.send(request)
        timer = connection.loop.call_later(seconds, connection.fail, late or ReadTimeout())
        try:
            return await head
        except asyncio.CancelledError:
            connection.close()
            raise
        finally:
            timer.cancel()

    async def _connect(self) -> Connection:
        loop = asyncio.get_running_loop()
        self._closed = False
        try:
            async with asyncio.timeout(self._connect_seconds):
                connection = await self._open_connection(loop)
        except TimeoutError:
            raise ConnectTimeout from None
        except (OSError, UnicodeError) as error:
            raise ConnectFailed(getattr(error, "strerror", None) or type(error).__name__) from error
        self._open.add(connection)
        return connection

    async def _open_connection(self, loop: asyncio.AbstractEventLoop) -> Connection:
        """Connect to the host, or where `reach` is limited to the first of its allowed addresses that takes it."""
        if self._reach is Reach.ANY:
            return await self._connect_to(self._host, loop)
        found = await loop.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
        allowed = [each for each in addresses if self._reach.allows(each)]
        if not allowed:
            raise AddressRefused(f"{self._host} is at {', '.join(addresses)}")
        for address in allowed[:-1]:
            with suppress(OSError):
                return await self._connect_to(address, loop)
        return await self._connect_to(allowed[-1], loop)

    async def _connect_to(self, host: str, loop: asyncio.AbstractEventLoop) -> Connection:
        _, connection = await loop.create_connection(
            lambda: Connection(loop, self._keep, self._open.discard),
            host,
            self._port,
            ssl=self._context,
            server_hostname=self._host if self._context else None,
        )
        return connection

    def _keep(self, connection: Connection) -> None:
        """Keep a connection for another request."""
        if self._closed:
            connection.close()
        else:
            self._idle.append((connection.loop.time(), connection))
