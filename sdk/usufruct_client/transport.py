"""httpx transports for calls: put one into any httpx client, OpenAI's included, to pay or to read bills along."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import httpx

from usufruct_client.answer import AnswerReader, handed_on
from usufruct_client.blocking import run_blocking
from usufruct_client.paid_call import PaidCall, Refund, ask_for_refund
from usufruct_client.purse import Purse
from usufruct_client.text import content_hash, text_hash
from usufruct_client.urls import gateway_address, origin_of
from usufruct_client.x402 import SIGNATURE_HEADER

LIMIT_HEADER = "x-usufruct-limit"
PAYER_HEADER = "x-usufruct-payer"

_REWRITTEN = {b"content-length", b"transfer-encoding", b"accept-encoding"}

Transport = TypeVar("Transport")


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
        if not _is_call(request, self._origin):
            return self._transport.handle_request(request)
        sender = _BlockingSender(request, request.read(), self._purse, self._transport)
        return run_blocking(PaidCall(self._purse, self._origin, sender).pay())

    def refund(self, url: str, amount: int | None = None) -> Refund:
        """Ask for money back at a paid endpoint: all that is free, or `amount`.

        Raises:
            RefundRefused: when there is nothing to give back, or the gateway does not.
        """
        sender = _BlockingSender(httpx.Request("GET", url), b"", self._purse, self._transport)
        return run_blocking(ask_for_refund(self._purse, self._origin, amount, sender))

    def close(self) -> None:
        """Close the transport below."""
        self._transport.close()


class AsyncPayingTransport(httpx.AsyncBaseTransport):
    """The same on an event loop."""

    def __init__(self, purse: Purse, gateway_url: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        """Pay the gateway at `gateway_url` from `purse`; send by `transport`."""
        self._purse = purse
        self._origin = origin_of(httpx.URL(gateway_address(gateway_url)))
        self._transport = transport or httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and pay for it if asked to; raises as `PayingTransport` does."""
        if not _is_call(request, self._origin):
            return await self._transport.handle_async_request(request)
        sender = _AsyncSender(request, await request.aread(), self._purse, self._transport)
        return await PaidCall(self._purse, self._origin, sender).pay()

    async def refund(self, url: str, amount: int | None = None) -> Refund:
        """Ask for money back at a paid endpoint, as `PayingTransport` does."""
        sender = _AsyncSender(httpx.Request("GET", url), b"", self._purse, self._transport)
        return await ask_for_refund(self._purse, self._origin, amount, sender)

    async def aclose(self) -> None:
        """Close the transport below."""
        await self._transport.aclose()


class _Request(Generic[Transport]):
    """A request that may be sent several times, with this payment or that."""

    def __init__(self, request: httpx.Request, body: bytes, purse: Purse, transport: Transport) -> None:
        self.body = body
        self._transport = transport
        self._request = request
        self._headers = httpx.Headers([pair for pair in request.headers.raw if pair[0].lower() not in _REWRITTEN])
        self._headers["accept-encoding"] = "identity"  # receipts hash the answer, and it is read as it comes
        self._headers.setdefault(LIMIT_HEADER, str(purse.rules.limit))
        if purse.staker:
            self._headers.setdefault(PAYER_HEADER, purse.staker)

    def paid_by(self, payment: str | None) -> httpx.Request:
        """Return the request to send."""
        headers = self._headers.copy()
        if payment is not None:
            headers[SIGNATURE_HEADER] = payment
        of, url = self._request, self._request.url
        return httpx.Request(of.method, url, headers=headers, content=self.body, extensions=of.extensions)

    def is_answer(self, response: httpx.Response) -> bool:
        """Tell whether this is the answer to a call, which its caller reads."""
        return response.is_success and self._request.method == "POST"


class _BlockingSender(_Request[httpx.BaseTransport]):
    async def send(self, payment: str | None = None) -> httpx.Response:
        response = self._transport.handle_request(self.paid_by(payment))
        if not self.is_answer(response):
            response.read()
            response.close()
        return response

    async def pause(self, seconds: float) -> None:
        time.sleep(seconds)  # noqa: ASYNC251 - only its own thread waits: see `run_blocking`


class _AsyncSender(_Request[httpx.AsyncBaseTransport]):
    async def send(self, payment: str | None = None) -> httpx.Response:
        response = await self._transport.handle_async_request(self.paid_by(payment))
        if not self.is_answer(response):
            await response.aread()
            await response.aclose()
        return response

    async def pause(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Bill:
    """How a call ended: its receipt as it came (None when there is none), its `usage`, hashes of request and answer.

    `response_hash` is None when the answer was not read to its end. `call`: the id under which the answer came; None
    for an answer that was given before.
    """

    receipt: object
    usage: Mapping[str, Any]
    request_hash: str
    response_hash: str | None
    call: str | None


class BearerTransport(httpx.BaseTransport):
    """An httpx transport that hands the `Bill` of each answered call to `on_bill`; it pays and signs nothing."""

    def __init__(
        self, gateway_url: str, on_bill: Callable[[Bill], None], transport: httpx.BaseTransport | None = None
    ) -> None:
        """Read the answers of the gateway at `gateway_url` along; send by `transport`."""
        self._origin = origin_of(httpx.URL(gateway_address(gateway_url)))
        self._on_bill = on_bill
        self._transport = transport or httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request as it is, and read along what answers a call."""
        if not _is_call(request, self._origin):
            return self._transport.handle_request(request)
        request_hash = content_hash(request.read())
        request.headers["accept-encoding"] = "identity"  # the answer is read as it comes
        response = self._transport.handle_request(request)
        if not response.is_success:
            return response
        return handed_on(response, _BillReader(response.headers, request_hash, self._on_bill))

    def close(self) -> None:
        """Close the transport below."""
        self._transport.close()


class _BillReader(AnswerReader):
    def __init__(self, headers: Mapping[str, str], request_hash: str, on_bill: Callable[[Bill], None]) -> None:
        super().__init__(headers)
        self._request_hash = request_hash
        self._on_bill = on_bill

    def ended(self, *, complete: bool) -> None:
        call = None if self.replayed else self._headers.get("x-request-id", "none")
        response_hash = text_hash(self.read_text()) if complete else None
        self._on_bill(Bill(self.bill, self.read_usage(), self._request_hash, response_hash, call))


def _is_call(request: httpx.Request, origin: str) -> bool:
    """Tell whether a request is a call that is still to be paid, to the gateway at `origin`."""
    mine = request.method == "POST" and origin_of(request.url) == origin
    return mine and SIGNATURE_HEADER not in request.headers
