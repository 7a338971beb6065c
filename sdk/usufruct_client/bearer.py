"""Calls by bearer key: the answers are read along, so that their receipts can be checked."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import httpx

from usufruct_client.answer import AnswerBody, AnswerReader, handed_on
from usufruct_client.text import text_hash
from usufruct_client.transport import is_call
from usufruct_client.urls import gateway_address, origin_of


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
        if not is_call(request, self._origin):
            return self._transport.handle_request(request)
        request_hash = "0x" + sha256(request.read()).hexdigest()
        request.headers["accept-encoding"] = "identity"  # the answer is read as it comes
        response = self._transport.handle_request(request)
        if not response.is_success:
            return response
        return handed_on(response, AnswerBody(response, _BillReader(response.headers, request_hash, self._on_bill)))

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
