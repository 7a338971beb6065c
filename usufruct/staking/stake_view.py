"""What the page of locks shows: the escrow, the reader's lock, and the last weeks; read within one limit of time."""

from collections.abc import Sequence
from dataclasses import dataclass

from usufruct.core import Address, Unavailable
from usufruct.staking.level_model import LevelTerms
from usufruct.staking.levels import AccountLevel, StakingLevels
from usufruct.staking.lock_model import MOST_WEEKS, WEEK_SECONDS
from usufruct.staking.node_limit import NodeLimit
from usufruct.staking.revenue_weeks import RevenueWeek, RevenueWeeks, WeeklyRevenue, weekly_revenue
from usufruct.staking.stake_requests import StakeRequests
from usufruct.staking.stakes import EscrowTerms, Stake

_MOST_BARS = 12


@dataclass(frozen=True, slots=True)
class OnChain:
    """What the node answered: the escrow, when a lock of 52 weeks ends, and of the reader the lock, mark and level.

    `reinvests`: whether the reader's revenue can be added to the lock here. `levels`: 1 to 10, none where the
    installation has none.
    """

    terms: EscrowTerms
    longest_end: int
    stake: Stake | None = None
    seen: str = ""
    level: AccountLevel | None = None
    reinvests: bool = False
    levels: Sequence[LevelTerms] = ()

    @property
    def next_week(self) -> int:
        """When changes of now count, Unix seconds."""
        return self.terms.week_ends


@dataclass(frozen=True, slots=True)
class StakeView:
    """What is shown; `chain` is None while the node does not answer. `weeks`: the newest first."""

    chain: OnChain | None
    weeks: Sequence[RevenueWeek]

    @property
    def mean(self) -> WeeklyRevenue | None:
        """The mean revenue of the last weeks."""
        return weekly_revenue(self.weeks)

    @property
    def bars(self) -> list[tuple[int, int]]:
        """The start of each of the last weeks, Unix seconds, and what was paid in it: up to the last that was divided.

        Empty until one was.
        """
        mean = self.mean
        if mean is None:
            return []
        paid = {each.week: each.paid for each in self.weeks if each.total_weight is not None}
        end = mean.until // WEEK_SECONDS
        return [(week * WEEK_SECONDS, paid.get(week, 0)) for week in range(max(end - _MOST_BARS, min(paid)), end)]


class StakeViews:
    """Reads the view."""

    def __init__(
        self, requests: StakeRequests, weeks: RevenueWeeks, levels: StakingLevels | None, node: NodeLimit
    ) -> None:
        """`levels`: where the installation has them. The node is waited for as long as `node` says."""
        self.requests = requests
        self.weeks = weeks
        self.node = node
        self._levels = levels

    async def read(self, account: Address | None) -> StakeView:
        """Return what a reader sees; without the node, what is known from before."""
        try:
            async with self.node.limit():
                chain = await self._read(account)
                await self.weeks.poll()
        except Unavailable:
            chain = None
        return StakeView(chain, (await self.weeks.page())[0])

    async def _read(self, account: Address | None) -> OnChain:
        stakes = self.requests.stakes
        terms, end = await stakes.terms(), await stakes.escrow.end_after(MOST_WEEKS)
        levels = await self._levels.all() if self._levels else ()
        if account is None:
            return OnChain(terms, end, levels=levels)
        stake = await stakes.of(account)
        level = await self._levels.of(account) if self._levels else None
        reinvests = bool(stake.revenue and stake.lock.amount) and await stakes.reinvestments.offered()
        return OnChain(terms, end, stake, await self.requests.seen(stake), level, reinvests, levels)
