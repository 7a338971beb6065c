"""The operator's side of every payment: addresses, token and receipt key."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from usufruct.core import Address, format_units
from usufruct.payments.pricing import DigestSigner, Escrow
from usufruct.payments.settlement import LEAST_WITHDRAW_DELAY

SignedBefore = Callable[[Address], Awaitable[bool]]
"""Tells whether an address is one that signed the operator's receipts before its key was changed."""


async def _never(_: Address) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Operator:
    """The payee of all channels, and the token.

    `till` receives and authorizes for every channel; `token` has `decimals` and is shown as `symbol`; `receipts` signs
    receipts, and `signed_before` knows the keys that did before it; `earlier_signers` are those of them known at start.
    """

    escrow: Escrow
    till: Address
    token: Address
    receipts: DigestSigner
    decimals: int = 6
    symbol: str = "USD"
    withdraw_delay: int = LEAST_WITHDRAW_DELAY
    signed_before: SignedBefore = _never
    earlier_signers: Sequence[Address] = ()

    def shown(self, amount: int) -> str:
        """Write atomic units as whole ones: "0.000123"."""
        return format_units(amount, self.decimals)
