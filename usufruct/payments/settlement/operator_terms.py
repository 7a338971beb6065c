"""What a payer must know to open a channel to an operator, and to check the operator's receipts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from usufruct.accounts import KeyDomain
from usufruct.chain import COLLECTOR, SETTLEMENT, TokenFacts
from usufruct.core import UINT128_MAX, Address, ChainId, Invalid, PaymentRequired, address
from usufruct.payments.settlement.wire import read_token_json, token_json
from usufruct.web import Members


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

    def as_json(self) -> dict[str, object]:
        """Return it as `GET /v1/terms` answers; `read_offer` reads it."""
        return {
            "chainId": str(self.chain_id),
            "settlement": SETTLEMENT,
            "collector": COLLECTOR,
            "till": self.till,
            "token": token_json(self.token),
            "withdrawDelay": self.withdraw_delay,
            "leastDeposit": str(self.least_deposit),
            "receiptSigner": self.receipts,
            "earlierReceiptSigners": list(self.earlier_receipts),
            "keyDomain": KeyDomain(self.chain_id, self.till).as_json(),
        }


def read_offer(content: Mapping[str, Any]) -> Offer:
    """Read what `Offer.as_json` writes; members that are not known here are left alone.

    Raises:
        InvalidOffer: when a member is missing or malformed, or when deposits would go through other contracts than
            x402's: whoever is named as collector can take what was signed for.
    """
    members = Members(content, InvalidOffer)
    for name, expected in (("settlement", SETTLEMENT), ("collector", COLLECTOR)):
        if members.address(name) != expected:
            raise InvalidOffer(
                f"{name} is {members.address(name)}, not x402's {expected}; do not deposit there", field=name
            )
    return Offer(
        chain_id=ChainId(members.amount("chainId", (1 << 64) - 1)),
        till=members.address("till"),
        token=read_token_json(members.inner("token")),
        withdraw_delay=members.integer("withdrawDelay", (1 << 40) - 1),
        least_deposit=members.amount("leastDeposit", UINT128_MAX),
        receipts=members.address("receiptSigner"),
        earlier_receipts=tuple(
            address(each, "earlierReceiptSigners") for each in members.texts("earlierReceiptSigners")
        ),
    )
