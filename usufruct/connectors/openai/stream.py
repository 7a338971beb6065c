"""A streamed answer while it comes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable

import aiohttp

from usufruct.connectors.openai.errors import UpstreamCut, UpstreamFault
from usufruct.connectors.openai.events import EventSplitter, StreamEvent, read_event
from usufruct.connectors.openai.faults import TRANSPORT_ERRORS, transport_fault
from usufruct.connectors.openai.limits import Limits

_GRACE_AFTER_DONE = 0.1


class ChatStream:
    """The events of one streamed answer, in order, each as soon as its last byte is here.

    Iterate once, over events or over `batches()`. A fault is raised after the events that were read before it. The end
    is `[DONE]`, or the end of the bytes after a usage event; bytes that end earlier are `UpstreamCut`.
    """

    def __init__(self, response: aiohttp.ClientResponse, url: str, limits: Limits, secret: str) -> None:
        """Read from an open `response`; `secret` is kept out of error messages."""
        self._response = response
        self._url = url
        self._limits = limits
        self._secret = secret
        self._splitter = EventSplitter(limits.event_bytes)
        self._started = self._has_usage = self._done = False

    async def __aiter__(self) -> AsyncIterator[StreamEvent]:
        """Yield one event after the other; faults as in `batches`."""
        async for batch in self.batches():
            for event in batch:
                yield event

    async def batches(self) -> AsyncIterator[list[StreamEvent]]:
        """Yield the events of each network read together: one write downstream instead of many.

        Raises:
            UpstreamFault: slow, cut, malformed, oversized or failed.
        """
        while not self._done:
            chunk = await self._read()
            batch, fault = self._events(self._splitter.feed(chunk) if chunk else self._last_event())
            if batch:
                yield batch
            if fault is not None:
                raise fault
            if not chunk:
                break
        if not self._done and not self._has_usage:
            raise UpstreamCut(f"{self._url} ended its stream before [DONE]; try again", url=self._url)
        await self._reach_the_end()

    async def _read(self) -> bytes:
        """Read what is there; after the first read the limit is `idle` instead of `first_byte`."""
        try:
            chunk = await self._response.content.readany()
        except TRANSPORT_ERRORS as error:
            raise transport_fault(error, self._url, self._limits, started=self._started) from error
        if not self._started:
            self._started = True
            connection = self._response.connection
            if connection is not None and connection.protocol is not None:
                connection.protocol.read_timeout = self._limits.idle
                connection.protocol.start_timeout()
        return chunk

    def _last_event(self) -> Iterable[bytes]:
        """Complete an event whose blank line never came, so that what is sent after it stays apart."""
        rest = self._splitter.finish()
        return [rest + b"\n\n"] if rest.strip() else []

    def _events(self, raws: Iterable[bytes]) -> tuple[list[StreamEvent], UpstreamFault | None]:
        batch: list[StreamEvent] = []
        try:
            for raw in raws:
                event = read_event(raw, self._secret)
                batch.append(event)
                self._has_usage = self._has_usage or event.usage_only
                if event.done:
                    self._done = True
                    break
        except UpstreamFault as fault:
            return batch, fault
        return batch, None

    async def _reach_the_end(self) -> None:
        """Take the few bytes that close the answer, so that the connection can serve another call."""
        with contextlib.suppress(*TRANSPORT_ERRORS):
            async with asyncio.timeout(_GRACE_AFTER_DONE):
                while await self._response.content.readany():
                    pass
