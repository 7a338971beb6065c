"""An HTTP/1.1 client for upstreams and chain nodes: kept-alive connections to one server, and answers as they come."""

from usufruct.http.connection import Response
from usufruct.http.errors import ConnectFailed, ConnectTimeout, NotHttp, ReadTimeout, TransportError
from usufruct.http.pool import Pool

__all__ = ["ConnectFailed", "ConnectTimeout", "NotHttp", "Pool", "ReadTimeout", "Response", "TransportError"]
