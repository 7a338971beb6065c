"""Payment by x402: a price is asked, promised, and paid from the payer's own channel."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from usufruct.core import Address, Clock, Hash32, PaymentRequired, format_units, value
from usufruct.gateway.call_order import CallOrder, Price
from usufruct.gateway.errors import InvalidRequest
from usufruct.gateway.model import ServedListing
from usufruct.gateway.operations.base import Budget
from usufruct.gateway.payers.base import FundedCall, Payer, PayerIdentity
from usufruct.gateway.quotes import Quotes, expiry_of
from usufruct.payments.ledger import VoucherPublished, VoucherTooLow, scope_of
from usufruct.payments.pricing import OverBudget, Receipt, VerifiedVoucher, discounted_card_up
from usufruct.payments.x402 import (
    OFFER_RECEIPT,
    DepositNotNeeded,
    Funding,
    MalformedPayment,
    OfferSigner,
    Payment,
    PaymentKind,
    Requirements,
    discovery_extension,
    read_payment,
    x402_name,
)
from usufruct.web import Header, HttpExchange

_REQUIRED = b"payment-required"
_RESPONSE = b"payment-response"
_RETRY = (b"x-should-retry", b"true")
"""Makes OpenAI's clients repeat a refused call by themselves."""

_CORRECTED = frozenset(
    {"cumulative_amount_mismatch", "cumulative_exceeds_balance", "insufficient_balance", "deposit_not_needed"}
)
"""Refusals that the channel's numbers mend."""


@dataclass(frozen=True, slots=True)
class X402Payments:
    """Takes payments by x402: what is required, how money gets in and out, quotes, and signed offers of them."""

    requirements: Requirements
    funding: Funding
    quotes: Quotes
    offers: OfferSigner
    clock: Clock

    async def authenticate(self, header: str) -> "X402Payer":
        """Return the payer of the payment in a header.

        A payment whose voucher is refused still gets a price, so its payer is returned, unproven.

        Raises:
            MalformedPayment, PaymentRequired: for a payment that cannot be read, or is not for here.
            InvalidRequest: for a refund, which is not asked for with a call.
        """
        payment = read_payment(header, self.requirements.network)
        if payment.kind is PaymentKind.REFUND:
            raise InvalidRequest("ask for a refund by GET, without a body", field="payload.type")
        voucher: VerifiedVoucher | None = None
        with suppress(PaymentRequired):
            voucher = await self.funding.proven(payment)
        identity = PayerIdentity(
            name=payment.config.payer,
            # With the payer authorizer: anyone can open a channel that names another as its payer.
            abuse_account=scope_of(payment.config.payer, payment.config.payer_authorizer),
            account=self.funding.channel_of(payment),
            is_proven=voucher is not None,
            idempotency_key=payment.identifier,
            voucher=payment.voucher.max_claimable,
            staker=_staker(payment),
        )
        return X402Payer(identity, payment, voucher, self)

    async def refuse_unpaid(self, exchange: HttpExchange, order: CallOrder) -> PaymentRequired:
        """Return the refusal of a request without payment; its quote goes out as a header."""
        refusal: PaymentRequired
        try:
            ceiling, token = order.work.limits(order.card, order.budget).ceiling, self.requirements.terms.token
            most = f"{format_units(ceiling, token.decimals)} {token.symbol}"
            refusal = PaymentRequired(
                f"this call costs at most {most}; pay by x402, or {order.work.other_way}",
                ceiling=ceiling,
            )
        except OverBudget as over:
            refusal = over
        with suppress(OverBudget):
            exchange.attach([await self.quote(exchange, order, refusal)])
        return refusal

    async def quote(
        self, exchange: HttpExchange, order: CallOrder, refusal: PaymentRequired, payment: Payment | None = None
    ) -> Header:
        """Return a refusal's header: a fresh quote of the call, and the channel's numbers where they help."""
        channel = await self.funding.channel(payment) if payment and refusal.code in _CORRECTED else None
        card = discounted_card_up(order.listing.card(self.clock.now()), order.discount_bps)
        budget = order.budget if refusal.code != OverBudget.code else Budget()  # what the caller's limit is too low for
        priced = order.work.limits(card, budget)
        most = min(budget.amount, order.listing.caps.largest_ceiling)
        payer = self.funding.channel_of(payment) if payment else None
        allowance = self.quotes.asked(order.request_hash, priced, most, payer)
        quote = self.quotes.give(replace(order, card=card), allowance)
        name = x402_name(refusal, corrective=channel is not None)
        required = self.requirements.requirements(allowance.ceiling, quote, channel, card)
        extensions: dict[str, Any] = {}
        if payment is None:
            declared = order.work.discovery or discovery_extension(order.listing.operation, order.listing.name)
            extensions["bazaar"] = declared
        if offers := self.offers.offers(exchange.url, required, expiry_of(quote)):
            extensions[OFFER_RECEIPT] = offers
        return self._required(exchange, name, required, extensions)

    def asks_refund(self, exchange: HttpExchange) -> bool:
        """Tell whether a request is a refund's; one whose payment cannot be read is none."""
        header = exchange.header(b"payment-signature")
        with suppress(MalformedPayment, PaymentRequired):
            return bool(header) and read_payment(header, self.requirements.network).kind is PaymentKind.REFUND
        return False

    async def refund(self, exchange: HttpExchange) -> None:
        """Answer a GET on a paid endpoint: with what is taken here, or with the refund that is asked for."""
        header = exchange.header(b"payment-signature")
        try:
            if not header:
                raise PaymentRequired("POST a request to learn its price; a GET with a refund payload gives money back")
            payment = read_payment(header, self.requirements.network)
            if payment.kind is not PaymentKind.REFUND:
                raise InvalidRequest("a GET takes refunds only; POST the request that this pays", field="payload.type")
            refunded = await self.funding.refund(payment)
        except PaymentRequired as refusal:
            exchange.attach([self._required(exchange, x402_name(refusal), self.requirements.requirements(0))])
            raise
        response = self.requirements.payment_response(payment.config.payer, None, refunded.transaction, refunded.amount)
        content = {"channel": refunded.channel.reading.id, "refunded": str(refunded.amount)}
        await exchange.answer_json({**content, "transaction": refunded.transaction}, [(_RESPONSE, response)])

    def _required(
        self,
        exchange: HttpExchange,
        error: str,
        requirements: Mapping[str, Any],
        extensions: Mapping[str, Any] | None = None,
    ) -> Header:
        return _REQUIRED, self.requirements.payment_required(exchange.url, error, requirements, extensions)


@value
class X402Payer(Payer):
    """A payer by x402; `voucher` is None for one that was refused."""

    payment: Payment
    voucher: VerifiedVoucher | None
    method: X402Payments

    def check_scope(self, listing: ServedListing) -> None:
        """Accept every listing."""

    async def has_funds(self) -> bool:
        """Tell whether the voucher is good, and its channel has free money here already."""
        return self.voucher is not None and await self.method.funding.has_free_money(self.payment)

    def price(self, order: CallOrder) -> Price:
        """Return what was quoted; without a quote, what fits the amount that the payer agreed to."""
        if self.voucher is None:
            self.method.funding.verify(self.payment)  # says what is wrong with it, before a quote that is over does
        if self.payment.quote:
            quotes, amount = self.method.quotes, self.payment.amount
            quoted = quotes.read(self.payment.quote, order, amount)
            order.budget.check(quoted.allowance)
            return quoted
        budget = Budget(min(order.budget.amount, self.payment.amount), own_limit=True)
        return Price(order.card, order.work.limits(order.card, budget), order.discount_bps)

    def lower_price(self, order: CallOrder, price: Price, refusal: PaymentRequired) -> Price:
        """Return what the voucher covers, where it starts below what was charged.

        That is the promised output, if more was asked for than it costs (`Quotes.catch_up`); or at least half of it,
        if the caller left the output open.
        """
        if not isinstance(refusal, VoucherTooLow):
            raise refusal
        offered, used = refusal.details["offered"], (refusal.details["charged"], refusal.details["reserved"])
        left = Budget(max(0, int(offered or 0) - sum(int(part or 0) for part in used)), own_limit=True)
        try:
            fits = order.work.limits(price.card, left)
        except OverBudget:
            raise refusal from None
        most = price.allowance.output_tokens
        least = -(-most // 2) if order.work.is_reducible(Budget()) else most
        if not least <= fits.output_tokens <= most:
            raise refusal
        return Price(price.card, fits, price.discount_bps)

    async def fund_call(self, order: CallOrder, price: Price, call: Hash32) -> FundedCall:
        """Pay from the channel, by the voucher that came; its deposit is submitted and awaited first."""
        funding = self.method.funding
        self.method.quotes.forget(order.request_hash, self.identity.account)
        voucher = self.voucher or await funding.proven(self.payment)  # raises what a refused voucher was refused for
        reservation = order.reservation(call, self.identity.account, price, voucher=voucher)
        funded = await funding.fund_call(self.payment, reservation)
        if funded.spared and self.payment.deposit:
            reservation = replace(reservation, offered=self.payment.deposit.amount)
        return FundedCall(reservation, funded.made, funded.spared)

    def delivery_extensions(self, url: str, receipt: Receipt) -> Mapping[str, Any]:
        """Return x402's receipt of a charged call, with our receipt's date, so that a replay has the same one."""
        if not receipt.amount:
            return {}
        network, payer = self.method.requirements.network, self.payment.config.payer
        return {OFFER_RECEIPT: self.method.offers.receipt(url, network, payer, receipt.time)}

    async def response_headers(
        self, charged: int, total: int, funded: FundedCall | None, extensions: Mapping[str, Any] | None = None
    ) -> Sequence[Header]:
        """Return what x402's clients count by: at least `charged`, and so much that their count reaches `total`.

        With a deposit that was spared, the true total stands beside it: the client's count is above that already, and
        stays as it is, with its balance.
        """
        counted = self.payment.counted
        if funded is not None:
            deposit, is_spared = funded.deposit, funded.is_spared
        else:
            deposit = await self.method.funding.deposit_made(self.payment)
            is_spared = self.payment.deposit is not None and deposit is None and counted > total
        response = self.method.requirements.payment_response(
            self.payment.config.payer,
            max(charged, total - counted),
            deposit.transaction if deposit else None,
            deposit.amount if deposit else None,
            total if is_spared else None,
            extensions,
        )
        return [(_RESPONSE, response)]

    async def refusal_headers(
        self, exchange: HttpExchange, order: CallOrder, refusal: PaymentRequired
    ) -> Sequence[Header]:
        """Return a fresh quote, and the channel's numbers where they help; another price than led to this voucher."""
        quotes = self.method.quotes
        if isinstance(refusal, VoucherPublished):
            quotes.step_aside(order.request_hash)
        quote = await self.method.quote(exchange, order, refusal, self.payment)
        if isinstance(refusal, VoucherTooLow):
            needed, offered = refusal.details["needed"], refusal.details["offered"]
            quotes.catch_up(order.request_hash, self.identity.account, int(needed or 0) - int(offered or 0))
        return [quote, _RETRY] if isinstance(refusal, VoucherTooLow | DepositNotNeeded) else [quote]


def _staker(payment: Payment) -> Address | None:
    """Return whose level counts: the payer's, if the payer's own key signs the vouchers.

    Anyone can open and fill a channel that names another account as its payer, and sign its vouchers with a key that
    is not the payer's.
    """
    config = payment.config
    return config.payer if config.payer == config.payer_authorizer else None
