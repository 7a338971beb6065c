"""An HTTP/1.1 client for upstreams and chain nodes: kept-alive connections to one server, and answers as they come."""

from usufruct.http.connection import Response
from usufruct.http.errors import (
    AddressRefused,
    ConnectFailed,
    ConnectTimeout,
    NotHttp,
    ReadTimeout,
    TooLong,
    TransportError,
)
from usufruct.http.fetch import Document, Fetcher, FetchLimits
from usufruct.http.pool import Pool
from usufruct.http.reach import Reach

__all__ = [
    "AddressRefused",
    "ConnectFailed",
    "ConnectTimeout",
    "Document",
    "FetchLimits",
    "Fetcher",
    "NotHttp",
    "Pool",
    "Reach",
    "ReadTimeout",
    "Response",
    "TooLong",
    "TransportError",
]
