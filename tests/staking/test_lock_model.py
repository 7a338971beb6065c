"""The rules of a lock against a slow, obvious model: weeks are walked, shares are fractions."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from math import ceil, floor

from hypothesis import given
from hypothesis import strategies as st

from usufruct.staking.lock_model import MOST_WEEKS, WEEK_SECONDS, Lock, end_after, income_down, score_down, week_of

AMOUNTS = st.integers(1, 2**96 - 1)
WEEKS = st.integers(1, MOST_WEEKS)
WEEK = 2_900  # of the year 2025
DECAYING = st.builds(Lock, AMOUNTS, st.integers(WEEK, WEEK + MOST_WEEKS + 1))
LOCKS = DECAYING | st.builds(Lock, AMOUNTS, st.just(0), WEEKS)


def slow_weight(lock: Lock, week: int) -> int:
    """Add the amount for each week that is left."""
    left = range(lock.renewal) if lock.renewal else range(week, lock.end)
    return sum(lock.amount for _ in left)


@given(LOCKS, st.integers(WEEK, WEEK + 2 * MOST_WEEKS))
def test_weight_is_the_amount_for_each_week_left(lock: Lock, week: int):
    assert lock.weight_at(week) == slow_weight(lock, week)
    assert score_down(lock.weight_at(week)) == floor(Fraction(slow_weight(lock, week), 52))


@given(AMOUNTS, WEEKS)
def test_a_lock_that_was_just_made_has_its_part_of_52_weeks_as_score(amount: int, weeks: int):
    made = Lock(amount, week_of(end_after(weeks, WEEK * WEEK_SECONDS)))
    assert score_down(made.weight_at(WEEK + 1)) == floor(Fraction(amount * weeks, 52))


@given(WEEKS, st.integers(0, 2**33))
def test_a_lock_ends_on_a_thursday_so_many_weeks_after_the_next(weeks: int, now: int):
    day = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0) + timedelta(days=1)
    while day.strftime("%A") != "Thursday":
        day += timedelta(days=1)
    assert end_after(weeks, now) == (day + timedelta(weeks=weeks)).timestamp()


@given(LOCKS, st.integers(WEEK, WEEK + MOST_WEEKS), st.integers(1_000, 5_000))
def test_the_penalty_is_a_part_of_the_score_and_falls_each_week(lock: Lock, week: int, bps: int):
    left = lock.renewal + 1 if lock.renewal else max(0, lock.end - week)
    part = Fraction(min(left, 52), 52) * Fraction(bps, 10_000)
    penalty = lock.exit_penalty_up(week, bps)
    assert penalty == ceil(lock.amount * part)
    assert penalty <= lock.amount
    assert lock.exit_penalty_up(week + 1, bps) <= penalty
    assert lock.exit_penalty_up(week, 0) == 0


@given(DECAYING, st.integers(1, MOST_WEEKS), st.integers(0, 2**80), st.integers(0, 2**100))
def test_income_is_the_part_by_weight_of_each_week(lock: Lock, weeks: int, revenue: int, others: int):
    expected = 0
    for week in range(WEEK, WEEK + weeks):
        own = slow_weight(lock, week)
        expected += floor(Fraction(own, own + others) * revenue) if own else 0
    assert income_down(lock, WEEK, weeks, revenue, others) == expected
