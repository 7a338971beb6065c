"""One node by HTTP: a body out, a reply in. Knows nothing of JSON-RPC."""

import asyncio
from base64 import b64encode
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

from usufruct.chain.rpc_errors import NodeAway, RpcUnreadable
from usufruct.http import ConnectTimeout, Pool, ReadTimeout, TransportError

_MOST_BYTES = 1 << 27
_CONNECT_SECONDS = 10.0
_KEEP_ALIVE_SECONDS = 15.0
_URL_CHARACTERS = "/?&=%:@!$'()*+,;~-._"
"""What stays as it is in a request's path and query; the rest, above all spaces and line ends, is percent-encoded."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back; `retry_after`: the header of that name, when it holds seconds."""

    status: int
    content: bytes
    retry_after: float | None = None


class HttpWire:
    """Carries bodies to a node. Connections are opened by the first one and belong to the event loop that sent it."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._host = urlsplit(url).hostname or "the node"
        self._head = ""
        self._pool: Pool | None = None

    async def post(self, body: bytes, timeout_seconds: float) -> Reply:
        """Send a body and return the reply; a kept connection that the node closed meanwhile is opened once more.

        Raises:
            NodeAway: when the connection fails, or no reply comes in time.
            RpcUnreadable: when the reply is too long.
        """
        try:
            async with asyncio.timeout(timeout_seconds):
                return await self._post(body, timeout_seconds)
        except (TransportError, OSError, ValueError) as error:  # OSError: TimeoutError is one
            raise self._away(error) from None

    async def close(self) -> None:
        """Close the connections; the next `post` opens others."""
        if self._pool is not None:
            await self._pool.close()

    async def _post(self, body: bytes, timeout_seconds: float) -> Reply:
        if self._pool is None:
            self._pool, self._head = self._opened()
        request = f"{self._head}content-length: {len(body)}\r\n\r\n".encode() + body
        response = await self._pool.send(request, timeout_seconds)
        try:
            content = await response.read_all(_MOST_BYTES)
        finally:
            response.release()
        if len(content) > _MOST_BYTES:
            raise RpcUnreadable(
                f"{self._host} answered with more than {_MOST_BYTES} bytes", host=self._host, most=_MOST_BYTES
            )
        return Reply(response.status, content, _seconds(response.headers.get("retry-after", "")))

    def _opened(self) -> tuple[Pool, str]:
        """Return a pool for the node, and the head of every request; ValueError when the URL is none of HTTP."""
        parts = urlsplit(self._url)
        _, _, netloc = parts.netloc.rpartition("@")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        lines = [f"POST {quote(path, safe=_URL_CHARACTERS)} HTTP/1.1", f"host: {netloc}", "accept: */*"]
        lines += ["content-type: application/json", "accept-encoding: identity"]
        if parts.username is not None:
            secret = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            lines.append(f"authorization: Basic {b64encode(secret.encode()).decode()}")
        pool = Pool(self._url, connect_seconds=_CONNECT_SECONDS, keep_alive_seconds=_KEEP_ALIVE_SECONDS)
        return pool, "".join(f"{line}\r\n" for line in lines)

    def _away(self, error: Exception) -> NodeAway:
        said = str(error) if isinstance(error, TransportError) else ""  # others may quote the URL, and its secrets
        return NodeAway(
            f"{self._host} does not answer ({said or type(error).__name__}); check chain.rpc_url",
            host=self._host,
            timed_out=isinstance(error, (TimeoutError, ConnectTimeout, ReadTimeout)),
        )


def _seconds(text: str) -> float | None:
    return float(text) if text.isascii() and text.isdigit() and len(text) < 6 else None
