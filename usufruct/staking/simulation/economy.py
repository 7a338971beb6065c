"""Many actors in one token economy, week by week.

Money is exact: tokens and revenue move between places that are counted in atomic units, and the escrow is the
contract's accounting. What people decide is drawn from one seeded generator.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random

from usufruct.staking.lock_model import MOST_WEEKS
from usufruct.staking.simulation.assumptions import DECIMALS, REVENUE_DECIMALS, Assumptions
from usufruct.staking.simulation.escrow import Escrow, Position

FIRST_WEEK = 2_900
"""Weeks count from the Unix epoch; which one a run begins with makes no difference."""

_DURATIONS = (4, 13, 26, 52)
_DURATION_WEIGHTS = (3, 3, 2, 2)
_EXTEND_CHANCE = 0.1
_UNIT = 10**DECIMALS


@dataclass(slots=True)
class Actor:
    """One account: what its airdrop entry pays, and its habits."""

    entry: int
    weeks: int
    renews: bool
    reinvests: bool
    position: Position = field(default_factory=Position)


@dataclass(slots=True)
class Tokens:
    """Where the platform tokens are, in atomic units."""

    reserve: int
    treasury: int
    escrow: int = 0
    sold: int = 0
    """Outside the escrow, in the hands of people who do not stake."""

    @property
    def total(self) -> int:
        """All tokens; a run never changes it."""
        return self.reserve + self.treasury + self.escrow + self.sold


@dataclass(slots=True)
class Revenue:
    """What came in for stakers and what they took, in atomic units of the revenue token."""

    received: int = 0
    paid: int = 0

    @property
    def held(self) -> int:
        """What the escrow holds."""
        return self.received - self.paid


class Economy:
    """The state of a run. `step` lives through one week.

    The observer is one more staker: from the first week on it has a 10,000th of the supply in a lock that renews itself
    at 52 weeks, and never does anything. Its part of the total is what dilution is measured by.
    """

    def __init__(self, assumptions: Assumptions) -> None:
        """Draw the actors and plan their first visits."""
        self.assumptions = assumptions
        self._random = Random(assumptions.seed)
        supply = assumptions.supply * _UNIT
        reserve = supply * assumptions.airdrop_percent // 100
        stake = supply // 10_000
        self.tokens = Tokens(reserve - stake, supply - reserve, escrow=stake)
        self.revenue = Revenue()
        self.escrow = Escrow(FIRST_WEEK, assumptions.score_floor * _UNIT, assumptions.exit_penalty_bps)
        self.observer = Position()
        self.escrow.lock(self.observer, stake, MOST_WEEKS)
        self.escrow.start_renewal(self.observer)
        self._treasury_part = -(-self.tokens.treasury // assumptions.treasury_weeks)
        self._visits: defaultdict[int, list[tuple[Actor, Callable[[Actor], None]]]] = defaultdict(list)
        self.visits = 0
        self.actors = list(self._draw_actors(self.tokens.reserve))
        for actor in self.actors:
            self._plan(actor, self._claim_entry, assumptions.claim_weeks)

    @property
    def week(self) -> int:
        """Weeks that are over."""
        return self.escrow.week - FIRST_WEEK

    @property
    def positions(self) -> Iterator[Position]:
        """All positions, the observer's too."""
        yield self.observer
        for actor in self.actors:
            yield actor.position

    def step(self) -> int:
        """Live through a week; return the revenue that it divided among stakers."""
        came_in = self._revenue_of_week()
        self.revenue.received += came_in
        self.escrow.notify(came_in)
        part = min(self._treasury_part, self.tokens.treasury)
        self.tokens.treasury -= part
        self.tokens.sold += part
        for actor, act in self._visits.pop(self.week, ()):
            act(actor)
        return self.escrow.advance()

    # -- people --------------------------------------------------------------------------------------------------------

    def _draw_actors(self, reserve: int) -> Iterator[Actor]:
        """Divide the reserve by log-normal weights; the last entry gets the rest of the rounding."""
        given, draw = self.assumptions, self._random
        sizes = [draw.lognormvariate(0, given.inequality) for _ in range(given.actors)]
        whole, left = sum(sizes), reserve
        for at, size in enumerate(sizes, 1):
            entry = left if at == given.actors else min(int(reserve * (size / whole)), left)
            left -= entry
            (weeks,) = draw.choices(_DURATIONS, _DURATION_WEIGHTS)
            yield Actor(entry, weeks, self._chance(given.renew_percent), self._chance(given.reinvest_percent))

    def _claim_entry(self, actor: Actor) -> None:
        self.tokens.reserve -= actor.entry
        if actor.entry and self._chance(self.assumptions.lock_percent):
            self._lock(actor, actor.entry)
        else:
            self.tokens.sold += actor.entry
            self._plan(actor, self._come_back, self.assumptions.return_weeks)

    def _come_back(self, actor: Actor) -> None:
        """Buy tokens and lock them."""
        if amount := min(actor.entry, self.tokens.sold):
            self._buy_and_lock(actor, amount)

    def _visit(self, actor: Actor) -> None:
        """Collect what is due, then decide about the lock."""
        self.visits += 1
        self._collect(actor)
        position, escrow = actor.position, self.escrow
        if not position.lock.weight_at(escrow.week):
            amount = self._pay_out(escrow.withdraw(position))
            if self._chance(self.assumptions.relock_percent):
                self._buy_and_lock(actor, amount)
            else:
                self._plan(actor, self._come_back, self.assumptions.return_weeks)
            return
        if escrow.exit_penalty_bps and self._chance(self.assumptions.exit_percent):
            self._pay_out(escrow.exit_early(position))
            self._plan(actor, self._come_back, self.assumptions.return_weeks)
            return
        if escrow.weeks_left(position) < actor.weeks and self._random.random() < _EXTEND_CHANCE:
            escrow.extend(position, actor.weeks)
        self._plan(actor, self._visit, self.assumptions.visit_weeks)

    def _lock(self, actor: Actor, amount: int) -> None:
        self.tokens.escrow += amount
        self.escrow.lock(actor.position, amount, actor.weeks)
        if actor.renews:
            self.escrow.start_renewal(actor.position)
        self._plan(actor, self._visit, self.assumptions.visit_weeks)

    def _buy_and_lock(self, actor: Actor, amount: int) -> None:
        self.tokens.sold -= amount
        self._lock(actor, amount)

    def _pay_out(self, amount: int) -> int:
        self.tokens.escrow -= amount
        self.tokens.sold += amount
        return amount

    def _collect(self, actor: Actor) -> None:
        """Collect revenue and penalties; one who reinvests buys tokens with it, and adds both to the lock."""
        paid = self.escrow.claim(actor.position)
        penalties = self._pay_out(self.escrow.claim_penalties(actor.position))
        self.revenue.paid += paid
        if not actor.reinvests or not self.escrow.weeks_left(actor.position):
            return
        bought = int(paid * 10 ** (DECIMALS - REVENUE_DECIMALS) / self.assumptions.price)
        amount = min(bought + penalties, self.tokens.sold)
        if amount:
            self.tokens.sold -= amount
            self.tokens.escrow += amount
            self.escrow.increase(actor.position, amount)

    # -- chance --------------------------------------------------------------------------------------------------------

    def _revenue_of_week(self) -> int:
        given = self.assumptions
        usage = given.usage * (1 + given.usage_growth_percent / 100) ** self.week
        noise = self._random.lognormvariate(0, 0.1)
        return int(usage * noise * 10**REVENUE_DECIMALS) * given.fee_bps // 10_000

    def _plan(self, actor: Actor, act: Callable[[Actor], None], mean_weeks: float) -> None:
        """Plan something after a random number of weeks, at least one."""
        self._visits[self.week + 1 + int(self._random.expovariate(1 / mean_weeks))].append((actor, act))

    def _chance(self, percent: float) -> bool:
        return self._random.random() * 100 < percent
