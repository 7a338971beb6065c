"""Whether a request went out on a kept-alive connection, and whether the server dropped that without an answer."""

from contextvars import ContextVar
from weakref import WeakSet

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.tracing import Trace

on_kept_connection: ContextVar[bool] = ContextVar("on_kept_connection", default=False)
"""Whether the latest request of this task, through a `ReusingConnector`, went out on a kept-alive connection."""


class ReusingConnector(aiohttp.TCPConnector):
    """A pool of connections that sets `on_kept_connection`; aiohttp's own tracing costs a tenth of a short request."""

    def __init__(self, keep_alive: float) -> None:
        """Keep any number of connections, each idle for at most `keep_alive` seconds."""
        super().__init__(limit=0, keepalive_timeout=keep_alive)
        self._used: WeakSet[ResponseHandler] = WeakSet()

    async def connect(
        self, req: aiohttp.ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout
    ) -> Connection:
        """Return a connection, kept or new."""
        connection = await super().connect(req, traces, timeout)
        protocol = connection.protocol
        on_kept_connection.set(protocol in self._used)
        if protocol is not None:
            self._used.add(protocol)
        return connection


def is_unanswered(error: aiohttp.ClientConnectionError) -> bool:
    """Tell whether a connection ended before a byte of the answer came; aiohttp hands over a head that had begun."""
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return isinstance(error.message, str)
    reset = isinstance(error, aiohttp.ClientOSError | aiohttp.ClientConnectionResetError)
    return reset and not isinstance(error, aiohttp.ClientConnectorError)
