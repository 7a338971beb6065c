"""What a lock made now would get if weeks go on as the last ones, and no other lock changes."""

import asyncio
from dataclasses import dataclass

from usufruct.staking.errors import InvalidStake
from usufruct.staking.lock_model import MOST_WEEKS, Lock, income_down, score_down
from usufruct.staking.revenue_weeks import RevenueWeeks, WeeklyRevenue, weekly_revenue
from usufruct.staking.stakes import Stakes


@dataclass(frozen=True, slots=True)
class Projection:
    """A lock that is not made: its end, Unix seconds, and its score in its first week, the next one.

    `income` of that week and `whole_income` of all its weeks are atomic units of the revenue token, rounded down; None
    before any week was divided. `mean`: the revenue that they were calculated with. `part`: of the total score.
    """

    ends_at: int
    score: int
    part: float
    income: int | None
    whole_income: int | None
    mean: WeeklyRevenue | None


async def project(stakes: Stakes, weeks: RevenueWeeks, amount: int, length: int) -> Projection:
    """Return what a lock of `amount` atomic units for `length` weeks would be and get.

    Raises:
        InvalidStake: for a length of no lock.
        RpcUnavailable: when the node does not answer.
    """
    if not 1 <= length <= MOST_WEEKS:
        raise InvalidStake(f"`weeks` is {length}; name 1 to {MOST_WEEKS}", field="weeks")
    terms, ends_at = await asyncio.gather(stakes.terms(), stakes.escrow.end_after(length))
    await weeks.poll()
    mean = weekly_revenue((await weeks.page())[0])
    first = terms.week + 1
    lock = Lock(amount, first + length)
    weight, others = lock.weight_at(first), terms.next_weight
    part = weight / max(weight + others, 1)
    income = whole = None
    if mean is not None:
        income, whole = (income_down(lock, first, each, mean.amount, others) for each in (1, length))
    return Projection(ends_at, score_down(weight), part, income, whole, mean)
