"""A deal as an accountant would keep it: a list of payments, and fractions that are rounded once, at the end."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import floor

from usufruct.core import Address


@dataclass(frozen=True)
class Paid:
    """A payment: of an account, into a window."""

    account: Address
    window: int
    amount: int


@dataclass(frozen=True)
class SlowDeal:
    """Windows are filled one after the other, the highest number first, each shared by all who paid into it."""

    for_sale: int
    hard_cap: int
    soft_cap: int
    payments: Sequence[Paid]

    def result_of(self, account: Address) -> tuple[int, int]:
        """Return the tokens and the refund of an account."""
        own = sum(each.amount for each in self.payments if each.account == account)
        if sum(each.amount for each in self.payments) < self.soft_cap:
            return 0, own
        room, bought = Fraction(self.hard_cap), Fraction(0)
        for window in range(10, -1, -1):
            inside = [each for each in self.payments if each.window == window]
            paid = sum(each.amount for each in inside)
            taken = min(Fraction(paid), room)
            room -= taken
            bought += sum(each.amount * taken / paid for each in inside if each.account == account)
        return floor(bought * self.for_sale / self.hard_cap), floor(own - bought)
