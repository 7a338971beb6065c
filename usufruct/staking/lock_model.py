"""The rules of a lock as `VoteEscrow` computes them: week, weight, score, end, penalty, income. Integers only.

Weeks are counted from the Unix epoch, so they start on Thursday, 00:00 UTC. The formulas: `docs/protocol/staking.md`.
"""

from dataclasses import dataclass

from usufruct.core import divide_down, divide_up

WEEK_SECONDS = 604_800
MOST_WEEKS = 52
_BPS = 10_000


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock as it counts from the next week on.

    `amount`: atomic units of the platform token; `end`: the week in which it can be withdrawn, 0 while it renews
    itself; `renewal`: weeks that it is held at, 0 if it does not renew itself.
    """

    amount: int
    end: int
    renewal: int = 0

    def weeks_left(self, week: int) -> int:
        """Return the full weeks left from the start of a week on."""
        return self.renewal or max(0, self.end - week)

    def weight_at(self, week: int) -> int:
        """Return amount x weeks left at the start of a week."""
        return self.amount * self.weeks_left(week)

    def exit_penalty_up(self, week: int, bps: int) -> int:
        """Return what an early exit in a week keeps: `bps` hundredths of a per cent of the score."""
        left = self.renewal + 1 if self.renewal else self.weeks_left(week)
        return divide_up(self.amount * min(left, MOST_WEEKS) * bps, MOST_WEEKS * _BPS)


def week_of(seconds: int) -> int:
    """Return the week of a time."""
    return seconds // WEEK_SECONDS


def end_after(weeks: int, now: int) -> int:
    """Return when a lock that is made now ends, Unix seconds: the start of the next week, and so many weeks later."""
    return (week_of(now) + 1 + weeks) * WEEK_SECONDS


def score_down(weight: int) -> int:
    """Return the Staking Score of a weight."""
    return divide_down(weight, MOST_WEEKS)


def income_down(lock: Lock, first_week: int, weeks: int, weekly_revenue: int, other_weight: int) -> int:
    """Return what a lock would get in so many weeks, if each brought the same revenue and no other lock changed weight.

    `other_weight` is that of all other locks. Each week is rounded down.
    """
    own = [lock.weight_at(first_week + passed) for passed in range(weeks)]
    return sum(divide_down(weekly_revenue * weight, weight + other_weight) for weight in own if weight)
