"""Answers on their way out: whole ones, streams, and those that are given a second time."""

import asyncio
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import orjson

from usufruct.connectors.openai import (
    Answer,
    UpstreamFault,
    UpstreamMalformed,
    UpstreamOversized,
    UpstreamRejected,
    UpstreamSlow,
    UsageFault,
    dump,
    parse,
)
from usufruct.connectors.openai import Usage as Reported
from usufruct.core import UsufructError
from usufruct.core.process import unbroken
from usufruct.gateway.call import KeptAnswer, OpenCall, Order
from usufruct.gateway.calls import Calls, Repeated
from usufruct.gateway.disconnect import DisconnectWatch
from usufruct.gateway.disconnect_limit import is_callers
from usufruct.gateway.durability import StoppedUnlessDurable
from usufruct.gateway.metering import longest_text, usage_of_part, usage_of_whole
from usufruct.gateway.model import Endpoint
from usufruct.gateway.signed_receipt import SignedReceipt, bill_event, event
from usufruct.gateway.stream_relay import LONGEST_SECONDS, Outcome, StreamRelay
from usufruct.gateway.token_counting import TokenCounterPool
from usufruct.gateway.token_scale import Counted, ScaleBook, Share
from usufruct.gateway.upstream_pool import UpstreamPool
from usufruct.payments.pricing import Measured, content_hash
from usufruct.web import EVENT_STREAM, JSON, ClientGone, Exchange, ShuttingDown, error_body

FAREWELL_SECONDS = 30.0
"""How long the last write waits for a caller who stopped reading."""

_DONE = b"data: [DONE]\n\n"
_ANSWER_ID = re.compile(rb'"id":\s*"([^"\\]{1,200})"')
_REPLAYED = (b"x-usufruct-replayed", b"true")


class Responder:
    """Asks upstream and answers the caller; every open call ends charged or released."""

    def __init__(self, calls: Calls, upstreams: UpstreamPool, counting: TokenCounterPool, drain_seconds: float) -> None:
        """Charge through `calls`, ask `upstreams`, count output in `counting`; `drain_seconds` as for `StreamRelay`."""
        self._calls = calls
        self._upstreams = upstreams
        self._counting = counting
        self._drain_seconds = drain_seconds
        self._scales = ScaleBook()

    async def whole(self, exchange: Exchange, call: OpenCall) -> None:
        """Answer in one piece; charged only if the upstream answers while the caller is there."""
        order = call.order
        try:
            try:
                async with StoppedUnlessDurable(call.opened):
                    answer = await self._ask(exchange, call)
            except asyncio.CancelledError as stopped:
                raise ShuttingDown.cut() from stopped
            await call.opened.durable()
            if len(answer.text) > longest_text(call.allowance):
                raise UpstreamOversized(
                    f"the upstream was told to stop after {call.allowance.output_tokens} text tokens"
                )
            body, hashed = _written(answer.content, answer.text, order.asset.operation)
            measured = await self._measured_whole(order, answer.usage, answer.text)
            kept = KeptAnswer(answer.body, order.asset.name)
            receipt = await self._calls.meter(call, measured, content_hash(hashed), kept)
        except BaseException as error:
            await self._let_go(call, error)
            raise
        exchange.attach(order.payer.charge_headers(receipt.receipt.amount, receipt.receipt.cumulative))
        await _answer_whole(exchange, body, answer.content.get("usage"), receipt)

    async def stream(self, exchange: Exchange, call: OpenCall) -> None:
        """Answer event by event, as upstream sends them."""
        ceiling = call.allowance.ceiling
        payment = call.order.payer.charge_headers(0, call.promised)  # what it cost is known when the headers are gone
        headers = [(b"x-usufruct-ceiling", str(ceiling).encode()), *payment]
        relay = StreamRelay(exchange, call, headers, self._drain_seconds)
        try:
            async with StoppedUnlessDurable(call.opened):
                outcome = await relay.run(self._upstreams)
            if outcome is Outcome.NOTHING and relay.fault is not None:
                raise relay.fault
            if outcome is Outcome.GONE and not relay.text:
                raise ClientGone
            ending, receipt = await unbroken(self._charge(exchange, call, relay, outcome))
        except BaseException as error:
            await self._let_go(call, error)
            if exchange.started and isinstance(error, UsufructError):
                await _farewell(exchange, event(error_body(error, exchange.call_id)))
                return
            raise
        if outcome is not Outcome.GONE:
            await _farewell(exchange, _last_events(ending, receipt))

    async def again(self, exchange: Exchange, repeated: Repeated) -> None:
        """Give the answer kept for the same request, with the bill it had; nothing is charged."""
        kept, receipt = repeated.kept, repeated.receipt
        if not kept.stream:
            content = parse(kept.body)
            endpoint = Endpoint.EMBEDDINGS if "choices" not in content else Endpoint.CHAT
            body, _ = _written(content, "", endpoint)
            await _answer_whole(exchange, body, content.get("usage"), receipt, again=True)
            return
        await exchange.start(200, [*EVENT_STREAM, _REPLAYED])
        await exchange.write(kept.body)
        await _farewell(exchange, _last_events(kept, receipt))

    async def _ask(self, exchange: Exchange, call: OpenCall) -> Answer:
        """Return the first server's answer.

        Raises:
            UpstreamFault: when none gives one; of several the one that the request can have caused.
            ClientGone: when nobody waits for it any more.
        """
        order = call.order
        faults: list[UpstreamFault] = []
        try:
            with DisconnectWatch(exchange, LONGEST_SECONDS, _no_grace) as caller:
                for server, upstream in self._upstreams.order(order.asset):
                    body = order.asked.upstream_body(server.model, call.allowance.output_tokens)
                    ask = upstream.chat if order.asset.operation is Endpoint.CHAT else upstream.embeddings
                    try:
                        return await ask(body)
                    except UpstreamFault as failure:
                        faults.append(self._upstreams.failed(order.asset, server, failure))
                        if isinstance(failure, UpstreamRejected):
                            break
        except TimeoutError as timeout:
            if caller.gone:
                raise ClientGone from timeout
            faults.append(UpstreamSlow(f"the answer took over {LONGEST_SECONDS:g} s; ask for less", phase="total"))
        raise next(filter(is_callers, faults), faults[-1])

    async def _charge(
        self, exchange: Exchange, call: OpenCall, relay: StreamRelay, outcome: Outcome
    ) -> tuple[KeptAnswer, SignedReceipt]:
        """Charge what the caller has of a stream."""
        order, text, broken = call.order, relay.text, ""
        if outcome is Outcome.WHOLE:
            measured = await self._measured_whole(order, relay.reported, text)
        else:
            measured = await self._measured_part(order, relay)
            fault = relay.fault or _HungUp(
                "the caller hung up before the end of this answer; ask again under a new key"
            )
            broken = orjson.dumps(error_body(fault, exchange.call_id)).decode()
        kept = KeptAnswer(
            body=b"".join(relay.sent),
            model=order.asset.name,
            stream=True,
            usage_asked=order.asked.include_usage,
            broken=broken,
        )
        return kept, await self._calls.meter(call, measured, content_hash(text.encode()), kept)

    async def _measured_whole(self, order: Order, reported: Reported | UsageFault | None, text: str) -> Measured:
        counted = await self._counted(order, text)
        return usage_of_whole(reported, counted, order.asset.counting, order.asset.caps)

    async def _measured_part(self, order: Order, relay: StreamRelay) -> Measured:
        whole, text = None, relay.text
        delivered = Share(len(text.encode()), len(relay.whole_text.encode()))
        if isinstance(relay.reported, Reported):  # the caller was gone, and the upstream came to its end all the same
            whole = await self._measured_whole(order, relay.reported, relay.whole_text)
        return usage_of_part(whole, await self._counted(order, text), delivered, order.asset.counting)

    async def _counted(self, order: Order, text: str) -> Counted:
        rule, asked = order.asset.counting, order.asked
        added = asked.messages * rule.per_message + rule.per_request + sum(asked.tokens)
        output = await self._counting.count(order.counter, text)
        return Counted(order.counted_input - added, added, output, self._scales.of(order.asset))

    async def _let_go(self, call: OpenCall, error: BaseException) -> None:
        reason = error.code if isinstance(error, UsufructError) else "client_gone"
        if isinstance(error, asyncio.CancelledError):
            reason = ShuttingDown.code
        elif not isinstance(error, UsufructError | ClientGone):
            reason = "faulty"
        let_go = self._calls.abandon if is_callers(error) else self._calls.release
        await asyncio.shield(let_go(call, reason))


class _HungUp(UsufructError):
    """What the end of a kept stream says when its first caller hung up."""

    status = 409
    code = "incomplete_answer"


def _written(content: Mapping[str, Any], text: str, endpoint: Endpoint) -> tuple[bytes, bytes]:
    """Return a whole answer's JSON without its usage, and what its receipt hashes.

    Raises:
        UpstreamMalformed: when it is nested too deeply to be written.
    """
    vectors = endpoint is Endpoint.EMBEDDINGS
    members = dict(content)
    members.pop("usage", None)
    if vectors:
        members.pop("data", None)
    try:
        body = dump(members)
        if not vectors:
            return body, text.encode()
        data = dump(content.get("data"))
    except (ValueError, RecursionError) as error:
        raise UpstreamMalformed("the upstream's answer is nested too deeply to be handed on") from error
    return _with_member(body, b"data", data), data


def _with_member(body: bytes, name: bytes, value: bytes) -> bytes:
    """Return a JSON object with one member more."""
    return b'%s%s"%s":%s}' % (body[:-1], b"," if len(body) > 2 else b"", name, value)


async def _answer_whole(
    exchange: Exchange, body: bytes, reported: object, receipt: SignedReceipt, *, again: bool = False
) -> None:
    try:
        usage = dump(receipt.usage(reported if isinstance(reported, dict) else None))
    except (ValueError, RecursionError):  # the upstream's own members are nested too deeply
        usage = dump(receipt.usage())
    headers = [JSON, *receipt.headers(), *([_REPLAYED] if again else [])]
    await exchange.answer(200, _with_member(body, b"usage", usage), headers)


def _last_events(answer: KeptAnswer, receipt: SignedReceipt) -> bytes:
    """Return what ends a stream: the bill before `[DONE]` for who asked for usage, after it, unseen, for others."""
    if answer.broken:
        error = orjson.loads(answer.broken)
        return event({**error, "usage": receipt.usage(), "usufruct": receipt.as_json()})
    found = _ANSWER_ID.search(answer.body)
    bill = bill_event(receipt, found[1].decode() if found else f"chatcmpl-{receipt.receipt.call}", answer.model)
    return bill + _DONE if answer.usage_asked else _DONE + bill


def _no_grace() -> float:
    """Return no time: a whole answer is worth nothing to a client that disconnected."""
    return 0.0


async def _farewell(exchange: Exchange, last: bytes) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(FAREWELL_SECONDS):
            await exchange.write(last, more=False)
