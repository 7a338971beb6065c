"""What is said between us and a gateway for one call, without input or output: generators that a transport drives.

They yield `Send` and `Pause`, and are sent the `Reply` to what was sent; the transport does the waiting, on threads or
on an event loop.
"""

import json
from collections import Counter
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256

import httpx

from usufruct_client.clock import steady_seconds
from usufruct_client.delivery import Delivery
from usufruct_client.errors import BadAnswer, DepositPending, RefundRefused
from usufruct_client.purse import Answered, Payment, Purse
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


@dataclass(frozen=True, slots=True)
class Send:
    """Send the request, with this `PAYMENT-SIGNATURE` or without one."""

    payment: str | None = None


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: the body of errors only, for answers are handed on unread."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def code(self) -> str:
        """The gateway's own code of an error; empty when the body is not one of its errors."""
        return self._error("code")

    @property
    def message(self) -> str:
        """What the gateway says of an error; empty as above."""
        return self._error("message")

    def _error(self, member: str) -> str:
        try:
            return str(json.loads(self.body)["error"][member])
        except (ValueError, KeyError, TypeError, RecursionError):
            return ""


@dataclass(frozen=True, slots=True)
class Refund:
    """Money that came back: how much, and by which transaction."""

    amount: int
    transaction: str


Talk = Generator[Send | Pause, Reply, Delivery | None]


class Conversation:
    """One call: ask for the price, pay, and set right what can be set right."""

    def __init__(self, purse: Purse, origin: str, body: bytes) -> None:
        """Pay from `purse` for a request of `body` to the gateway at `origin`."""
        self._purse = purse
        self._origin = origin
        self._request_hash = "0x" + sha256(body).hexdigest()
        self._tried: Counter[str] = Counter()
        self._repeated = False

    def talk(self) -> Talk:
        """Return the delivery of a paid answer; None when the last reply is to be handed on as it is.

        Raises:
            Refused, BadAnswer, Mistrusted, DepositPending: what the gateway asks for is not paid.
        """
        reply = yield Send()
        required = _required(reply)
        while required is not None:
            payment = yield from self._reserve(required)
            reply = yield from self._send(payment)
            response = _response(reply)
            answered = 200 <= reply.status < 300
            if answered or response is not None:
                self._purse.taken(payment, made=self._repeated or response is None or bool(response.transaction))
            if answered:
                charged = response.charged if response else None
                return Delivery(self._purse, payment, self._request_hash, reply.headers, charged)
            required = self._next(payment, reply, response)
        return None

    def _reserve(self, required: PaymentRequired) -> Generator[Pause, Reply, Payment]:
        """Sign, as soon as no other call's deposit has to be waited for."""
        waited = 0.0
        terms = required.requirements
        while (payment := self._purse.reserve(self._origin, terms, share=waited >= DEPOSIT_SHARED_SECONDS)) is None:
            if waited >= self._purse.rules.deposit_seconds:
                seconds = self._purse.rules.deposit_seconds
                raise DepositPending(f"another call's deposit has not arrived in {seconds:g} s; ask again")
            yield Pause(DEPOSIT_POLL_SECONDS)
            waited += DEPOSIT_POLL_SECONDS
        return payment

    def _send(self, payment: Payment) -> Generator[Send | Pause, Reply, Reply]:
        """Send a payment, and the same again while its deposit is on the way."""
        sending = pending = False
        try:
            for delay in _delays(self._purse.rules.deposit_seconds):
                sending = True
                reply = yield Send(payment.header)
                sending = False
                if reply.status != 503 or reply.code != "deposit_pending":
                    return reply
                pending = self._repeated = True
                yield Pause(delay)
        except BaseException as error:
            if sending and not isinstance(error, NEVER_SENT):
                self._purse.abandon(payment)
            else:
                self._purse.release(payment, unsure=pending)
            raise
        self._purse.release(payment, unsure=True)
        raise DepositPending(
            f"the deposit is on its way for over {self._purse.rules.deposit_seconds:g} s; ask again later, "
            "nothing is paid twice",
            amount=payment.deposit.amount if payment.deposit else 0,
        )

    def _next(self, payment: Payment, reply: Reply, response: PaymentResponse | None) -> PaymentRequired | None:
        """End a call that was not answered; return what to pay instead, None when nothing will help."""
        if response is not None and reply.status != 402:
            self._purse.finish(payment, Answered(response.charged or 0, None, self._request_hash, None))
            return None
        if reply.status >= 500 and not reply.code:
            self._purse.abandon(payment)  # not the gateway's own words: how far the call got is unknown
            return None
        try:
            required = _required(reply)
            code = reply.code or (required.error if required else "")
            again = required is not None and self._set_right(payment, required, code)
        except Exception:
            self._purse.release(payment, unsure=True)
            raise
        self._purse.release(payment, unsure=True, spoilt=code in SPOILT | EXPIRED)
        return required if again else None

    def _set_right(self, payment: Payment, required: PaymentRequired, code: str) -> bool:
        """Take over what a 402 says; return whether paying once more may help."""
        times = 1
        if code == "cumulative_amount_mismatch":
            self._purse.correct(payment, required.requirements)
            times = OVERTAKEN_TIMES
        elif code in {"cumulative_exceeds_balance", "insufficient_balance"}:
            self._purse.correct(payment, required.requirements)
        elif code == "channel_not_found":
            self._purse.empty(payment)
        elif code == "deposit_used":
            self._purse.taken(payment, made=True)
        elif code not in EXPIRED and code != "stale_quote":
            return False
        self._tried[code] += 1
        return self._tried[code] <= times


def ask_for_refund(purse: Purse, origin: str, amount: int | None) -> Generator[Send, Reply, Refund]:
    """Ask for money back; drive it with GET requests to a paid endpoint.

    Raises:
        RefundRefused: when there is nothing to give back, or the gateway does not.
    """
    reply = yield Send()
    required = _required(reply)
    if required is None:
        raise RefundRefused(f"the gateway answered {reply.status} and named no terms; is this a paid endpoint?")
    channel, header = purse.ask_back(origin, required.requirements, amount)
    reply = yield Send(header)
    response = _response(reply)
    if response is None or reply.status >= 400:
        said = " ".join(filter(None, (str(reply.status), reply.code, reply.message)))
        raise RefundRefused(f"the gateway gave nothing back: {said}", status=reply.status)
    purse.refunded(channel, response.amount)
    return Refund(response.amount, response.transaction)


def _required(reply: Reply) -> PaymentRequired | None:
    header = reply.headers.get(REQUIRED_HEADER)
    return read_required(header) if reply.status == 402 and header else None


def _response(reply: Reply) -> PaymentResponse | None:
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
