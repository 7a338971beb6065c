"""What a payer must know to open a channel to an operator, and to check the operator's receipts."""

from dataclasses import dataclass

from usufruct.accounts import KeyDomain
from usufruct.chain import TokenFacts
from usufruct.chain.escrow import COLLECTOR, SETTLEMENT
from usufruct.core import Address, ChainId, PaymentRequired, format_units
from usufruct.payments.settlement.wire import token_document
from usufruct_client.wire import Terms


class DepositTooSmall(PaymentRequired):
    """A deposit below the operator's smallest."""

    code = "deposit_below_minimum"


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
            least, given = (format_units(each, self.token.decimals) for each in (self.least_deposit, amount))
            raise DepositTooSmall(
                f"a deposit must be at least {least} {self.token.symbol}, not {given}",
                field="deposit.amount",
                least=self.least_deposit,
            )

    def document(self) -> Terms:
        """Return it as `GET /v1/terms` answers."""
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
