"""The one HTTP server: every listener of ours, and every test of one, runs on it.

uvicorn with httptools and `GuardedProtocol`; uvloop as the event loop where it runs. Signals are left to the process,
which calls `drain` and `cut`.
"""

import asyncio
import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Literal

import uvicorn
from starlette.types import ASGIApp

from usufruct.web.protocol import Connections, GuardedProtocol
from usufruct.web.server_limits import ServerLimits

_LOOK_SECONDS = 0.05
_MOMENT_SECONDS = 0.1
"""How long a draining server reads before it closes idle connections: a request that was sent already is served."""

_CUT_SECONDS = 5.0
"""How long cut requests have to charge what was delivered and to report it."""

_log = logging.getLogger(__name__)


class Server(uvicorn.Server):
    """Serves one ASGI application on given sockets until it is drained.

    Draining: new requests are refused by closing the listener, running ones finish within `drain_seconds`, those left
    are cancelled. A cancelled request may still answer, within a few seconds.
    """

    def __init__(
        self, app: ASGIApp, limits: ServerLimits | None = None, *, lifespan: Literal["on", "off"] = "on"
    ) -> None:
        self._limits = limits or ServerLimits()
        super().__init__(
            uvicorn.Config(
                app,
                http=GuardedProtocol,
                ws="none",
                lifespan=lifespan,
                interface="asgi3",  # not guessed: an application may be a function that returns a coroutine
                limit_concurrency=self._limits.connections,
                timeout_keep_alive=self._limits.keep_alive_seconds,  # type: ignore[arg-type]  # any number will do
                log_config=None,
                access_log=False,
            )
        )
        self._connections = Connections(self._limits)
        self.server_state = self._connections
        self._cut = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture nothing."""
        yield

    def drain(self) -> None:
        """Begin to shut down; `serve` returns when running requests have ended."""
        self._connections.drain()
        self.should_exit = True

    def cut(self) -> None:
        """End a shutdown now: what still runs is cut."""
        self.drain()
        self._cut.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain, then cut what is left, then end the application's lifespan."""
        self._connections.drain()
        await self._until_cut(self._limits.lead_seconds)
        await self._stop_listening(sockets or [])
        await self._until_cut(_MOMENT_SECONDS)
        self._connections.close_unused()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._limits.drain_seconds
        while self._is_busy() and not self._cut.is_set() and loop.time() < deadline:
            await self._until_cut(_LOOK_SECONDS)
        await self._cut_off()
        await self.lifespan.shutdown()

    async def _stop_listening(self, sockets: list[socket.socket]) -> None:
        """Close the listeners, after the connections that were accepted already have become ours.

        asyncio accepts in one iteration and attaches in the next; a server closed between leaks the connection, and the
        client waits without end.
        """
        loop = asyncio.get_running_loop()
        with suppress(NotImplementedError):  # Windows
            for listening in sockets:
                loop.remove_reader(listening.fileno())
        for _ in range(3):
            await asyncio.sleep(0)
        for server in self.servers:
            server.close()
        for listening in sockets:
            listening.close()

    def _is_busy(self) -> bool:
        return bool(self._connections.connections or self._connections.tasks)

    async def _cut_off(self) -> None:
        """Cancel running requests, which may still charge and end their answers; then close every connection."""
        for _ in range(2):  # the second time for one that waits for a client who stopped reading
            if tasks := list(self._connections.tasks):
                _log.warning("requests cut by the shutdown", extra={"requests": len(tasks)})
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks, timeout=_CUT_SECONDS)
        if self._connections.connections:
            await asyncio.sleep(_MOMENT_SECONDS)
        for connection in self._connections.guarded():
            connection.transport.abort()

    async def _until_cut(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._cut.wait()


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens at an IPv4 or IPv6 address or a host name; port 0 is a free one.

    Raises:
        OSError: when the address is taken, or is not this machine's.
    """
    family, *_ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    return socket.create_server((host, port), family=family)


def base_url(listening: socket.socket, host: str) -> str:
    """Return the URL at which a client on this machine or network reaches a listening socket."""
    named = f"[{host}]" if ":" in host else host
    return f"http://{named}:{listening.getsockname()[1]}"
