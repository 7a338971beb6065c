"""The gateway as a process: where it listens, and where its operator reads its numbers."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Literal

import uvicorn

from usufruct.app.installation import Installation
from usufruct.core import Conflict
from usufruct.web import GuardedProtocol, Router, SideServer

MOST_CONNECTIONS = 2_000
"""Connections a gateway takes at once; more are answered 503."""

MOST_READERS = 20
"""Connections at which a process shows its numbers at once."""

_GUARDED: dict[str, Any] = {"log_config": None, "access_log": False, "ws": "none", "http": GuardedProtocol}
"""What all our listeners have in common: our own log, and bounds on every connection."""


class AddressTaken(Conflict):
    """The gateway cannot listen where it is told to."""

    code = "address_taken"


async def serve(installation: Installation, announce: Callable[[str], None]) -> None:
    """Serve the gateway until the process is told to stop; `announce` is given its base URL once it accepts calls."""
    setting = installation.config.gateway
    listening = _listen(setting.host, setting.port, "gateway.host or gateway.port")
    options = uvicorn.Config(installation.router(), lifespan="on", limit_concurrency=MOST_CONNECTIONS, **_GUARDED)
    server = uvicorn.Server(options)
    with listening:
        async with show_metrics(installation, "gateway"):
            serving = asyncio.create_task(server.serve(sockets=[listening]))
            while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn has no event for it
                await asyncio.sleep(0.02)
            if server.started:
                announce(f"http://{setting.host}:{listening.getsockname()[1]}/v1")
            await serving


@asynccontextmanager
async def show_metrics(installation: Installation, process: Literal["gateway", "worker"]) -> AsyncIterator[None]:
    """Let the operator read this process's numbers while the block runs, unless its port in `[metrics]` is 0.

    Raises:
        AddressTaken: when something else listens there.
    """
    setting = installation.config.metrics
    port = setting.gateway_port if process == "gateway" else setting.worker_port
    if not port:
        yield
        return
    with _listen(setting.host, port, f"metrics.host or metrics.{process}_port") as listening:
        options = uvicorn.Config(
            Router(installation.metrics.routes),
            lifespan="off",
            limit_concurrency=MOST_READERS,
            timeout_graceful_shutdown=1,
            **_GUARDED,
        )
        server = SideServer(options)
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield
        finally:
            server.should_exit = True
            await serving


def _listen(host: str, port: int, settings: str) -> socket.socket:
    try:
        return socket.create_server((host, port))
    except OSError as error:
        raise AddressTaken(
            f"cannot listen at {host}:{port} ({error.strerror}); free it, or change {settings}",
            host=host,
            port=port,
        ) from error
