"""What is said between us and a gateway for one call; how it is sent and waited for, a `Sender` knows."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import httpx

from usufruct_client.answer import AnswerReader, handed_on
from usufruct_client.clock import steady_seconds
from usufruct_client.errors import BadAnswer, DepositPending, RefundRefused
from usufruct_client.offer_receipt import read_delivery_receipt
from usufruct_client.purse import Answered, Payment, Purse
from usufruct_client.receipt import Receipt, read_receipt
from usufruct_client.text import content_hash, text_hash
from usufruct_client.x402 import (
    REQUIRED_HEADER,
    RESPONSE_HEADER,
    PaymentRequired,
    PaymentResponse,
    read_required,
    read_response,
)

NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
OVERTAKEN_TIMES = 8
"""How often calls may overtake each other on the way before the gateway's 402 is handed on."""

DEPOSIT_POLL_SECONDS = 0.05
DEPOSIT_SHARED_SECONDS = 5.0
"""After so long a call brings the deposit of another along as well: that one may have died on the way."""

SPOILT = frozenset({"deposit_below_minimum", "deposit_expired", "deposit_refused", "deposit_below_min_deposit"})
EXPIRED = frozenset({"deposit_expired", "payload_authorization_valid_before"})


class Sender(Protocol):
    """Sends one request, as often as need be, and waits: on an event loop, or blocking its thread."""

    @property
    def body(self) -> bytes:
        """The body of the request."""

    async def send(self, payment: str | None = None) -> httpx.Response:
        """Send the request, with this `PAYMENT-SIGNATURE` if any; only an answer is left unread, to be handed on."""

    async def pause(self, seconds: float) -> None:
        """Wait."""


@dataclass(frozen=True, slots=True)
class Refund:
    """Money that came back: how much, and by which transaction."""

    amount: int
    transaction: str


class PaidCall:
    """One call: ask for the price, pay, and set right what can be set right."""

    def __init__(self, purse: Purse, origin: str, sender: Sender) -> None:
        """Pay from `purse` for the request that `sender` sends to the gateway at `origin`."""
        self._purse = purse
        self._origin = origin
        self._deposit_seconds = purse.rules.deposit_seconds
        self._sender = sender
        self._request_hash = content_hash(sender.body)
        self._tried: Counter[str] = Counter()
        self._repeated = False

    async def pay(self) -> httpx.Response:
        """Return the paid answer, whose end settles the call, or the last reply as it is when nothing will help.

        Raises:
            Refused, BadAnswer, Mistrusted, DepositPending: what the gateway asks for is not paid.
        """
        reply = await self._sender.send()
        required = _required(reply)
        while required is not None:
            payment = await self._reserve(required)
            reply = await self._send(payment)
            response = _response(reply)
            if reply.is_success or response is not None:
                self._purse.taken(payment, made=self._repeated or response is None or bool(response.transaction))
            if reply.is_success:
                return handed_on(reply, Delivery(self._purse, payment, self._request_hash, reply.headers, response))
            required = self._next(payment, reply, response)
        return reply

    async def _reserve(self, required: PaymentRequired) -> Payment:
        """Sign, as soon as no other call's deposit has to be waited for."""
        waited, most, offer = 0.0, self._deposit_seconds, self._purse.check_offer(required)
        sign = partial(self._purse.reserve, self._origin, required.requirements, offer=offer)
        while (payment := sign(share=waited >= DEPOSIT_SHARED_SECONDS)) is None:
            if waited >= most:
                raise DepositPending(f"another call's deposit has not arrived in {most:g} s; ask again")
            await self._sender.pause(DEPOSIT_POLL_SECONDS)
            waited += DEPOSIT_POLL_SECONDS
        return payment

    async def _send(self, payment: Payment) -> httpx.Response:
        """Send a payment, and the same again while its deposit is on the way."""
        sending = pending = False
        try:
            for delay in _delays(self._deposit_seconds):
                sending = True
                reply = await self._sender.send(payment.header)
                sending = False
                if reply.status_code != 503 or _error(reply, "code") != "deposit_pending":
                    return reply
                pending = self._repeated = True
                await self._sender.pause(delay)
        except BaseException as error:
            if sending and not isinstance(error, NEVER_SENT):
                self._purse.abandon(payment)
            else:
                self._purse.release(payment, unsure=pending)
            raise
        self._purse.release(payment, unsure=True)
        raise DepositPending(
            f"the deposit is on its way for over {self._deposit_seconds:g} s; ask again later, nothing is paid twice",
            amount=payment.deposit.amount if payment.deposit else 0,
        )

    def _next(
        self, payment: Payment, reply: httpx.Response, response: PaymentResponse | None
    ) -> PaymentRequired | None:
        """End a call that was not answered; return what to pay instead, None when nothing will help."""
        if response is not None and reply.status_code != 402:
            self._purse.finish(payment, Answered(response.charged or 0, None, self._request_hash, None))
            return None
        if reply.status_code >= 500 and not _error(reply, "code"):
            self._purse.abandon(payment)  # not the gateway's own words: how far the call got is unknown
            return None
        try:
            required = _required(reply)
            code = _error(reply, "code") or (required.error if required else "")
            again = required is not None and self._set_right(payment, required, code)
        except Exception:
            self._purse.release(payment, unsure=True)
            raise
        self._purse.release(payment, unsure=True, spoilt=code in SPOILT | EXPIRED)
        return required if again else None

    def _set_right(self, payment: Payment, required: PaymentRequired, code: str) -> bool:
        """Take over what a 402 says; return whether paying once more may help."""
        if code in {"cumulative_amount_mismatch", "cumulative_exceeds_balance", "insufficient_balance"}:
            self._purse.correct(payment, required.requirements)
        elif code == "channel_not_found":
            self._purse.empty(payment)
        elif code == "deposit_used":
            self._purse.taken(payment, made=True)
        elif code not in EXPIRED and code != "stale_quote":
            return False
        self._tried[code] += 1
        return self._tried[code] <= (OVERTAKEN_TIMES if code == "cumulative_amount_mismatch" else 1)


class Delivery(AnswerReader):
    """A paid answer on its way to the caller; its end settles the call: with the charge or, if unseen, the ceiling."""

    def __init__(
        self,
        purse: Purse,
        payment: Payment,
        request_hash: str,
        headers: Mapping[str, str],
        response: PaymentResponse | None,
    ) -> None:
        """Read the answer to `payment` along; `response` is its `PAYMENT-RESPONSE`, None if it has none."""
        super().__init__(headers)
        self._purse = purse
        self._payment = payment
        self._request_hash = request_hash
        self._charged = response.charged if response else None
        self._extensions = response.extensions if response else None

    def ended(self, *, complete: bool) -> None:
        """Settle with what is known."""
        bill, text = self.bill, self.read_text() if complete else None
        complaints: list[str] = [] if self._charged is not None else ["the answer says nothing of what was charged"]
        receipt: Receipt | None = None
        try:
            receipt = read_receipt(bill) if bill is not None else None
        except BadAnswer as error:
            complaints.append(error.message)
        if receipt is None and not self._settled_without_bill(text, complaints):
            return
        charge = receipt.amount if receipt else self._charged or 0
        if receipt and self._stream is None and self._charged not in {None, charge}:
            complaints.append(f"PAYMENT-RESPONSE says {self._charged}, the receipt {charge}")
        response_hash = None if text is None else text_hash(text)
        extensions = (self._stream.extensions if self._stream else None) or self._extensions
        delivery = read_delivery_receipt(extensions)
        answer = Answered(
            charge, receipt, self._request_hash, response_hash, self.replayed, tuple(complaints), delivery
        )
        self._purse.finish(self._payment, answer)

    def _settled_without_bill(self, text: str | None, complaints: list[str]) -> bool:
        """Say whether the charge is known without a receipt; if it is not, give the call up."""
        if self._stream is None and self._charged is not None:
            if self._charged > 0:
                complaints.append("the answer was charged, and has no receipt")
            return True
        if text is not None:
            complaints.append("the answer came to its end without a bill")
        self._purse.abandon(self._payment, "; ".join(complaints))
        return False


async def ask_for_refund(purse: Purse, origin: str, amount: int | None, sender: Sender) -> Refund:
    """Ask for money back, by GET requests to a paid endpoint.

    Raises:
        RefundRefused: when there is nothing to give back, or the gateway does not.
    """
    reply = await sender.send()
    required = _required(reply)
    if required is None:
        raise RefundRefused(f"the gateway answered {reply.status_code} and named no terms; is this a paid endpoint?")
    channel, header = purse.ask_back(origin, required.requirements, amount)
    reply = await sender.send(header)
    response = _response(reply)
    if response is None or reply.is_error:
        said = " ".join(filter(None, (str(reply.status_code), _error(reply, "code"), _error(reply, "message"))))
        raise RefundRefused(f"the gateway gave nothing back: {said}", status=reply.status_code)
    purse.refunded(channel, response.amount)
    return Refund(response.amount, response.transaction)


def _error(reply: httpx.Response, member: str) -> str:
    """Return a member of the gateway's own error; empty when the body is not one of its errors."""
    try:
        return str(json.loads(reply.content)["error"][member])
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""


def _required(reply: httpx.Response) -> PaymentRequired | None:
    header = reply.headers.get(REQUIRED_HEADER)
    return read_required(header) if reply.status_code == 402 and header else None


def _response(reply: httpx.Response) -> PaymentResponse | None:
    """Return what the gateway says it took; None when it says nothing of the kind, which a dispute will tell."""
    header = reply.headers.get(RESPONSE_HEADER)
    try:
        response = read_response(header) if header else None
    except BadAnswer:
        return None
    return response if response and response.success else None


def _delays(seconds: float) -> Iterator[float]:
    """Yield ever longer pauses, until a deposit has been waited for `seconds`."""
    delay, until = 0.1, steady_seconds() + seconds
    while steady_seconds() < until:
        yield delay
        delay = min(delay * 2, 5.0)
