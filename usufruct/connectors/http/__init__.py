"""An HTTP/1.1 client for the hot path: kept-alive connections to one server, and answers as they come."""

from usufruct.connectors.http.connection import Response
from usufruct.connectors.http.errors import (
    ConnectFailed,
    ConnectionCut,
    ConnectTimeout,
    NotHttp,
    ReadTimeout,
    TransportError,
)
from usufruct.connectors.http.pool import Origin, Pool

__all__ = [
    "ConnectFailed",
    "ConnectTimeout",
    "ConnectionCut",
    "NotHttp",
    "Origin",
    "Pool",
    "ReadTimeout",
    "Response",
    "TransportError",
]
