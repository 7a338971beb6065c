"""A streamed answer while it comes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from usufruct.connectors.openai.content import shorten
from usufruct.connectors.openai.errors import TRANSPORT_ERRORS, transport_fault
from usufruct.connectors.openai.event_reader import AnswerReader, Batch
from usufruct.connectors.openai.upstream_limits import Limits
from usufruct.connectors.openai.usage import Usage, UsageFault
from usufruct.http import ReadTimeout, Response

_GRACE_AFTER_DONE = 0.1


class ChatStream:
    """One streamed answer, read as it comes; to be read once.

    Time limits are watched by one timer that looks at the last read now and then: setting one for each read would cost
    more than reading.
    """

    def __init__(self, response: Response, url: str, limits: Limits, secret: str, ends_at: float) -> None:
        """Read from an open `response` until `ends_at` on the loop's clock; `secret` is kept out of error messages."""
        kind = shorten(response.headers.get("content-type", "something without a content type"), secret)
        self._reader = AnswerReader(limits.event_bytes, url, secret, kind)
        self._response = response
        self._url = url
        self._limits = limits
        self._ends_at = ends_at
        self._started = False
        self._loop = asyncio.get_running_loop()
        self._waits_since: float | None = None
        self._timer = self._watch(self._loop.time() + limits.first_byte)

    @property
    def report(self) -> Usage | UsageFault | None:
        """The usage of the whole answer; None before the answer is complete, or when nothing was reported."""
        return self._reader.report

    async def __aiter__(self) -> AsyncIterator[Batch]:
        """Yield what comes; faults as in `read`."""
        while (batch := await self.read()) is not None:
            yield batch

    async def read(self) -> Batch | None:
        """Return the events of the next network read, together: one write downstream instead of many; None at the end.

        Raises:
            UpstreamFault: slow, cut, malformed, empty, oversized or failed; after the events that came before it.
        """
        reader = self._reader
        while not reader.ended and reader.fault is None:
            chunk = await self._next()
            batch = reader.read(chunk) if chunk else reader.finish()
            if batch.data or batch.text:
                return batch
        if reader.fault is not None:
            raise reader.fault
        await self._reach_the_end()
        return None

    def close(self) -> None:
        """Stop watching time."""
        self._timer.cancel()

    async def _next(self) -> bytes:
        """Read what is there; after the first read the limit is `idle` instead of `first_byte`."""
        self._waits_since = self._loop.time()
        try:
            chunk = await self._response.read()
        except TRANSPORT_ERRORS as error:
            raise transport_fault(error, self._url, self._limits, started=self._started) from error
        self._waits_since = None
        if not self._started:
            self._started = True
            self._timer.cancel()
            self._timer = self._watch(self._loop.time() + self._limits.idle)
        return chunk

    def _watch(self, until: float) -> asyncio.TimerHandle:
        return self._loop.call_at(min(until, self._ends_at), self._look)

    def _look(self) -> None:
        """End a read that passed a limit; look again when the next one may have."""
        now = self._loop.time()
        limit = self._limits.idle if self._started else self._limits.first_byte
        idle_until = (now if self._waits_since is None else self._waits_since) + limit
        if now >= self._ends_at:
            self._response.fail(TimeoutError())
        elif now >= idle_until:
            self._response.fail(ReadTimeout())
        else:
            self._timer = self._watch(idle_until)

    async def _reach_the_end(self) -> None:
        """Take the few bytes that close the answer, so that the connection can serve another call."""
        with contextlib.suppress(*TRANSPORT_ERRORS):
            async with asyncio.timeout(_GRACE_AFTER_DONE):
                while await self._response.read():
                    pass
