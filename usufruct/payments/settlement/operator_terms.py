"""An operator's terms: which channels calls are taken on, what a payer must know to open one and to check receipts."""

from collections.abc import Iterable
from dataclasses import dataclass

from usufruct.accounts import KeyDomain
from usufruct.chain import TokenFacts
from usufruct.chain.escrow import COLLECTOR, SETTLEMENT
from usufruct.core import ZERO_ADDRESS, Address, ChainId, PaymentRequired, format_units
from usufruct.payments.pricing import ChannelConfig
from usufruct_client.wire import Terms, Token

LEAST_WITHDRAW_DELAY = 86_400
"""A day, in seconds: time enough to claim what was charged before the payer's money leaves."""


class ChannelRefused(PaymentRequired, code="channel_refused"):
    """A channel that does not meet the operator's terms; names the field."""


@dataclass(frozen=True, slots=True)
class ChannelTerms:
    """`till` must be receiver and receiver's authorizer; `tokens` are the listed ones."""

    till: Address
    tokens: frozenset[Address]

    def check(self, config: ChannelConfig) -> None:
        """Accept a configuration, or say what is wrong with it.

        Raises:
            ChannelRefused: for another receiver, an unlisted token, a short delay, or uncheckable vouchers.
        """
        for field, found, expected in (
            ("receiver", config.receiver, self.till),
            ("receiverAuthorizer", config.receiver_authorizer, self.till),
        ):
            if found != expected:
                raise ChannelRefused(f"{field} must be {expected}, not {found}", field=field, expected=expected)
        if config.token not in self.tokens:
            listed = ", ".join(sorted(self.tokens))
            raise ChannelRefused(f"token {config.token} is not taken here; use one of {listed}", field="token")
        if config.withdraw_delay < LEAST_WITHDRAW_DELAY:
            raise ChannelRefused(
                f"withdrawDelay must be at least {LEAST_WITHDRAW_DELAY} seconds, not {config.withdraw_delay}",
                field="withdrawDelay",
                expected=LEAST_WITHDRAW_DELAY,
            )
        if config.payer_authorizer == ZERO_ADDRESS:
            raise ChannelRefused("payerAuthorizer must be a key that signs, not zero", field="payerAuthorizer")


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
