"""httpx transports that pay: put one into any httpx client, OpenAI's included."""

import asyncio
import time
from collections.abc import Generator
from typing import TypeVar

import httpx

from usufruct_client.answer import AnswerBody, AsyncAnswerBody, handed_on
from usufruct_client.conversation import Conversation, Pause, Refund, Reply, Send, ask_for_refund
from usufruct_client.purse import Purse
from usufruct_client.urls import gateway_address, origin_of
from usufruct_client.x402 import SIGNATURE_HEADER

LIMIT_HEADER = "x-usufruct-limit"

_SILENCE = Reply(0, {})
_REWRITTEN = {b"content-length", b"transfer-encoding", b"accept-encoding"}

Step = Send | Pause
Result = TypeVar("Result")


class PayingTransport(httpx.BaseTransport):
    """Pays what one gateway asks for POST requests; everything else passes through."""

    def __init__(self, purse: Purse, gateway_url: str, transport: httpx.BaseTransport | None = None) -> None:
        """Pay the gateway at `gateway_url` from `purse`; send by `transport`."""
        self._purse = purse
        self._origin = origin_of(httpx.URL(gateway_address(gateway_url)))
        self._transport = transport or httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and pay for it if asked to.

        Raises:
            ClientError: when what the gateway asks for is not paid.
        """
        if not is_call(request, self._origin):
            return self._transport.handle_request(request)
        order = _Order(request, request.read(), self._purse.rules.limit)
        delivery = self._drive(Conversation(self._purse, self._origin, order.body).talk(), order)
        return order.response if delivery is None else handed_on(order.response, AnswerBody(order.response, delivery))

    def refund(self, url: str, amount: int | None = None) -> Refund:
        """Ask for money back at a paid endpoint: all that is free, or `amount`.

        Raises:
            RefundRefused: when there is nothing to give back, or the gateway does not.
        """
        order = _Order(httpx.Request("GET", url), b"", self._purse.rules.limit)
        refund = self._drive(ask_for_refund(self._purse, self._origin, amount), order)
        order.response.close()
        return refund

    def close(self) -> None:
        """Close the transport below."""
        self._transport.close()

    def _drive(self, talk: Generator[Step, Reply, Result], order: "_Order") -> Result:
        try:
            step = next(talk)
            while True:
                try:
                    reply = self._do(step, order)
                except BaseException as error:
                    talk.throw(error)
                    raise
                step = talk.send(reply)
        except StopIteration as stop:
            result: Result = stop.value
            return result

    def _do(self, step: Step, order: "_Order") -> Reply:
        if isinstance(step, Pause):
            time.sleep(step.seconds)
            return _SILENCE
        order.response = response = self._transport.handle_request(order.paid_by(step.payment))
        if response.is_success:
            return Reply(response.status_code, response.headers)
        body = response.read()
        response.close()
        return Reply(response.status_code, response.headers, body)


class AsyncPayingTransport(httpx.AsyncBaseTransport):
    """The same on an event loop."""

    def __init__(self, purse: Purse, gateway_url: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        """Pay the gateway at `gateway_url` from `purse`; send by `transport`."""
        self._purse = purse
        self._origin = origin_of(httpx.URL(gateway_address(gateway_url)))
        self._transport = transport or httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and pay for it if asked to.

        Raises:
            ClientError: when what the gateway asks for is not paid.
        """
        if not is_call(request, self._origin):
            return await self._transport.handle_async_request(request)
        order = _Order(request, await request.aread(), self._purse.rules.limit)
        delivery = await self._drive(Conversation(self._purse, self._origin, order.body).talk(), order)
        return (
            order.response if delivery is None else handed_on(order.response, AsyncAnswerBody(order.response, delivery))
        )

    async def refund(self, url: str, amount: int | None = None) -> Refund:
        """Ask for money back at a paid endpoint: all that is free, or `amount`.

        Raises:
            RefundRefused: when there is nothing to give back, or the gateway does not.
        """
        order = _Order(httpx.Request("GET", url), b"", self._purse.rules.limit)
        refund = await self._drive(ask_for_refund(self._purse, self._origin, amount), order)
        await order.response.aclose()
        return refund

    async def aclose(self) -> None:
        """Close the transport below."""
        await self._transport.aclose()

    async def _drive(self, talk: Generator[Step, Reply, Result], order: "_Order") -> Result:
        try:
            step = next(talk)
            while True:
                try:
                    reply = await self._do(step, order)
                except BaseException as error:
                    talk.throw(error)
                    raise
                step = talk.send(reply)
        except StopIteration as stop:
            result: Result = stop.value
            return result

    async def _do(self, step: Step, order: "_Order") -> Reply:
        if isinstance(step, Pause):
            await asyncio.sleep(step.seconds)
            return _SILENCE
        order.response = response = await self._transport.handle_async_request(order.paid_by(step.payment))
        if response.is_success:
            return Reply(response.status_code, response.headers)
        body = await response.aread()
        await response.aclose()
        return Reply(response.status_code, response.headers, body)


class _Order:
    """A request that may be sent several times, with this payment or that, and the latest response to it."""

    def __init__(self, request: httpx.Request, body: bytes, limit: int) -> None:
        self.body = body
        self.response: httpx.Response
        self._request = request
        self._headers = httpx.Headers([pair for pair in request.headers.raw if pair[0].lower() not in _REWRITTEN])
        self._headers["accept-encoding"] = "identity"  # receipts hash the answer, and it is read as it comes
        self._headers.setdefault(LIMIT_HEADER, str(limit))

    def paid_by(self, payment: str | None) -> httpx.Request:
        """Return the request to send."""
        headers = self._headers.copy()
        if payment is not None:
            headers[SIGNATURE_HEADER] = payment
        return httpx.Request(
            self._request.method,
            self._request.url,
            headers=headers,
            content=self.body,
            extensions=self._request.extensions,
        )


def is_call(request: httpx.Request, origin: str) -> bool:
    """Tell whether a request is a call that is still to be paid, to the gateway at `origin`."""
    mine = request.method == "POST" and origin_of(request.url) == origin
    return mine and SIGNATURE_HEADER not in request.headers
