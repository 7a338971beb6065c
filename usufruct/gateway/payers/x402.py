"""Callers who pay by x402: a price is asked, promised, and paid from the wallet's own channel."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from usufruct.core import Clock, Hash32, PaymentRequired
from usufruct.core.price_cards import PriceCard
from usufruct.gateway.call import BODY_BYTES, UNPAID_BYTES, Order, short_body
from usufruct.gateway.errors import InvalidRequest
from usufruct.gateway.metering import Budget, ceiling
from usufruct.gateway.model import ServedListing
from usufruct.gateway.quotes import Quotes
from usufruct.payments.ledger import Reservation, VoucherPublished, VoucherTooLow, scope_of
from usufruct.payments.pricing import Allowance, OverBudget
from usufruct.payments.x402 import (
    DepositNotNeeded,
    Funded,
    Funding,
    Payment,
    PaymentKind,
    Requirements,
    read_payment,
    x402_name,
)
from usufruct.web import Exchange, Header

SIGNATURE = b"payment-signature"
NO_KEY = frozenset({"", "bearer", "bearer x402"})
"""What stands in `Authorization` of somebody who has no key: OpenAI's clients must send one, and send this."""

_REQUIRED = b"payment-required"
_RESPONSE = b"payment-response"
_RETRY = (b"x-should-retry", b"true")
"""Makes OpenAI's clients repeat a refused call by themselves."""

_CORRECTED = frozenset(
    {"cumulative_amount_mismatch", "cumulative_exceeds_balance", "insufficient_balance", "deposit_not_needed"}
)
"""Refusals that the channel's numbers mend."""


class PaymentWanted(PaymentRequired):
    """The request is in order, and nobody pays for it yet."""

    code = "payment_required"


@dataclass(frozen=True, slots=True)
class X402Payments:
    """Everything a call paid by x402 needs: what is wanted, what was promised, and how money gets in and out."""

    wanted: Requirements
    funding: Funding
    quotes: Quotes
    clock: Clock

    def payer(self, exchange: Exchange) -> "X402Payer | Nobody | None":
        """Return who pays by x402, or wants to know how; None for those who came with a key.

        Raises:
            MalformedPayment, WrongNetwork, WrongScheme: for a payment that cannot be read.
            InvalidRequest: for a refund, which is not asked for with a call.
        """
        header = exchange.header(SIGNATURE)
        if header:
            payment = read_payment(header, self.wanted.offer.chain_id)
            if payment.kind is PaymentKind.REFUND:
                raise InvalidRequest("ask for a refund by GET, without a body", field="payload.type")
            return X402Payer(payment, self, exchange)
        return Nobody(self, exchange) if exchange.header(b"authorization").lower() in NO_KEY else None

    async def refund(self, exchange: Exchange) -> None:
        """Answer a GET on a paid endpoint: with what is taken here, or with the refund that is asked for."""
        header = exchange.header(SIGNATURE)
        try:
            if not header:
                raise PaymentWanted("POST a request to learn its price; a GET with a refund payload gives money back")
            payment = read_payment(header, self.wanted.offer.chain_id)
            if payment.kind is not PaymentKind.REFUND:
                raise InvalidRequest("a GET takes refunds only; POST the request that this pays", field="payload.type")
            refunded = await self.funding.refund(payment)
        except PaymentRequired as refusal:
            exchange.attach([self._required(exchange, x402_name(refusal), self.wanted.requirements(0))])
            raise
        told = self.wanted.payment_response(payment.config.payer, None, refunded.transaction, refunded.amount)
        content = {"channel": refunded.channel.reading.id, "refunded": str(refunded.amount)}
        await exchange.answer_json({**content, "transaction": refunded.transaction}, [(_RESPONSE, told)])

    async def price(
        self, exchange: Exchange, order: Order, refusal: PaymentRequired, payment: Payment | None = None
    ) -> Header:
        """Return a refusal's header: the call's price, promised anew, and the channel's numbers where they help."""
        channel = await self.funding.channel(payment) if payment and refusal.code in _CORRECTED else None
        card = order.asset.card(self.clock.now())
        budget = order.budget if refusal.code != OverBudget.code else Budget()  # what the caller's limit is too low for
        priced = ceiling(order.asked, order.counted_input, order.asset, card, budget)
        most = min(budget.amount, order.asset.caps.largest_ceiling)
        payer = self.funding.channel_of(payment) if payment else None
        allowance = self.quotes.asked(order.request_hash, priced, most, payer)
        quote = self.quotes.give(order.request_hash, card.version, allowance)
        name = x402_name(refusal, corrective=channel is not None)
        return self._required(exchange, name, self.wanted.requirements(allowance.ceiling, quote, channel, card))

    def _required(self, exchange: Exchange, error: str, requirements: dict[str, object]) -> Header:
        return _REQUIRED, self.wanted.payment_required(exchange.url, error, requirements)


@dataclass(frozen=True, slots=True)
class Nobody:
    """`Payer` of a request without payment: it is priced, and refused with the price."""

    wallets: X402Payments
    exchange: Exchange
    name: str = "nobody"
    account: None = None
    scope: str = ""
    identifier: str = ""

    async def body(self, exchange: Exchange) -> bytes:
        """Read a short request."""
        return await short_body(exchange)

    def check_asset(self, asset: ServedListing) -> None:
        """Every asset may be priced."""

    def card(self, order: Order) -> PriceCard:
        """Return the asset's card."""
        return order.card

    def allowance(self, order: Order) -> Allowance:
        """Fit the call into the limit its caller set for it."""
        return ceiling(order.asked, order.counted_input, order.asset, order.card, order.budget)

    def lowered(self, order: Order, allowance: Allowance, refusal: PaymentRequired) -> Allowance | None:
        """Nothing is reserved, so nothing is lowered."""
        return None

    async def repetition(self, order: Order, call: Hash32) -> None:
        """Nobody has answers."""

    async def reservation(self, order: Order, allowance: Allowance, call: Hash32) -> Reservation:
        """Refuse.

        Raises:
            PaymentWanted: always.
        """
        raise PaymentWanted(
            f"this call costs at most {allowance.ceiling}; pay by x402 or send a key (`Authorization: Bearer uf_...`)",
            ceiling=allowance.ceiling,
        )

    def charge_headers(self, charged: int, total: int) -> Sequence[Header]:
        """Nobody is charged."""
        return ()

    async def refused(self, order: Order, refusal: PaymentRequired) -> Sequence[Header]:
        """Return the price."""
        return [await self.wallets.price(self.exchange, order, refusal)]


@dataclass(slots=True)
class X402Payer:
    """`Payer` by x402; `funded`: how its payment was made good for this call."""

    payment: Payment
    wallets: X402Payments
    exchange: Exchange
    funded: Funded = field(default_factory=Funded)

    @property
    def name(self) -> str:
        """The payer's address."""
        return self.payment.config.payer

    @property
    def account(self) -> str:
        """The payer with the payer authorizer: anybody can open a channel that names somebody else as its payer."""
        return scope_of(self.payment.config.payer, self.payment.config.payer_authorizer)

    @property
    def scope(self) -> str:
        """All of its channels are one caller's."""
        return ""

    @property
    def identifier(self) -> str:
        """x402's payment identifier."""
        return self.payment.identifier

    async def body(self, exchange: Exchange) -> bytes:
        """Read the request; a long one only if its voucher is good and the channel has money for it here already."""
        if exchange.is_longer(UNPAID_BYTES) and await self.wallets.funding.carries(self.payment):
            return await exchange.body(BODY_BYTES)
        return await short_body(exchange)

    def check_asset(self, asset: ServedListing) -> None:
        """X402Payments may call every asset."""

    def card(self, order: Order) -> PriceCard:
        """Return the card that was promised, or the asset's to a payment without a promise."""
        if not self.payment.quote:
            return order.card
        quoted = self.wallets.quotes.read(self.payment.quote, order.request_hash, self.payment.amount)
        return quoted.card(order.asset)

    def allowance(self, order: Order) -> Allowance:
        """Return what was promised; without a promise, what fits the amount that the payer agreed to."""
        if self.payment.quote:
            promised = self.wallets.quotes.read(self.payment.quote, order.request_hash, self.payment.amount).allowance
            order.budget.check(promised)
            return promised
        budget = Budget(min(order.budget.amount, self.payment.amount), own_limit=True)
        return ceiling(order.asked, order.counted_input, order.asset, order.card, budget)

    def lowered(self, order: Order, allowance: Allowance, refusal: PaymentRequired) -> Allowance | None:
        """Return what the voucher covers, where it starts below what was charged.

        That is the promised output, if more was asked for than it costs (`Quotes.catch_up`); or at least half of it,
        if the caller left the output open.
        """
        if not isinstance(refusal, VoucherTooLow):
            return None
        offered, used = refusal.details["offered"], (refusal.details["charged"], refusal.details["reserved"])
        left = Budget(max(0, int(offered or 0) - sum(int(part or 0) for part in used)), own_limit=True)
        try:
            fits = ceiling(order.asked, order.counted_input, order.asset, order.card, left)
        except OverBudget:
            return None
        least = allowance.output_tokens if order.asked.wanted_output is not None else -(-allowance.output_tokens // 2)
        return fits if least <= fits.output_tokens <= allowance.output_tokens else None

    async def repetition(self, order: Order, call: Hash32) -> Reservation:
        """Ask with the voucher that came, once it is known to be the payer's."""
        funding = self.wallets.funding
        voucher = await funding.proven(self.payment)
        return order.reservation(call, Allowance(0, 0), funding.channel_of(self.payment), voucher=voucher)

    async def reservation(self, order: Order, allowance: Allowance, call: Hash32) -> Reservation:
        """Pay from the wallet's channel, by the voucher that came; its deposit is made first."""
        funding = self.wallets.funding
        channel = funding.channel_of(self.payment)
        self.wallets.quotes.forget(order.request_hash, channel)
        voucher = funding.verify(self.payment)
        reservation = order.reservation(call, allowance, channel, voucher=voucher)
        self.funded = await funding.prepare(self.payment, reservation)
        if self.funded.made:
            self.exchange.attach(self.charge_headers(0, 0))
        if self.funded.spared and self.payment.deposit:
            return replace(reservation, offered=self.payment.deposit.amount)
        return reservation

    def charge_headers(self, charged: int, total: int) -> Sequence[Header]:
        """Return what x402's clients count by: at least `charged`, and so much that their count reaches `total`.

        With a deposit that was spared, the true total stands beside it: the client's count is above that already, and
        stays as it is, with its balance.
        """
        made, counted = self.funded.made, self.payment.counted
        response = self.wallets.wanted.payment_response(
            self.payment.config.payer,
            max(charged, total - counted),
            made.transaction if made else None,
            made.amount if made else None,
            total if self.funded.spared else None,
        )
        return [(_RESPONSE, response)]

    async def refused(self, order: Order, refusal: PaymentRequired) -> Sequence[Header]:
        """Return the price, and the channel's numbers where they help; another price than led to this voucher."""
        if isinstance(refusal, VoucherPublished):
            self.wallets.quotes.step_aside(order.request_hash)
        price = await self.wallets.price(self.exchange, order, refusal, self.payment)
        if isinstance(refusal, VoucherTooLow):
            needed, offered = refusal.details["needed"], refusal.details["offered"]
            channel = self.wallets.funding.channel_of(self.payment)
            self.wallets.quotes.catch_up(order.request_hash, channel, int(needed or 0) - int(offered or 0))
        return [price, _RETRY] if isinstance(refusal, VoucherTooLow | DepositNotNeeded) else [price]
