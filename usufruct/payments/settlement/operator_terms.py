"""What a payer must know to open a channel to an operator, and to check the operator's receipts."""

from collections.abc import Iterable

from usufruct.accounts import KeyDomain
from usufruct.chain import TokenFacts
from usufruct.chain.escrow import COLLECTOR, SETTLEMENT
from usufruct.core import Address, ChainId, PaymentRequired, format_units
from usufruct.payments.settlement.channel_policy import LEAST_WITHDRAW_DELAY
from usufruct_client.wire import Terms, Token


def operator_terms(
    chain_id: ChainId,
    till: Address,
    token: TokenFacts,
    least_deposit: int,
    receipts: Address,
    earlier_receipts: Iterable[Address] = (),
) -> Terms:
    """Return an operator's terms: `till` is receiver and receiver's authorizer of every channel.

    `least_deposit` is in atomic units of the token; `receipts` signs receipts, and `earlier_receipts` did before.
    """
    return Terms(
        chain_id=chain_id,
        settlement=SETTLEMENT,
        collector=COLLECTOR,
        till=till,
        token=Token(token.address, token.name, token.symbol, token.decimals, token.version or ""),
        withdraw_delay=LEAST_WITHDRAW_DELAY,
        least_deposit=least_deposit,
        receipt_signer=receipts,
        earlier_receipt_signers=sorted(earlier_receipts),
        key_domain=KeyDomain(chain_id, till).document(),
    )


def check_deposit_amount(terms: Terms, amount: int) -> None:
    """Refuse a deposit that is not worth its gas.

    Raises:
        PaymentRequired: names the least.
    """
    if amount < terms.least_deposit:
        least, given = (format_units(each, terms.token.decimals) for each in (terms.least_deposit, amount))
        raise PaymentRequired(
            f"a deposit must be at least {least} {terms.token.symbol}, not {given}",
            code="deposit_below_minimum",
            field="deposit.amount",
            least=terms.least_deposit,
        )
