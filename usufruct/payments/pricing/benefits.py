"""What a payer's staking level brings in payments, as packages above know it."""

from collections.abc import Sequence
from typing import Protocol

from usufruct.core import Address, value
from usufruct.core.price_cards import WHOLE_BPS


@value
class Benefits:
    """What a staking level, 0 to 10, brings: so much off prices, and its part of the usual quota.

    Both are in hundredths of a per cent.
    """

    level: int = 0
    discount_bps: int = 0
    quota_bps: int = WHOLE_BPS


NO_BENEFITS = Benefits()
"""What level 0 brings."""


class PayerBenefits(Protocol):
    """Knows what the staking levels of payers bring."""

    @property
    def discounts(self) -> Sequence[int]:
        """What the levels 1 to 10 take off prices, hundredths of a per cent; empty where no levels are known."""

    async def of(self, payer: Address, *, funded: bool = True) -> Benefits:
        """Return what a payer's level brings; at once, or after a short and bounded look at the chain.

        `funded`: the payer has money here. Looks for others have a limit of their own.
        """


class NoLevels:
    """The answers of an installation that has no levels."""

    discounts: Sequence[int] = ()

    async def of(self, payer: Address, *, funded: bool = True) -> Benefits:
        """Return what level 0 brings."""
        return NO_BENEFITS
