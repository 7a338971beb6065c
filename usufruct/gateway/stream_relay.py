"""Relays a stream event by event, and keeps what the client's transport accepted of it, for billing.

What the caller "has" is what their transport accepted before they were seen to be gone. Were the last piece free,
because its way cannot be followed to the end, an answer could be had for nothing by hanging up on each first piece.
"""

import asyncio
from collections.abc import Sequence

from usufruct.connectors.openai import (
    Batch,
    UpstreamClient,
    UpstreamFault,
    UpstreamOversized,
    UpstreamRejected,
    UpstreamSlow,
    UsageFault,
)
from usufruct.connectors.openai import Usage as Reported
from usufruct.core import Clock, UsufructError
from usufruct.gateway.call_limits import CallLimits
from usufruct.gateway.model import Upstream
from usufruct.gateway.open_call import RunningCall
from usufruct.gateway.operations.base import Delivered, StreamedWork
from usufruct.gateway.operations.text_metering import longest_text
from usufruct.gateway.upstream_cancellation import UpstreamCancellation
from usufruct.gateway.upstream_pool import UpstreamPool
from usufruct.web import EVENT_STREAM, Header, HttpExchange, ShuttingDown
from usufruct_client.text import well_formed


class StreamRelay:
    """One streamed answer on its way.

    After `run`: `fault` is why it is not whole, unless the caller is `gone`; `sent` are the bytes that left, kept for a
    repetition only where the call has an idempotency key; `first_text_at` is when the first text could leave.
    """

    def __init__(
        self,
        exchange: HttpExchange,
        call: RunningCall,
        work: StreamedWork,
        headers: Sequence[Header],
        limits: CallLimits,
        clock: Clock,
    ) -> None:
        """Relay to `exchange`; the answer starts, with `headers`, when there is text to hand on."""
        self._exchange = exchange
        self._call = call
        self._work = work
        self._headers = headers
        self._limits = limits
        self._clock = clock
        self._guard = UpstreamCancellation(exchange, call, limits.longest_seconds, self._grace)
        self._held: list[bytes] = []
        self._accepted: list[str] = []
        self._missed: list[str] = []
        self._characters = 0
        self._most = longest_text(call.price.allowance)
        self._keeps = call.order.idempotency is not None
        self.sent: list[bytes] = []
        self.first_text_at: float | None = None
        self._reported: Reported | UsageFault | None = None
        self.fault: UsufructError | None = None

    async def run(self, upstreams: UpstreamPool) -> None:
        """Try the listing's upstreams until one gives output; relay what it sends.

        Raises:
            DatabaseUnavailable: when the call could not be committed.
        """
        try:
            async with self._guard:
                listing = self._call.order.listing
                for upstream, client in upstreams.order(listing):
                    fault = await self._try(upstream, client)
                    delivered = self._exchange.started
                    self.fault = fault and upstreams.failed(listing, upstream, fault, delivered=delivered)
                    if self.fault is None or self._exchange.started or isinstance(self.fault, UpstreamRejected):
                        break
        except asyncio.CancelledError:
            self.fault = ShuttingDown()
        except TimeoutError:
            longest = self._limits.longest_seconds
            self.fault = UpstreamSlow(f"the answer took over {longest:g} s; ask for less", phase="total")
        if self.is_whole:
            await self._write_held()

    @property
    def gone(self) -> bool:
        """Whether the caller has hung up."""
        return self._guard.gone

    @property
    def is_whole(self) -> bool:
        """Whether the upstream came to its end and the caller is still there."""
        return self.fault is None and not self.gone

    def delivered(self) -> Delivered:
        """Return what came: the output that the caller has, and as far as the upstream gave it after they left."""
        text = well_formed("".join(self._accepted))
        whole_text = well_formed("".join(self._accepted + self._missed)) if self._missed else text
        return Delivered(self._reported, text, whole_text, self.is_whole)

    async def _try(self, upstream: Upstream, client: UpstreamClient) -> UpstreamFault | None:
        self._held.clear()
        self._characters, self._reported, allowance = 0, None, self._call.price.allowance
        model = self._call.order.listing.model_of(upstream)
        try:
            async with self._work.open_stream(client, model, allowance) as stream:
                try:
                    while (batch := await stream.read()) is not None:
                        await self._hand_on(batch)
                finally:
                    self._reported = stream.report
        except UpstreamFault as fault:
            return fault
        return None

    async def _hand_on(self, batch: Batch) -> None:
        data, text = batch
        gone = self.gone
        if text:
            self._characters += len(text)
            if self._characters > self._most + (self._limits.drain_characters if gone else 0):
                raise UpstreamOversized(
                    f"the upstream was told to stop after {self._call.price.allowance.output_tokens} text tokens"
                )
        if gone:
            self._missed.append(text)
            return
        if text:
            if not self._accepted:
                await self._call.durable()
                self.first_text_at = self._clock.monotonic()
            self._accepted.append(text)
        if data:
            self._held.append(data)
            if text or self._exchange.started:
                await self._write_held()

    async def _write_held(self) -> None:
        """Begin the answer, if it has not begun, and write what waited for that."""
        if not self._exchange.started:
            await self._call.durable()
            await self._exchange.start(200, [*EVENT_STREAM, *self._headers])
        if self._held:
            data = b"".join(self._held)
            self._held.clear()
            if self._keeps or not self.sent:
                self.sent.append(data)
            await self._exchange.write(data)

    def _grace(self) -> float:
        """How long an upstream is read after the client has gone: only its count is of use, and only if we charge."""
        return self._limits.drain_seconds if self._accepted else 0.0
