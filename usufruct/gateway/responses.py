"""Runs open calls at their upstreams and answers callers: whole answers, streams, and those given a second time."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import orjson

from usufruct.connectors.openai import (
    Answer,
    UpstreamFault,
    UpstreamOversized,
    UpstreamRejected,
    UpstreamSlow,
    dump,
    parse,
)
from usufruct.core import Clock, Hash32, UsufructError, value
from usufruct.core.process import unbroken
from usufruct.gateway.call_limits import CallLimits
from usufruct.gateway.disconnect_limit import is_callers
from usufruct.gateway.open_call import KeptAnswer, OpenCall, RunningCall
from usufruct.gateway.operations.base import StreamedWork, Work
from usufruct.gateway.operations.text import with_member
from usufruct.gateway.operations.text_metering import longest_text
from usufruct.gateway.payers.base import Payer
from usufruct.gateway.quality.tally import Times
from usufruct.gateway.signed_receipt import AnswerBill, SignedReceipt, bill_event, event
from usufruct.gateway.stream_relay import StreamRelay
from usufruct.gateway.upstream_cancellation import UpstreamCancellation
from usufruct.gateway.upstream_pool import UpstreamPool
from usufruct.payments.pricing import Measured, content_hash
from usufruct.web import EVENT_STREAM, JSON, ClientGone, Header, HttpExchange, ShuttingDown, error_body

_DONE = b"data: [DONE]\n\n"
_ANSWER_ID = re.compile(rb'"id":\s*"([^"\\]{1,200})"')
_REPLAYED = (b"x-usufruct-replayed", b"true")


@value
class Served:
    """What was done for a call: the usage to charge, what the receipt hashes, the answer to keep.

    `body`: a whole answer as it will be sent, without its usage; `reported`: the upstream's `usage` in it. A stream has
    been sent but for its last events. `fault`: why it is not whole. `is_gone`: nothing more can be sent to the caller.
    """

    measured: Measured
    response_hash: Hash32
    kept: KeptAnswer
    times: Times
    body: bytes = b""
    reported: object = None
    fault: BaseException | None = None
    is_gone: bool = False


class Responder:
    """Asks upstreams, and answers callers."""

    def __init__(self, upstreams: UpstreamPool, limits: CallLimits, clock: Clock) -> None:
        """Ask `upstreams`, for as long as the limits say."""
        self._upstreams = upstreams
        self._limits = limits
        self._clock = clock

    async def run(self, exchange: HttpExchange, call: RunningCall) -> Served:
        """Ask the upstreams; a stream goes out as it comes, a whole answer is sent by `finish`.

        Raises:
            UpstreamFault: when no upstream answers.
            ClientGone: when the caller left before there was anything to charge.
            DatabaseUnavailable: when the call could not be committed.
        """
        streamed = call.order.work.streamed
        return await (self._whole(exchange, call) if streamed is None else self._stream(exchange, call, streamed))

    async def finish(self, exchange: HttpExchange, call: OpenCall, served: Served, receipt: SignedReceipt) -> None:
        """Send what is left of a paid call's answer, with the receipt."""
        extensions = _extensions(exchange, call.payer, served.kept, receipt)
        if not served.kept.stream:
            charged = receipt.document.receipt
            headers = await call.payer.response_headers(charged.amount, charged.cumulative, call.funded, extensions)
            exchange.attach(headers)
        await self.send_rest(exchange, served, receipt, extensions)

    async def send_rest(
        self, exchange: HttpExchange, served: Served, bill: AnswerBill, extensions: Mapping[str, Any] | None = None
    ) -> None:
        """Send what is left, with the bill: the whole answer, or the last events of a stream.

        `extensions`: the payment standard's, by name, for the end of a stream.
        """
        if not served.kept.stream:
            await _answer_whole(exchange, served.body, served.reported, bill)
        elif not served.is_gone:
            await self._farewell(exchange, _last_events(served.kept, bill, extensions))

    async def end_with_error(self, exchange: HttpExchange, error: UsufructError) -> None:
        """End a stream that has begun with an error event."""
        await self._farewell(exchange, event(error_body(error, exchange.call_id)))

    async def repeat(
        self, exchange: HttpExchange, payer: Payer, work: Work, kept: KeptAnswer, receipt: SignedReceipt
    ) -> None:
        """Send the answer kept for the same request, with the receipt it had."""
        charged, extensions = receipt.document.receipt, _extensions(exchange, payer, kept, receipt)
        in_headers = None if kept.stream else extensions
        exchange.attach(await payer.response_headers(charged.amount, charged.cumulative, None, in_headers))
        if not kept.stream:
            content = parse(kept.body)
            body = work.written(content, "").body
            await _answer_whole(exchange, body, content.get("usage"), receipt, (_REPLAYED,))
            return
        await exchange.start(200, [*EVENT_STREAM, _REPLAYED])
        await exchange.write(kept.body)
        await self._farewell(exchange, _last_events(kept, receipt, extensions))

    async def _whole(self, exchange: HttpExchange, call: RunningCall) -> Served:
        """Run a call that is answered in one piece; it is charged only if the caller is still there."""
        work, allowance = call.order.work, call.price.allowance
        asked = self._clock.monotonic()
        try:
            answer = await self._ask(exchange, call)
        except asyncio.CancelledError as stopped:
            raise ShuttingDown() from stopped
        ended = self._clock.monotonic()
        await call.durable()
        if len(answer.text) > longest_text(allowance):
            raise UpstreamOversized(f"the upstream was told to stop after {allowance.output_tokens} text tokens")
        written = work.written(answer.content, answer.text)
        return Served(
            measured=await work.measured(answer),
            response_hash=content_hash(written.hashed),
            kept=KeptAnswer(answer.body, call.order.listing.name, exchange.url),
            times=Times(asked, None, ended),
            body=written.body,
            reported=answer.content.get("usage"),
        )

    async def _ask(self, exchange: HttpExchange, call: RunningCall) -> Answer:
        """Return the first upstream's answer.

        Raises:
            UpstreamFault: when none gives one; of several the one that the request can have caused.
            ClientGone: when the caller has left.
            DatabaseUnavailable: when the call could not be committed.
        """
        listing, work, allowance = call.order.listing, call.order.work, call.price.allowance
        longest = self._limits.longest_seconds
        faults: list[UpstreamFault] = []
        try:
            # No grace: a whole answer is worth nothing to a client that disconnected.
            async with UpstreamCancellation(exchange, call, longest, lambda: 0.0) as guard:
                for upstream, client in self._upstreams.order(listing):
                    try:
                        return await work.run(client, listing.model_of(upstream), allowance)
                    except UpstreamFault as failure:
                        faults.append(self._upstreams.failed(listing, upstream, failure))
                        if isinstance(failure, UpstreamRejected):
                            break
        except TimeoutError as timeout:
            if guard.gone:
                raise ClientGone from timeout
            faults.append(UpstreamSlow(f"the answer took over {longest:g} s; ask for less", phase="total"))
        raise next(filter(is_callers, faults), faults[-1])

    async def _stream(self, exchange: HttpExchange, call: RunningCall, work: StreamedWork) -> Served:
        """Run a call that is answered event by event; what the caller has of it is charged."""
        relay = StreamRelay(exchange, call, work, await call.stream_headers(), self._limits, self._clock)
        asked = self._clock.monotonic()
        await relay.run(self._upstreams)
        ended = self._clock.monotonic()
        delivered = relay.delivered()
        if relay.gone and not delivered.text:
            raise ClientGone
        if relay.fault is not None and not exchange.started and not relay.gone:
            raise relay.fault
        return Served(
            measured=await unbroken(work.measured_stream(delivered)),
            response_hash=content_hash(delivered.text.encode()),
            kept=KeptAnswer(
                body=b"".join(relay.sent),
                model=call.order.listing.name,
                url=exchange.url,
                stream=True,
                usage_asked=work.usage_asked,
                broken="" if relay.is_whole else _broken(relay, exchange),
            ),
            times=Times(asked, relay.first_text_at, ended),
            fault=ClientGone() if relay.gone else relay.fault,
            is_gone=relay.gone,
        )

    async def _farewell(self, exchange: HttpExchange, last: bytes) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._limits.farewell_seconds):
                await exchange.write(last, more=False)


class _HungUp(UsufructError, code="incomplete_answer", status=409):
    """What the end of a kept stream says when its first caller hung up."""


def _broken(relay: StreamRelay, exchange: HttpExchange) -> str:
    fault = relay.fault or _HungUp("the caller hung up before the end of this answer; ask again under a new key")
    return orjson.dumps(error_body(fault, exchange.call_id)).decode()


async def _answer_whole(
    exchange: HttpExchange, body: bytes, reported: object, bill: AnswerBill, headers: Sequence[Header] = ()
) -> None:
    try:
        usage = dump(bill.usage(reported if isinstance(reported, dict) else None))
    except (ValueError, RecursionError):  # the upstream's own members are nested too deeply
        usage = dump(bill.usage())
    await exchange.answer(200, with_member(body, b"usage", usage), [JSON, *bill.headers(), *headers])


def _extensions(exchange: HttpExchange, payer: Payer, kept: KeptAnswer, receipt: SignedReceipt) -> Mapping[str, Any]:
    """Return the payment standard's extensions of an answer that came whole; none for a broken one.

    They are of the first call's address: an answer that is given again is no proof of a delivery at another host.
    """
    return {} if kept.broken else payer.delivery_extensions(kept.url or exchange.url, receipt.document.receipt)


def _last_events(answer: KeptAnswer, bill: AnswerBill, extensions: Mapping[str, Any] | None) -> bytes:
    """Return what ends a stream: the bill before `[DONE]` if usage was asked for, else after it, where it is unseen."""
    if answer.broken:
        error = orjson.loads(answer.broken)
        return event({**error, "usage": bill.usage(), **bill.members()})
    found = _ANSWER_ID.search(answer.body)
    name = found[1].decode() if found else f"chatcmpl-{bill.call}"
    last = bill_event(bill, name, answer.model, extensions)
    return last + _DONE if answer.usage_asked else _DONE + last
