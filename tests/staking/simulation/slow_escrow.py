"""What VoteEscrow should do, written plainly: each week notes every lock's weight, and divides its money by them."""

from dataclasses import dataclass, field

SCALE = 1 << 96


@dataclass
class SlowLock:
    amount: int = 0
    end: int = 0
    renewal: int = 0
    weight: int = 0  # at the start of the running week
    revenue_due: int = 0  # x 2^96
    penalties_due: int = 0  # x 2^96

    def weight_in(self, week: int) -> int:
        if self.renewal:
            return self.amount * self.renewal
        return self.amount * max(self.end - week, 0)


@dataclass
class SlowEscrow:
    week: int
    floor: int
    locks: list[SlowLock] = field(default_factory=list)
    revenue: int = 0
    penalties: int = 0
    fresh_penalties: int = 0

    def advance(self) -> None:
        total = sum(lock.weight for lock in self.locks)
        if total and total >= self.floor * 52:
            self.revenue -= self._divide(self.revenue, total, "revenue_due")
            self.penalties -= self._divide(self.penalties, total, "penalties_due")
        self.penalties += self.fresh_penalties
        self.fresh_penalties = 0
        self.week += 1
        for lock in self.locks:
            lock.weight = lock.weight_in(self.week)

    def _divide(self, waiting: int, total: int, due: str) -> int:
        rate = min(waiting * SCALE // total, 1 << 104)
        for lock in self.locks:
            setattr(lock, due, getattr(lock, due) + rate * lock.weight)
        return (rate * total + SCALE - 1) // SCALE
