"""The one HTTP server configuration: every listener of ours, and every test of one, runs on it.

uvicorn with httptools and `GuardedProtocol`; uvloop as the event loop where it runs.
"""

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

import uvicorn
from starlette.types import ASGIApp
from uvicorn.loops.auto import auto_loop_factory

from usufruct.web.protocol import GuardedProtocol

MOST_CONNECTIONS = 2_000
"""Connections a gateway takes at once; more are answered 503."""


class SideServer(uvicorn.Server):
    """A server beside a process's own work: it leaves signals to that."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture nothing."""
        yield


def server_config(
    app: ASGIApp, *, lifespan: Literal["on", "off"] = "on", most_connections: int = MOST_CONNECTIONS
) -> uvicorn.Config:
    """Return how an application is served: with our own log, and bounds on every connection."""
    return uvicorn.Config(
        app,
        http=GuardedProtocol,
        ws="none",
        lifespan=lifespan,
        limit_concurrency=most_connections,
        log_config=None,
        access_log=False,
    )


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


def event_loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """Return what makes the event loop of a server process: uvloop's, or asyncio's where uvloop does not run."""
    return auto_loop_factory()
