"""How far the shares of an asset are in few hands."""

from collections.abc import Sequence
from dataclasses import dataclass

_MANY = 10


@dataclass(frozen=True, slots=True)
class Concentration:
    """`largest`, `ten_largest`: what the largest holder and the ten largest have, as parts of all shares.

    `herfindahl`: the sum of the squared parts, from 1 / holders, where all have as much, to 1, where one has all
    (Herfindahl and Hirschman).
    """

    holders: int
    largest: float
    ten_largest: float
    herfindahl: float


def concentration(amounts: Sequence[int]) -> Concentration | None:
    """Return it for what holders have, in any unit; None where no one has anything. Amounts of 0 do not count."""
    held = sorted((each for each in amounts if each > 0), reverse=True)
    if not held:
        return None
    total = sum(held)
    squares = sum(each * each for each in held)
    return Concentration(len(held), held[0] / total, sum(held[:_MANY]) / total, squares / (total * total))
