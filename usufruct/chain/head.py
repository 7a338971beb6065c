"""The newest block, read once for all streams of logs that a process follows."""

import asyncio

from usufruct.chain.answers import Header
from usufruct.chain.client import Client
from usufruct.core import Clock, SystemClock


class ChainHead:
    """The newest block's header, at most `fresh_seconds` old.

    Streams that find the head unchanged since they were idle ask the node nothing else.
    """

    def __init__(self, client: Client, fresh_seconds: float, clock: Clock | None = None) -> None:
        self._client = client
        self._fresh_seconds = fresh_seconds
        self._clock = clock or SystemClock()
        self._reading = asyncio.Lock()
        self._header: Header | None = None
        self._read_at = float("-inf")

    async def latest(self) -> Header | None:
        """Return the newest block's header; raises `RpcUnavailable` when the node does not answer."""
        async with self._reading:
            now = self._clock.monotonic()
            if now - self._read_at >= self._fresh_seconds:
                self._header = await self._client.header()
                self._read_at = now
            return self._header
