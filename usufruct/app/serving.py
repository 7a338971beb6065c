"""The gateway as a process: where it listens, and where its operator reads its numbers."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Literal

import uvicorn

from usufruct.app.installation import Installation
from usufruct.core import Conflict
from usufruct.web import Router, SideServer, base_url, listen, server_config

MOST_READERS = 20
"""Connections at which a process shows its numbers at once."""


class AddressTaken(Conflict):
    """The gateway cannot listen where it is told to."""

    code = "address_taken"


async def serve(installation: Installation, announce: Callable[[str], None]) -> None:
    """Serve the gateway until the process is told to stop; `announce` is given its base URL once it accepts calls."""
    setting = installation.config.gateway
    listening = _listen(setting.host, setting.port, "gateway.host or gateway.port")
    server = uvicorn.Server(server_config(installation.router()))
    with listening:
        async with show_metrics(installation, "gateway"):
            serving = asyncio.create_task(server.serve(sockets=[listening]))
            while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn has no event for it
                await asyncio.sleep(0.02)
            if server.started:
                announce(f"{base_url(listening, setting.host)}/v1")
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
        config = server_config(Router(installation.metrics.routes), lifespan="off", most_connections=MOST_READERS)
        config.timeout_graceful_shutdown = 1
        server = SideServer(config)
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield
        finally:
            server.should_exit = True
            await serving


def _listen(host: str, port: int, settings: str) -> socket.socket:
    try:
        return listen(host, port)
    except OSError as error:
        raise AddressTaken(
            f"cannot listen at {host}:{port} ({error.strerror}); free it, or change {settings}",
            host=host,
            port=port,
        ) from error
