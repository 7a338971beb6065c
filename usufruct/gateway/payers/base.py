"""What a payment method is: it identifies the payer of a call, which prices and funds the call."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from usufruct.core import Address, Hash32, PaymentRequired, value
from usufruct.gateway.call_order import CallOrder, Price
from usufruct.gateway.model import ServedListing
from usufruct.gateway.operations.base import Budget
from usufruct.payments.ledger import BalanceTooLow, LimitReached, Reservation
from usufruct.payments.pricing import OverBudget, Receipt
from usufruct.payments.settlement import Deposited
from usufruct.web import Header, HttpExchange


@value
class PayerIdentity:
    """The payer.

    `name` is for log lines. `abuse_account` is what limits against abuse count by; another payer cannot act under it.
    `account` is the ledger account. `is_proven`: the credentials are the payer's, so stored answers may be given again.
    `key_scope`: within which of the account's calls an idempotency key is one; "": within all of them.
    `idempotency_key` came with the payment, or is "". `voucher`: the amount of the voucher that came, if one did.
    `staker` is the account whose staking level counts, if it has agreed to the payment; None where none counts.
    """

    name: str
    abuse_account: str
    account: Hash32
    is_proven: bool = True
    key_scope: str = ""
    idempotency_key: str = ""
    voucher: int | None = None
    staker: Address | None = None


@value
class FundedCall:
    """A call that its account can carry: what to ask the ledger for, and the deposit that was made for it.

    `is_spared`: a deposit came and was neither needed nor made.
    """

    reservation: Reservation
    deposit: Deposited | None = None
    is_spared: bool = False


@value
class Payer(ABC):
    """The payer of one call, and how it pays: by default from a balance, without headers of its own."""

    identity: PayerIdentity

    @abstractmethod
    def check_scope(self, listing: ServedListing) -> None:
        """Refuse a listing that the payer may not call, before its request is read further.

        Raises:
            AssetOutOfScope: names the listing.
        """

    @abstractmethod
    async def has_funds(self) -> bool:
        """Tell whether money is known to be here for the payer, without a look at the chain."""

    def price(self, order: CallOrder) -> Price:
        """Return what the call may use and cost.

        Raises:
            PaymentRequired: when the call cannot be paid, or does not fit the caller's own limit.
        """
        return Price(order.card, order.work.limits(order.card, order.budget), order.discount_bps)

    def lower_price(self, order: CallOrder, price: Price, refusal: PaymentRequired) -> Price:
        """Return a lower price than the one that was refused: less output, that fits what is left.

        Raises:
            PaymentRequired: the refusal, when the output may not be lowered or none fits.
        """
        if not isinstance(refusal, BalanceTooLow | LimitReached) or not order.work.is_reducible(order.budget):
            raise refusal
        ceiling, needed = price.allowance.ceiling, refusal.details["needed"]
        held = refusal.details.get("limit", refusal.details.get("balance"))
        left = Budget(max(0, ceiling - (int(needed or 0) - int(held or 0))), own_limit=True)
        try:
            lower = Price(order.card, order.work.limits(order.card, left), order.discount_bps)
        except OverBudget:
            raise refusal from None
        if lower.allowance.ceiling >= ceiling:  # it would be refused in the same way
            raise refusal
        return lower

    @abstractmethod
    async def fund_call(self, order: CallOrder, price: Price, call: Hash32) -> FundedCall:
        """Fund the call; only x402 moves money here: it submits the deposit that came, and awaits it.

        Raises:
            PaymentRequired: when the payment does not carry the call.
        """

    def delivery_extensions(self, url: str, receipt: Receipt) -> Mapping[str, Any]:
        """Return the payment standard's extensions, by name, of an answer from `url` that was delivered whole."""
        return {}

    async def response_headers(
        self, charged: int, total: int, funded: FundedCall | None, extensions: Mapping[str, Any] | None = None
    ) -> Sequence[Header]:
        """Return an answer's headers about its charge, beside the receipt's; `extensions` go with them.

        `total` is what the account is charged and has reserved in all, with this call; `funded` is None for an answer
        that is given again.
        """
        return ()

    async def refusal_headers(
        self, exchange: HttpExchange, order: CallOrder, refusal: PaymentRequired
    ) -> Sequence[Header]:
        """Return a refusal's headers, by which the payer learns how to pay."""
        return ()
