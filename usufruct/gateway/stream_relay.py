"""Relays a stream event by event, and keeps what the client's transport accepted of it, for billing.

What the caller "has" is what their transport accepted before they were seen to be gone. Were the last piece free,
because its way cannot be followed to the end, an answer could be had for nothing by hanging up on each first piece.
"""

import asyncio
from collections.abc import Sequence
from enum import Enum

from usufruct.connectors.openai import (
    Batch,
    UpstreamClient,
    UpstreamFault,
    UpstreamOversized,
    UpstreamRejected,
    UpstreamSlow,
    UsageFault,
    well_formed,
)
from usufruct.connectors.openai import Usage as Reported
from usufruct.core import UsufructError
from usufruct.gateway.disconnect import DisconnectWatch
from usufruct.gateway.model import Upstream
from usufruct.gateway.open_call import OpenCall
from usufruct.gateway.operations.base import StreamedWork
from usufruct.gateway.operations.text_metering import longest_text
from usufruct.gateway.policy import GatewayPolicy
from usufruct.gateway.upstream_pool import UpstreamPool
from usufruct.web import EVENT_STREAM, Exchange, Header, ShuttingDown


class Outcome(Enum):
    """How a stream ended: whole; cut after output; the caller gone; nothing that could be handed on."""

    WHOLE = "whole"
    CUT = "cut"
    GONE = "gone"
    NOTHING = "nothing"


class StreamRelay:
    """One streamed answer on its way."""

    def __init__(
        self, exchange: Exchange, call: OpenCall, work: StreamedWork, headers: Sequence[Header], policy: GatewayPolicy
    ) -> None:
        """Relay to `exchange`; the answer starts, with `headers`, when there is text to hand on."""
        self._exchange = exchange
        self._call = call
        self._work = work
        self._headers = headers
        self._policy = policy
        self._caller = DisconnectWatch(exchange, policy.longest_seconds, self._grace)
        self._held: list[bytes] = []
        self._accepted: list[str] = []
        self._missed: list[str] = []
        self._characters = 0
        self._most = longest_text(call.price.allowance)
        self._keeps = call.order.idempotency is not None
        self.sent: list[bytes] = []
        self.reported: Reported | UsageFault | None = None
        self.fault: UsufructError | None = None

    async def run(self, upstreams: UpstreamPool) -> Outcome:
        """Try the listing's upstreams until one gives output; relay what it sends."""
        try:
            with self._caller:
                listing = self._call.order.listing
                for upstream, client in upstreams.order(listing):
                    fault = await self._try(upstream, client)
                    delivered = self._exchange.started
                    self.fault = fault and upstreams.failed(listing, upstream, fault, delivered=delivered)
                    if self.fault is None or self._exchange.started or isinstance(self.fault, UpstreamRejected):
                        break
        except asyncio.CancelledError:
            self.fault = ShuttingDown.cut()
        except TimeoutError:
            longest = self._policy.longest_seconds
            self.fault = UpstreamSlow(f"the answer took over {longest:g} s; ask for less", phase="total")
        if self._caller.gone:
            return Outcome.GONE
        if self.fault is not None:
            return Outcome.CUT if self._exchange.started else Outcome.NOTHING
        await self._write_held()
        return Outcome.WHOLE

    @property
    def text(self) -> str:
        """The output the caller has."""
        return well_formed("".join(self._accepted))

    @property
    def whole_text(self) -> str:
        """The output as far as the upstream gave it, with what came when the caller was gone."""
        return well_formed("".join(self._accepted + self._missed))

    async def _try(self, upstream: Upstream, client: UpstreamClient) -> UpstreamFault | None:
        self._held.clear()
        self._characters, self.reported, allowance = 0, None, self._call.price.allowance
        try:
            async with self._work.open_stream(client, upstream.model, allowance) as stream:
                try:
                    while (batch := await stream.read()) is not None:
                        await self._hand_on(batch)
                finally:
                    self.reported = stream.report
        except UpstreamFault as fault:
            return fault
        return None

    async def _hand_on(self, batch: Batch) -> None:
        data, text = batch
        if text:
            self._characters += len(text)
            if self._characters > self._most + (self._policy.drain_characters if self._caller.gone else 0):
                raise UpstreamOversized(
                    f"the upstream was told to stop after {self._call.price.allowance.output_tokens} text tokens"
                )
        if self._caller.gone:
            self._missed.append(text)
            return
        if text:
            await self._call.opened.durable()
            self._accepted.append(text)
        if self._exchange.started and not self._held:
            await self._write(data)
        elif data:
            self._held.append(data)
            if text:
                await self._write_held()

    async def _write_held(self) -> None:
        """Begin the answer, if it has not begun, and write what waited for that."""
        if not self._exchange.started:
            await self._call.opened.durable()
            await self._exchange.start(200, [*EVENT_STREAM, *self._headers])
        if self._held:
            data = b"".join(self._held)
            self._held.clear()
            await self._write(data)

    async def _write(self, data: bytes) -> None:
        if self._keeps or not self.sent:
            self.sent.append(data)
        await self._exchange.write(data)

    def _grace(self) -> float:
        """How long an upstream is read after the client has gone: only its count is of use, and only if we charge."""
        return self._policy.drain_seconds if self._accepted else 0.0
