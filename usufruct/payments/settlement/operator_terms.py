"""What a payer must know to open a channel to an operator, and to check the operator's receipts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from usufruct.accounts import KeyDomain
from usufruct.chain import TokenFacts
from usufruct.chain.escrow import COLLECTOR, SETTLEMENT
from usufruct.core import Address, ChainId, Invalid, PaymentRequired
from usufruct.payments.settlement.wire import token_document, token_of_document
from usufruct.web import read_document
from usufruct_client.wire import Terms


class DepositTooSmall(PaymentRequired):
    """A deposit below the operator's smallest."""

    code = "deposit_below_minimum"


class InvalidOffer(Invalid):
    """Terms that no payer should sign anything under."""

    code = "invalid_terms"


@dataclass(frozen=True, slots=True)
class Offer:
    """An operator's terms: `till` is receiver and receiver's authorizer of every channel, `receipts` signs receipts.

    `withdraw_delay` in seconds, `least_deposit` in atomic units of the token. `earlier_receipts` signed receipts before
    `receipts` did.
    """

    chain_id: ChainId
    till: Address
    token: TokenFacts
    withdraw_delay: int
    least_deposit: int
    receipts: Address
    earlier_receipts: tuple[Address, ...] = ()

    def check_deposit(self, amount: int) -> None:
        """Refuse a deposit that is not worth its gas.

        Raises:
            DepositTooSmall: names the least.
        """
        if amount < self.least_deposit:
            raise DepositTooSmall(
                f"a deposit must be at least {self.least_deposit} atomic units, not {amount}",
                field="deposit.amount",
                least=self.least_deposit,
            )

    def document(self) -> Terms:
        """Return it as `GET /v1/terms` answers; `read_offer` reads it."""
        return Terms(
            chain_id=self.chain_id,
            settlement=SETTLEMENT,
            collector=COLLECTOR,
            till=self.till,
            token=token_document(self.token),
            withdraw_delay=self.withdraw_delay,
            least_deposit=self.least_deposit,
            receipt_signer=self.receipts,
            earlier_receipt_signers=list(self.earlier_receipts),
            key_domain=KeyDomain(self.chain_id, self.till).document(),
        )


def read_offer(content: Mapping[str, Any]) -> Offer:
    """Read what `GET /v1/terms` answers; members that are not known here are left alone.

    Raises:
        InvalidOffer: when a member is missing or malformed, or when deposits would go through other contracts than
            x402's: a collector can take what was signed for.
    """
    terms = read_document(Terms, content, InvalidOffer)
    for name, found, expected in (
        ("settlement", terms.settlement, SETTLEMENT),
        ("collector", terms.collector, COLLECTOR),
    ):
        if found != expected:
            raise InvalidOffer(f"{name} is {found}, not x402's {expected}; do not deposit there", field=name)
    return Offer(
        chain_id=ChainId(terms.chain_id),
        till=terms.till,
        token=token_of_document(terms.token),
        withdraw_delay=terms.withdraw_delay,
        least_deposit=terms.least_deposit,
        receipts=terms.receipt_signer,
        earlier_receipts=tuple(terms.earlier_receipt_signers),
    )
