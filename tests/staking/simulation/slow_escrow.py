"""What VoteEscrow should do, written plainly: each week notes every lock's weight, and divides its money by them.

No prefix sums, no slopes, no checkpoints. Equal to the contract to the atomic unit, refusals and rounding included.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from usufruct.core import Invalid

SCALE = 1 << 96
_MAX_RATE = 1 << 104
_WEEKS = 52


@dataclass
class Due:
    """Money of one kind that an account is due: whole units that are credited, and exact sums that are not.

    What is open is kept x 2^96, in two parts: of the weeks up to that of the last change, and of those after it. The
    contract rounds each down.
    """

    credited: int = 0
    until_change: int = 0
    after_change: int = 0

    @property
    def open_down(self) -> int:
        return self.until_change // SCALE + self.after_change // SCALE

    def credit(self) -> None:
        self.credited += self.open_down
        self.until_change = self.after_change = 0

    def pay(self) -> int:
        paid, self.credited = self.credited, 0
        return paid


@dataclass
class SlowLock:
    """One account. `weights` and `delegates` hold what counted in each week so far."""

    account: int
    amount: int = 0
    end: int = 0
    renewal: int = 0
    withdrawn: bool = False
    delegate: int = -1
    changed: int = 0
    """The week of the last change."""
    revenue: Due = field(default_factory=Due)
    penalties: Due = field(default_factory=Due)
    weights: dict[int, int] = field(default_factory=dict)
    delegates: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.delegate = self.account

    @property
    def principal(self) -> int:
        return 0 if self.withdrawn else self.amount

    def weeks_left(self, week: int) -> int:
        return self.renewal or max(self.end - week, 0)

    def begin(self, week: int) -> None:
        self.weights[week] = self.amount * self.weeks_left(week)
        self.delegates[week] = self.delegate

    def credit(self) -> None:
        self.revenue.credit()
        self.penalties.credit()

    def change(self, week: int, **what: int) -> None:
        """Change something from the next week on; the first change of a week credits the weeks that are over."""
        if self.changed != week:
            self.credit()
        self.changed = week
        for name, value in what.items():
            setattr(self, name, value)

    def set(self, week: int, amount: int, end: int, renewal: int = 0) -> None:
        self.change(week, amount=amount, end=end, renewal=renewal)
        self.withdrawn = False


class SlowEscrow:
    """All locks of one escrow, in week `week`, the last that is rolled. Accounts are numbered from 0.

    A verb raises `Invalid` where the contract reverts, and changes nothing then.
    """

    def __init__(self, week: int, floor: int, exit_penalty_bps: int, accounts: int) -> None:
        self.week, self.floor, self.exit_penalty_bps = week, floor, exit_penalty_bps
        self.locks = [SlowLock(account) for account in range(accounts)]
        self.waiting, self.earlier_penalties, self.fresh_penalties = 0, 0, 0
        self.capped_weeks = 0
        """Weeks whose rate was at its limit."""
        for lock in self.locks:
            lock.begin(week)

    # -- weeks ---------------------------------------------------------------------------------------------------------

    def advance(self) -> None:
        total = self.total_weight(self.week)
        if total and total >= self.floor * _WEEKS:
            self.waiting -= self._divide(self.waiting, total, lambda lock: lock.revenue)
            self.earlier_penalties -= self._divide(self.earlier_penalties, total, lambda lock: lock.penalties)
        self.earlier_penalties += self.fresh_penalties
        self.fresh_penalties = 0
        self.week += 1
        for lock in self.locks:
            lock.begin(self.week)

    def _divide(self, waiting: int, total: int, due: Callable[[SlowLock], Due]) -> int:
        rate = min(waiting * SCALE // total, _MAX_RATE)
        self.capped_weeks += rate == _MAX_RATE
        for lock in self.locks:
            part = rate * lock.weights[self.week]
            if lock.changed == self.week:
                due(lock).until_change += part
            else:
                due(lock).after_change += part
        return (rate * total + SCALE - 1) // SCALE

    def notify(self, amount: int) -> None:
        self.waiting += amount

    # -- verbs ---------------------------------------------------------------------------------------------------------

    def lock(self, account: int, amount: int, weeks: int) -> None:
        lock = self.locks[account]
        _require(lock.principal == 0 and amount > 0 and 1 <= weeks <= _WEEKS)
        lock.set(self.week, amount, self.week + 1 + weeks)

    def increase(self, account: int, amount: int) -> None:
        lock = self._held(account)
        _require(amount > 0 and lock.weeks_left(self.week + 1) > 0)
        lock.set(self.week, lock.amount + amount, lock.end, lock.renewal)

    def lock_for(self, account: int, amount: int, weeks: int) -> None:
        """Lock for an account, or add to its lock if that has so many weeks left."""
        lock = self.locks[account]
        if lock.principal == 0:
            return self.lock(account, amount, weeks)
        _require(1 <= weeks <= lock.weeks_left(self.week + 1))
        return self.increase(account, amount)

    def extend(self, account: int, weeks: int) -> None:
        lock = self._held(account)
        _require(lock.weeks_left(self.week + 1) < weeks <= _WEEKS)
        if lock.renewal:
            lock.set(self.week, lock.amount, 0, weeks)
        else:
            lock.set(self.week, lock.amount, self.week + 1 + weeks)

    def start_renewal(self, account: int) -> None:
        lock = self._held(account)
        left = lock.weeks_left(self.week + 1)
        _require(not lock.renewal and left > 0)
        lock.set(self.week, lock.amount, 0, left)

    def stop_renewal(self, account: int) -> None:
        lock = self._held(account)
        _require(lock.renewal > 0)
        lock.set(self.week, lock.amount, self.week + 1 + lock.renewal)

    def withdraw(self, account: int, now: int | None = None) -> int:
        """Take the principal; `now` is the clock's week, where that is not rolled yet."""
        lock = self._held(account)
        _require(not lock.renewal and lock.end <= (now or self.week))
        lock.withdrawn = True
        return lock.amount

    def exit_early(self, account: int) -> int:
        lock = self._held(account)
        _require(self.exit_penalty_bps > 0 and lock.weeks_left(self.week) > 0)
        amount, penalty = lock.amount, self.exit_penalty_up(account)
        lock.set(self.week, 0, 0)
        self.fresh_penalties += penalty
        return amount - penalty

    def claim(self, account: int) -> int:
        """Pay revenue; a claim that pays nothing leaves the fractions of a unit open."""
        lock = self.locks[account]
        if lock.revenue.credited or lock.revenue.open_down or lock.penalties.open_down:
            lock.credit()
        return lock.revenue.pay()

    def claim_penalties(self, account: int) -> int:
        lock = self.locks[account]
        if lock.penalties.open_down:
            lock.credit()
        return lock.penalties.pay()

    def delegate(self, account: int, to: int) -> None:
        lock = self.locks[account]
        if lock.delegate != to:
            lock.change(self.week, delegate=to)

    # -- views ---------------------------------------------------------------------------------------------------------

    @property
    def penalties(self) -> int:
        return self.earlier_penalties + self.fresh_penalties

    def total_weight(self, week: int) -> int:
        return sum(lock.weights[week] for lock in self.locks)

    def coming_weight(self, account: int) -> int:
        """Return an account's weight at the start of the next week."""
        lock = self.locks[account]
        return lock.amount * lock.weeks_left(self.week + 1)

    def score_down(self, account: int) -> int:
        return self.locks[account].weights[self.week] // _WEEKS

    def votes_down(self, account: int, week: int) -> int:
        return sum(lock.weights[week] for lock in self.locks if lock.delegates[week] == account) // _WEEKS

    def exit_penalty_up(self, account: int) -> int:
        lock = self.locks[account]
        left = lock.renewal + 1 if lock.renewal else lock.weeks_left(self.week)
        return -(-lock.principal * min(left, _WEEKS) * self.exit_penalty_bps // (_WEEKS * 10_000))

    def claimable(self, account: int) -> tuple[int, int]:
        lock = self.locks[account]
        return (
            lock.revenue.credited + lock.revenue.open_down,
            lock.penalties.credited + lock.penalties.open_down,
        )

    def _held(self, account: int) -> SlowLock:
        lock = self.locks[account]
        _require(lock.principal > 0)
        return lock


def _require(condition: bool) -> None:
    if not condition:
        raise Invalid("the contract refuses this", code="lock_refused")
