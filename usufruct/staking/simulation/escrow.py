"""VoteEscrow's accounting in Python, equal to the contract's to the atomic unit.

docs/protocol/staking.md has the formulas. A week costs a few operations, however many locks there are, because
revenue is kept as prefix sums of weeks; a claim costs two look-ups, however many weeks it pays. Delegation moves
votes and no money; it is not modelled.
"""

from collections import defaultdict
from dataclasses import dataclass, field, replace

from usufruct.core import Invalid
from usufruct.staking.lock_model import MOST_WEEKS, Lock, score_down

_SCALE_BITS = 96
_MAX_RATE = 1 << 104


_NOTHING = Lock(0, 0)


@dataclass(slots=True)
class Position:
    """One account: `lock` counts from week `start` on, `before` until then.

    `revenue` and `penalties` are what is due for the weeks before `unpaid`, in atomic units of the revenue token and of
    the platform token.
    """

    lock: Lock = _NOTHING
    before: Lock = _NOTHING
    start: int = 0
    unpaid: int = 0
    revenue: int = 0
    penalties: int = 0
    withdrawn: bool = False

    @property
    def principal(self) -> int:
        """Atomic units in the lock, ended or not."""
        return 0 if self.withdrawn else self.lock.amount


@dataclass(slots=True)
class Stream:
    """Money that weeks divide by weight: what waits, and the prefix sums of rate and of rate x week, by week."""

    waiting: int = 0
    sums: dict[int, tuple[int, int]] = field(default_factory=dict)
    last: tuple[int, int] = (0, 0)

    def divide(self, week: int, weight: int) -> int:
        """Divide what waits by a week's total weight, 0 for none of it; return what was divided, rounded up."""
        rate = min((self.waiting << _SCALE_BITS) // weight, _MAX_RATE) if weight else 0
        spent = -(-rate * weight >> _SCALE_BITS)
        self.waiting -= spent
        self.last = (self.last[0] + rate, self.last[1] + rate * week)
        self.sums[week] = self.last
        return spent

    def due_down(self, lock: Lock, first: int, stop: int) -> int:
        """Return what the weeks from `first` until before `stop` owe a lock that has weight in all of them."""
        a0, b0 = self.sums.get(first - 1, (0, 0))
        a1, b1 = self.sums[stop - 1]
        per_unit = lock.renewal * (a1 - a0) if lock.renewal else lock.end * (a1 - a0) - (b1 - b0)
        return lock.amount * per_unit >> _SCALE_BITS


class Escrow:
    """All locks of one escrow, at the start of a week; `advance` closes it and begins the next.

    Each verb of the contract that moves money is a method: it takes the account's position, and raises `Invalid` where
    the contract reverts.
    """

    def __init__(self, week: int, score_floor: int = 0, exit_penalty_bps: int = 0) -> None:
        """Begin in a week, counted from the Unix epoch; `score_floor` is in atomic units of score."""
        self.week = week
        self.score_floor = score_floor
        self.exit_penalty_bps = exit_penalty_bps
        self.weights = {week: 0}
        """Total weight at the start of each week so far."""
        self.revenue, self.penalties = Stream(), Stream()
        self._fresh_penalties = 0
        self._next_weight, self._next_slope = 0, 0
        self._ending: defaultdict[int, int] = defaultdict(int)

    def advance(self) -> int:
        """Close the running week: divide what came in, and begin the next; return the revenue that was divided."""
        week, weight = self.week, self.weights[self.week]
        divided = weight if weight >= max(self.score_floor * MOST_WEEKS, 1) else 0
        spent = self.revenue.divide(week, divided)
        self.penalties.divide(week, divided)
        self.penalties.waiting += self._fresh_penalties
        self._fresh_penalties = 0

        self.week = week + 1
        self.weights[self.week] = self._next_weight
        self._next_weight -= self._next_slope
        self._next_slope -= self._ending.pop(self.week, 0)
        return spent

    def notify(self, amount: int) -> None:
        """Book revenue that came in, for the running week."""
        self.revenue.waiting += amount

    # -- verbs ---------------------------------------------------------------------------------------------------------

    def lock(self, position: Position, amount: int, weeks: int) -> None:
        """Lock for so many full weeks, beginning with the next."""
        _require(position.principal == 0, "the account has a lock")
        _require(amount > 0 and 0 < weeks <= MOST_WEEKS, f"{amount} units cannot be locked for {weeks} weeks")
        self._change(position, Lock(amount, end=self.week + 1 + weeks))

    def increase(self, position: Position, amount: int) -> None:
        """Add to a lock that is not in its last week; its end stays."""
        _require(position.principal > 0 and amount > 0, "there is no lock, or nothing to add")
        _require(self.weeks_left(position) > 0, "the lock is ending; extend it first")
        self._change(position, replace(position.lock, amount=position.lock.amount + amount))

    def extend(self, position: Position, weeks: int) -> None:
        """Let a lock last so many full weeks from the next on."""
        left = self.weeks_left(position)
        _require(position.principal > 0 and left < weeks <= MOST_WEEKS, f"{left} weeks cannot be extended to {weeks}")
        renews = position.lock.renewal > 0
        end, renewal = (0, weeks) if renews else (self.week + 1 + weeks, 0)
        self._change(position, Lock(position.lock.amount, end, renewal))

    def start_renewal(self, position: Position) -> None:
        """Hold the weight that the lock has at the start of the next week."""
        left = self.weeks_left(position)
        _require(position.principal > 0 and not position.lock.renewal and left > 0, "the lock cannot be renewed")
        self._change(position, Lock(position.lock.amount, 0, left))

    def stop_renewal(self, position: Position) -> None:
        """Let the lock end after the weeks that it was held at."""
        _require(position.lock.renewal > 0, "the lock does not renew itself")
        self._change(position, Lock(position.lock.amount, end=self.week + 1 + position.lock.renewal))

    def withdraw(self, position: Position) -> int:
        """Take the principal of a lock that has ended; return it."""
        amount = position.principal
        _require(amount > 0 and not position.lock.renewal and position.lock.end <= self.week, "no lock has ended")
        position.withdrawn = True
        return amount

    def exit_early(self, position: Position) -> int:
        """Take a lock out before its end; return what is left. The others get the penalty, from the next week on."""
        _require(self.exit_penalty_bps > 0 and position.principal > 0, "there is no early exit")
        _require(position.lock.weight_at(self.week) > 0, "the lock has ended; withdraw it")
        penalty = self.exit_penalty_up(position)
        paid = position.lock.amount - penalty
        self._change(position, _NOTHING)
        self._fresh_penalties += penalty
        return paid

    def claim(self, position: Position) -> int:
        """Pay the revenue of all weeks that are over; return it. Where none is due, fractions of a unit stay due."""
        credited = self._credited(position)
        if credited.revenue or credited.penalties != position.penalties:
            self._credit(position)
        paid, position.revenue = position.revenue, 0
        return paid

    def claim_penalties(self, position: Position) -> int:
        """Pay the penalties of all weeks that are over; return them."""
        if self._credited(position).penalties != position.penalties:
            self._credit(position)
        paid, position.penalties = position.penalties, 0
        return paid

    # -- views ---------------------------------------------------------------------------------------------------------

    @property
    def total_score(self) -> int:
        """The total Staking Score of the running week, rounded down."""
        return score_down(self.weights[self.week])

    @property
    def waiting_penalties(self) -> int:
        """Penalties that were paid and not divided yet."""
        return self.penalties.waiting + self._fresh_penalties

    def score_down(self, position: Position) -> int:
        """Return an account's Staking Score of the running week."""
        counting = position.lock if position.start <= self.week else position.before
        return score_down(counting.weight_at(self.week))

    def weeks_left(self, position: Position) -> int:
        """Return the full weeks from the next on that a position's lock has left, or is held at."""
        return position.lock.weeks_left(self.week + 1)

    def exit_penalty_up(self, position: Position) -> int:
        """Return the penalty of an exit in the running week."""
        return 0 if position.withdrawn else position.lock.exit_penalty_up(self.week, self.exit_penalty_bps)

    def claimable(self, position: Position) -> tuple[int, int]:
        """Return what `claim` and `claim_penalties` would pay."""
        credited = self._credited(position)
        return credited.revenue, credited.penalties

    # -- changes -------------------------------------------------------------------------------------------------------

    def _change(self, position: Position, lock: Lock) -> None:
        """Credit what is due, then give an account a lock that counts from the next week on; the sums follow."""
        following = self.week + 1
        if position.start != following:
            self._credit(position)
            position.unpaid = self.week if position.lock.weight_at(self.week) else following
            position.before, position.start = position.lock, following
        self._add(position.lock, -1)
        self._add(lock, 1)
        position.lock, position.withdrawn = lock, False

    def _add(self, lock: Lock, sign: int) -> None:
        """Add a lock to the sums as they count from the next week on, or take it out."""
        weight = lock.weight_at(self.week + 1)
        self._next_weight += sign * weight
        if weight and not lock.renewal:
            self._next_slope += sign * lock.amount
            self._ending[lock.end - 1] += sign * lock.amount

    def _credited(self, position: Position) -> Position:
        """Return a copy of a position that is credited."""
        copy = replace(position)
        self._credit(copy)
        return copy

    def _credit(self, position: Position) -> None:
        """Credit the weeks before the running one that are not credited yet."""
        if position.unpaid >= self.week:
            return
        if position.unpaid < position.start:
            self._pay(position, position.before, position.start)
        self._pay(position, position.lock, self.week if position.lock.renewal else min(self.week, position.lock.end))
        position.unpaid = self.week

    def _pay(self, position: Position, lock: Lock, stop: int) -> None:
        if position.unpaid < stop:
            position.revenue += self.revenue.due_down(lock, position.unpaid, stop)
            position.penalties += self.penalties.due_down(lock, position.unpaid, stop)
            position.unpaid = stop


def _require(condition: bool, problem: str) -> None:
    if not condition:
        raise Invalid(problem, code="lock_refused")
