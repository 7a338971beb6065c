"""The gateway as a process: where it listens, and where its operator reads its numbers."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Literal

from usufruct.app.installation import Installation
from usufruct.chain.keys import Role, signer_of
from usufruct.core import Conflict
from usufruct.core.process import Shutdown
from usufruct.payments.settlement import ReceiptSigners
from usufruct.web import Health, Router, Server, ServerLimits, allow_browsers, at_public_url, base_url, listen

MOST_READERS = 20
"""Connections at which a process shows its numbers at once."""

_log = logging.getLogger(__name__)


class AddressTaken(Conflict, code="address_taken"):
    """The gateway cannot listen at the configured address."""


async def serve(installation: Installation, announce: Callable[[str], None], shutdown: Shutdown | None = None) -> None:
    """Serve the gateway until `shutdown` is asked for and running calls have ended, or until cancelled.

    `announce` is given the base URL once calls are accepted.

    Raises:
        AddressTaken: when something else listens there.
    """
    setting = installation.config.gateway
    signer_of(Role.RECEIPTS, installation.config)  # a password that does not open it ends the gateway now, not a call
    shutdown = shutdown or Shutdown()
    exposed = [name for component in installation.components for name in component.exposed_headers]
    router = at_public_url(installation.router(), setting.public_url)
    app = allow_browsers(router, setting.cors_origins.split(), exposed)
    limits = ServerLimits(
        connections=setting.connections,
        keep_alive_seconds=setting.keep_alive_seconds,
        drain_seconds=setting.drain_seconds,
        lead_seconds=setting.drain_lead_seconds,
    )
    with _listen(setting.host, setting.port, "gateway.host or gateway.port") as listening:
        await installation.get(ReceiptSigners).record()
        server = Server(app, limits)
        async with show_metrics(installation, "gateway"):
            serving = asyncio.create_task(server.serve(sockets=[listening]))
            stopping = asyncio.create_task(_stop(server, installation.health, shutdown))
            try:
                while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn has no event for it
                    await asyncio.sleep(0.02)
                if server.started:
                    shutdown.drains = True
                    announce(f"{base_url(listening, setting.host)}/v1")
                await serving
            finally:
                stopping.cancel()


async def _stop(server: Server, health: Health, shutdown: Shutdown) -> None:
    await shutdown.asked.wait()
    _log.info("shutting down: running calls may finish")
    health.leave()
    server.drain()
    await shutdown.forced.wait()
    server.cut()


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
        limits = ServerLimits(connections=MOST_READERS, drain_seconds=1.0)
        server = Server(Router(installation.metrics.routes), limits, lifespan="off")
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield
        finally:
            server.drain()
            await serving


def _listen(host: str, port: int, settings: str) -> socket.socket:
    try:
        return listen(host, port)
    except OSError as error:
        raise AddressTaken(
            f"cannot listen at {host}:{port} ({error.strerror}); free it, or change {settings}", host=host, port=port
        ) from error
