"""What a payment method is: it identifies the payer, which prices and funds the call."""

from collections.abc import Sequence
from typing import Protocol

from usufruct.core import Hash32, PaymentRequired, value
from usufruct.gateway.budget import Budget
from usufruct.gateway.model import ServedListing
from usufruct.gateway.order import Order, Price
from usufruct.payments.ledger import BalanceTooLow, LimitReached, Reservation
from usufruct.payments.pricing import OverBudget
from usufruct.payments.settlement import Deposited
from usufruct.web import Exchange, Header


@value
class PayerIdentity:
    """The payer.

    `name` is for log lines. `abuse_account` is what limits against abuse count by; another payer cannot act under it.
    `account` is the ledger account. `is_proven`: the credentials are the payer's, so stored answers may be given again.
    `key_scope`: within which of the account's calls an idempotency key is one; "": within all of them.
    `idempotency_key` came with the payment, or is "". `voucher`: the amount of the voucher that came, if one did.
    """

    name: str
    abuse_account: str
    account: Hash32
    is_proven: bool = True
    key_scope: str = ""
    idempotency_key: str = ""
    voucher: int | None = None


@value
class FundedCall:
    """A call that its account can carry: what to ask the ledger for, and the deposit that was made for it.

    `is_spared`: a deposit came and was neither needed nor made.
    """

    reservation: Reservation
    deposit: Deposited | None = None
    is_spared: bool = False


@value
class Refused:
    """A price that the account could not carry, and the refusal."""

    price: Price
    refusal: PaymentRequired


class Payer(Protocol):
    """The payer of one call, and how it pays."""

    @property
    def identity(self) -> PayerIdentity:
        """Who it is."""

    def check_scope(self, listing: ServedListing) -> None:
        """Refuse a listing that the payer may not call, before its request is read further.

        Raises:
            AssetOutOfScope: names the listing.
        """

    async def has_funds(self) -> bool:
        """Tell whether money is known to be here for the payer, without a look at the chain."""

    def price(self, order: Order, refused: Refused | None = None) -> Price:
        """Return what the call may use and cost; after a refusal, less output that fits what is left.

        Raises:
            PaymentRequired: when the call cannot be paid, or the refusal when no lower price fits either.
        """

    async def fund_call(self, order: Order, price: Price, call: Hash32) -> FundedCall:
        """Fund the call; only x402 moves money here: it submits the deposit that came, and awaits it.

        Raises:
            PaymentRequired: when the payment does not carry the call.
        """

    async def response_headers(self, charged: int, total: int, funded: FundedCall | None) -> Sequence[Header]:
        """Return an answer's headers about its charge.

        `total` is what the account is charged and has reserved in all, with this call; `funded` is None for an answer
        that is given again.
        """

    async def refusal_headers(self, exchange: Exchange, order: Order, refusal: PaymentRequired) -> Sequence[Header]:
        """Return a refusal's headers, by which the payer learns how to pay."""


class PaymentMethod(Protocol):
    """One way to pay."""

    async def authenticate(self, exchange: Exchange) -> Payer | None:
        """Return the payer; None for a request that does not pay in this way.

        Raises:
            UsufructError: when it does, and its credentials are wrong.
        """


def price_by_balance(order: Order, refused: Refused | None) -> Price:
    """Price a call that a balance pays for; after a refusal, fit its output into what is left.

    Raises:
        OverBudget: when the call does not fit the caller's own limit.
        PaymentRequired: the refusal, when the output may not be lowered or does not fit.
    """
    if refused is None:
        return Price(order.card, order.work.limits(order.card, order.budget))
    refusal, ceiling = refused.refusal, refused.price.allowance.ceiling
    if not isinstance(refusal, BalanceTooLow | LimitReached) or not order.work.is_reducible(order.budget):
        raise refusal
    needed, held = refusal.details["needed"], refusal.details.get("limit", refusal.details.get("balance"))
    left = Budget(max(0, ceiling - (int(needed or 0) - int(held or 0))), own_limit=True)
    try:
        lower = Price(order.card, order.work.limits(order.card, left))
    except OverBudget:
        raise refusal from None
    if lower.allowance.ceiling >= ceiling:  # it would be refused in the same way
        raise refusal
    return lower
