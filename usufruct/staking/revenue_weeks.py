"""What each week brought the stakers, by the events of the VoteEscrow: revenue that was divided or carried."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from usufruct.chain import ChainAccess, Log
from usufruct.chain.contracts.vote_escrow import RevenueBooked, VoteEscrow, WeekSpread
from usufruct.core import Address, divide_down
from usufruct.staking.errors import InvalidStake
from usufruct.staking.lock_model import WEEK_SECONDS, score_down
from usufruct.staking.week_store import (
    WeekEvent,
    forget_weeks_after,
    last_week_event,
    put_week_event,
    weeks_before,
)
from usufruct.store import Unit

PAGE = 52
"""Weeks of a page of the list: a year."""

MEAN_WEEKS = 4
"""Weeks that the mean revenue is of."""

_MOST_DIGITS = 12


@dataclass(frozen=True, slots=True)
class RevenueWeek:
    """A week that had revenue; amounts are atomic units.

    `booked`: what came in for it; `paid`: what its stakers got, and `penalties` of early exits, in the platform token;
    `carried`: what was left for later weeks, rounding included; while the week is not divided, all that waits for it.
    `total_weight`: of all locks at its start, None while it is not divided.
    """

    week: int
    booked: int
    paid: int
    penalties: int
    carried: int
    total_weight: int | None

    @property
    def starts_at(self) -> int:
        """When it begins, Unix seconds."""
        return self.week * WEEK_SECONDS

    @property
    def total_score(self) -> int | None:
        """The Staking Score of all locks; None while the week is not divided."""
        return None if self.total_weight is None else score_down(self.total_weight)

    def paid_down(self, score: int) -> int | None:
        """Return what so much score got, atomic units of both; None while the week is not divided."""
        return divide_down(self.paid * score, self.total_score) if self.total_score else None


@dataclass(frozen=True, slots=True)
class WeeklyRevenue:
    """The mean revenue of `weeks` weeks, the last of which ended at `until`, Unix seconds; rounded down."""

    amount: int
    weeks: int
    until: int


class EscrowLogs:
    """`LogHandler` of one escrow."""

    TOPICS = (RevenueBooked.TOPIC, WeekSpread.TOPIC)

    def __init__(self, escrow: Address) -> None:
        self._escrow = escrow

    async def accepts(self, unit: Unit, log: Log) -> bool:
        """Tell whether the log is the escrow's."""
        return log.address == self._escrow

    async def apply(self, unit: Unit, log: Log) -> None:
        """Take in revenue that was booked, or a week that was divided."""
        known = await last_week_event(unit) or WeekEvent(0, 0, 0)
        if log.topics[0] == RevenueBooked.TOPIC:
            booked = RevenueBooked.decode(log)
            event = known.next(log.block_number, log.index, booked.week)
            event = replace(event, booked=event.booked + booked.amount, waiting=event.waiting + booked.amount)
        else:
            spread = WeekSpread.decode(log)
            event = known.next(log.block_number, log.index, spread.week)
            left = event.waiting - spread.revenue
            event = replace(
                event, divided=spread.revenue, penalties=spread.penalties, waiting=left, weight=spread.weight
            )
        await put_week_event(unit, event)

    async def rollback(self, unit: Unit, block: int) -> None:
        """Undo what happened in blocks after `block`."""
        await forget_weeks_after(unit, block)


class RevenueWeeks:
    """Keeps the table of weeks as the chain has it; several processes may."""

    def __init__(self, chain: ChainAccess) -> None:
        """Follow the escrow of the installation.

        Raises:
            NotDeployed: when it has none.
        """
        self._database = chain.database
        escrow = chain.deployments.address(VoteEscrow)
        first_block = chain.deployments.first_block(VoteEscrow)
        self.logs = chain.log_reader("staking", EscrowLogs(escrow), [escrow], EscrowLogs.TOPICS, first_block)

    async def poll(self) -> None:
        """Take in what happened since the last time.

        Raises:
            RpcUnavailable: when the node does not answer; nothing is lost.
            Faulty: when the chain is another one than the stream was read from.
        """
        await self.logs.catch_up()

    async def page(self, after: str = "", limit: int = PAGE) -> tuple[list[RevenueWeek], str | None]:
        """Return weeks as far as the logs were read, the newest first, and where the next page begins.

        Raises:
            Invalid: for an `after` that no page has named.
        """
        async with self._database.snapshot() as unit:
            found = await weeks_before(unit, _read_cursor(after) if after else None, limit + 1)
        weeks = [_week(each) for each in found[:limit]]
        return weeks, str(weeks[-1].week) if len(found) > limit else None


def weekly_revenue(weeks: Sequence[RevenueWeek], most: int = MEAN_WEEKS) -> WeeklyRevenue | None:
    """Return the mean of what was paid in the last `most` weeks up to the last that was divided; None before the first.

    `weeks`: the newest first; those without revenue, which are not listed, count as 0, but none before the first.
    """
    divided = {each.week: each.paid for each in weeks if each.total_weight is not None}
    if not divided:
        return None
    last = max(divided)
    counted = range(max(min(divided), last + 1 - most), last + 1)
    total = sum(divided.get(week, 0) for week in counted)
    return WeeklyRevenue(divide_down(total, len(counted)), len(counted), (last + 1) * WEEK_SECONDS)


def _week(event: WeekEvent) -> RevenueWeek:
    return RevenueWeek(event.week, event.booked, event.divided, event.penalties, event.waiting, event.weight)


def _read_cursor(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        message = f"after is {text[:60]!r}; leave it out, or take `next` of a page"
        raise InvalidStake(message, field="after")
    return int(text)
