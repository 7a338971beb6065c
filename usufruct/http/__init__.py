"""An HTTP/1.1 client for upstreams and chain nodes: kept-alive connections to one server, and answers as they come."""

from usufruct.http.connection import Response
from usufruct.http.errors import (
    AddressRefused,
    ConnectFailed,
    ConnectTimeout,
    NotHttp,
    ReadTimeout,
    TransportError,
)
from usufruct.http.pool import Pool
from usufruct.http.reach import Reach

__all__ = [
    "AddressRefused",
    "ConnectFailed",
    "ConnectTimeout",
    "NotHttp",
    "Pool",
    "Reach",
    "ReadTimeout",
    "Response",
    "TransportError",
]
