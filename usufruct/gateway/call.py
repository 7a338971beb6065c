"""A call that has been let in, who pays for it, and the answer kept for its repetition."""

from collections.abc import Callable, Sequence
from typing import Protocol

import orjson

from usufruct.core import Hash32, PaymentRequired, value
from usufruct.core.price_cards import PriceCard
from usufruct.gateway.errors import UnpaidBodyTooLarge
from usufruct.gateway.metering import Budget
from usufruct.gateway.model import ServedListing
from usufruct.gateway.request import Asked
from usufruct.gateway.token_counting import Counter
from usufruct.payments.ledger import IdempotencyKey, Lease, Opened, Reservation
from usufruct.payments.pricing import Allowance, VerifiedVoucher
from usufruct.web import BodyTooLarge, Exchange, Header

BODY_BYTES = 8 << 20
"""The longest request that is read."""

UNPAID_BYTES = 2 << 20
"""The longest request that is priced for somebody who shows no payment."""


class Payer(Protocol):
    """Whoever pays for a call: the holder of a key, a wallet, or nobody yet."""

    @property
    def name(self) -> str:
        """How log lines name them."""

    @property
    def account(self) -> str | None:
        """Who answers for what this payer does; None for nobody. Nobody can act under somebody else's."""

    @property
    def scope(self) -> str:
        """Within which part of their calls an idempotency key is one; "": within all that one account pays for."""

    @property
    def identifier(self) -> str:
        """The idempotency key that came with the payment, or ""."""

    async def body(self, exchange: Exchange) -> bytes:
        """Read the request, which may be as long as this payer is good for."""

    def check_asset(self, asset: ServedListing) -> None:
        """Refuse an asset this payer may not call."""

    def card(self, order: "Order") -> PriceCard:
        """Return the price card that holds for this payer: the asset's, or one we promised."""

    def allowance(self, order: "Order") -> Allowance:
        """Return what the call may use and cost, under the order's card."""

    def lowered(self, order: "Order", allowance: Allowance, refusal: PaymentRequired) -> Allowance | None:
        """Return less output that fits what is left, if this payer left the output open."""

    async def repetition(self, order: "Order", call: Hash32) -> Reservation | None:
        """Return what the ledger is asked when only a kept answer is wanted; None for whoever proved nothing."""

    async def reservation(self, order: "Order", allowance: Allowance, call: Hash32) -> Reservation:
        """Return what the ledger is asked for; whatever money has to move first has moved."""

    def charge_headers(self, charged: int, total: int) -> Sequence[Header]:
        """Return an answer's headers about its charge; `total`: charged in all, and reserved, with this call."""

    async def refused(self, order: "Order", refusal: PaymentRequired) -> Sequence[Header]:
        """Return the headers by which a refusal tells how to pay."""


@value
class Order:
    """A request that is in order: who pays, what is asked of which asset at which price, and how much input it is."""

    payer: Payer
    asset: ServedListing
    card: PriceCard
    asked: Asked
    counter: Counter
    counted_input: int
    budget: Budget
    request_hash: Hash32
    idempotency: IdempotencyKey | None

    def reservation(
        self,
        call: Hash32,
        allowance: Allowance,
        channel: Hash32,
        *,
        voucher: VerifiedVoucher | None = None,
        sign: Callable[[int], VerifiedVoucher] | None = None,
        limit: int | None = None,
    ) -> Reservation:
        """Return what the ledger is asked for, paid from `channel` by a voucher that came or one made by `sign`."""
        return Reservation(
            call=call,
            account=channel,
            asset=self.asset.id,
            ceiling=allowance.ceiling,
            price_card_version=self.card.version,
            request_hash=self.request_hash,
            voucher=voucher,
            sign=sign,
            limit=limit,
            idempotency=self.idempotency,
        )


@value
class OpenCall:
    """A call whose ceiling is set aside: its order, what it may use, and what the ledger opened for it."""

    order: Order
    allowance: Allowance
    opened: Opened

    @property
    def lease(self) -> Lease:
        """The ledger's lease on the call."""
        return self.opened.lease

    @property
    def promised(self) -> int:
        """What its account is charged and reserved in all, this call's ceiling included."""
        return self.opened.account.charged + self.opened.account.reserved


@value
class KeptAnswer:
    """What is replayed: the bytes as the upstream sent them, without the bill, which the ledger knows.

    `usage_asked`: the caller of a stream wants the usage event. `broken`: the error under which an incomplete stream
    ended, as JSON; empty for a complete answer.
    """

    body: bytes
    model: str
    stream: bool = False
    usage_asked: bool = False
    broken: str = ""

    def packed(self) -> bytes:
        """Write it for the ledger to keep: a line of JSON, then the bytes."""
        head = {name: getattr(self, name) for name in ("model", "stream", "usage_asked", "broken")}
        return orjson.dumps(head) + b"\n" + self.body

    @classmethod
    def unpacked(cls, content: bytes) -> "KeptAnswer":
        """Read what `packed` wrote."""
        head, _, body = content.partition(b"\n")
        return cls(body=body, **orjson.loads(head))


async def short_body(exchange: Exchange) -> bytes:
    """Read a request that nobody may pay for.

    Raises:
        UnpaidBodyTooLarge: for a long one: its price is much work for nothing.
    """
    try:
        return await exchange.body(UNPAID_BYTES)
    except BodyTooLarge as error:
        raise UnpaidBodyTooLarge(
            f"a request may have {UNPAID_BYTES} bytes unless money is there for it: send a shorter one, or this one "
            "with a key (`Authorization: Bearer uf_...`) or on a channel that holds a deposit",
            field="body",
            limit=UNPAID_BYTES,
        ) from error
