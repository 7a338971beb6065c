"""Counts of a minute beside a slow model that keeps every count with its time."""

from hypothesis import given
from hypothesis import strategies as st

from tests.support.fake_clock import FakeClock
from usufruct.core.minute_rate import MinuteRate


@given(
    st.integers(0, 4),
    st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from([0, 1, 7, 59, 60, 61, 600])), max_size=40),
)
def test_a_name_counts_up_to_its_most_in_each_minute_of_the_clock(most, steps):
    clock, counted = FakeClock(), []
    rate = MinuteRate(clock)
    for name, seconds in steps:
        clock.advance(seconds)
        minute = clock.monotonic() // 60
        full = counted.count((name, minute)) >= most
        wait = rate.count(name, most)
        assert bool(wait) == full
        if full:
            assert (clock.monotonic() + wait) // 60 == minute + 1
        else:
            counted.append((name, minute))
