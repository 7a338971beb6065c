"""One node by HTTP: a body out, a reply in. Knows nothing of JSON-RPC."""

from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

import aiohttp

from usufruct.chain.rpc_errors import NodeAway, RpcUnreadable

_HEADERS = {"Content-Type": "application/json"}
_MOST_BYTES = 1 << 27
_CHUNK_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back; `retry_after`: the header of that name, when it holds seconds."""

    status: int
    content: bytes
    retry_after: float | None = None


class Wire(Protocol):
    """Carries one body to a node and its reply back."""

    async def post(self, body: bytes, timeout_seconds: float) -> Reply:
        """Send a body and return the reply.

        Raises:
            NodeAway: when there is no connection, or no reply in time.
            RpcUnreadable: when the reply is too long.
        """

    async def close(self) -> None:
        """Close the connections; the next `post` opens others."""


class HttpWire:
    """`Wire` over HTTP. A session is opened by the first body and belongs to the event loop that sent it."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._host = urlsplit(url).hostname or "the node"
        self._session: aiohttp.ClientSession | None = None

    async def post(self, body: bytes, timeout_seconds: float) -> Reply:
        """Send a body and return the reply; a kept connection that the node closed meanwhile is opened once more."""
        try:
            return await self._post(body, timeout_seconds)
        except aiohttp.ServerDisconnectedError:
            pass
        except (aiohttp.ClientError, OSError, ValueError) as error:  # OSError: TimeoutError is one
            raise self._away(error) from None
        try:
            return await self._post(body, timeout_seconds)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise self._away(error) from None

    async def close(self) -> None:
        """Close the session; the next `post` opens another."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _post(self, body: bytes, timeout_seconds: float) -> Reply:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(headers=_HEADERS)
        timeout = aiohttp.ClientTimeout(total=timeout_seconds)
        async with self._session.post(self._url, data=body, timeout=timeout) as response:
            content = bytearray()
            async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
                content += chunk
                if len(content) > _MOST_BYTES:
                    raise RpcUnreadable(
                        f"{self._host} answered with more than {_MOST_BYTES} bytes", host=self._host, most=_MOST_BYTES
                    )
            return Reply(response.status, bytes(content), _seconds(response.headers.get("Retry-After", "")))

    def _away(self, error: Exception) -> NodeAway:
        return NodeAway(
            f"{self._host} does not answer ({type(error).__name__}); check chain.rpc_url",
            host=self._host,
            timed_out=isinstance(error, TimeoutError),
        )


def _seconds(text: str) -> float | None:
    return float(text) if text.isascii() and text.isdigit() and len(text) < 6 else None
