"""Who is paid how much of one whole coin that callers pay for a service, as the shares contract divides it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from usufruct.assets import Holding
from usufruct.core import Address

MOST_FEE_BPS = 1_000
"""Shares credit no more as the protocol fee, whatever the registry says."""

MOST_SHOWN = 5
"""Owners that are named; the others are one part together."""

_WHOLE_BPS = 10_000


class Role(StrEnum):
    """Why a part is paid."""

    OWNER = "owner"
    OTHER_OWNERS = "other_owners"
    ROYALTY = "royalty"
    FEE = "fee"
    PAYEE = "payee"


@dataclass(frozen=True, slots=True)
class Royalty:
    """What a parent asset's shares get of the gross income; `name`: what the parent calls itself, or is sold as."""

    shares: Address
    bps: int
    name: str = ""
    is_sold: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """What one payee, or `count` of them together, gets of a coin, in atomic units.

    `share`: an owner's part of all revenue shares, 0 to 1. `is_sold`: `name` is a service on sale here.
    """

    role: Role
    amount: int
    address: Address | None = None
    count: int = 1
    share: float = 0.0
    name: str = ""
    is_sold: bool = False


@dataclass(frozen=True, slots=True)
class PayeeSplit:
    """The parts of `whole` atomic units, owners first, those with most shares before others."""

    whole: int
    parts: tuple[Part, ...]

    def paid(self, *roles: Role) -> int:
        """Return what payees of some roles get together."""
        return sum(part.amount for part in self.parts if part.role in roles)

    @property
    def owners(self) -> int:
        """How many hold shares."""
        return sum(part.count for part in self.parts if part.role in (Role.OWNER, Role.OTHER_OWNERS))


def plain_split(whole: int, payee: Address) -> PayeeSplit:
    """Return the split of a service without shares: all of it is one address's."""
    return PayeeSplit(whole, (Part(Role.PAYEE, whole, payee),))


def split_down(whole: int, fee_bps: int, royalties: Sequence[Royalty], holdings: Sequence[Holding]) -> PayeeSplit:
    """Divide `whole` units of gross income; every part is rounded down, so fewer units than parts are left over.

    The fee and the royalties are of the whole; the rest is the owners', by their shares. `holdings`: most first.
    """
    fee = whole * min(fee_bps, MOST_FEE_BPS) // _WHOLE_BPS
    rest = whole - fee - whole * sum(each.bps for each in royalties) // _WHOLE_BPS
    supply = sum(each.amount for each in holdings)
    parts = [
        Part(Role.OWNER, rest * each.amount // supply, each.holder, share=each.amount / supply)
        for each in holdings[:MOST_SHOWN]
    ]
    if others := holdings[MOST_SHOWN:]:
        held = sum(each.amount for each in others)
        parts.append(Part(Role.OTHER_OWNERS, rest * held // supply, count=len(others), share=held / supply))
    for each in royalties:
        amount = whole * each.bps // _WHOLE_BPS
        parts.append(Part(Role.ROYALTY, amount, each.shares, name=each.name, is_sold=each.is_sold))
    if fee:
        parts.append(Part(Role.FEE, fee))
    return PayeeSplit(whole, tuple(parts))
