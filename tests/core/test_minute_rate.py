"""Counts of a minute beside a slow model that keeps every count with its time."""

from hypothesis import given
from hypothesis import strategies as st

from tests.support.fake_clock import FakeClock
from usufruct.core.minute_rate import MinuteRate


@given(
    st.integers(0, 4),
    st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from([0, 1, 7, 59, 60, 61, 600])), max_size=40),
)
def test_a_name_counts_up_to_its_most_in_the_minute_that_its_first_time_began(most, steps):
    clock, minutes = FakeClock(), {}  # of each name, one after the other: the times it was counted at
    rate = MinuteRate(clock)
    for name, seconds in steps:
        clock.advance(seconds)
        now = clock.monotonic()
        counted = minutes.setdefault(name, [[]])
        if counted[-1] and now >= counted[-1][0] + 60:
            counted.append([])
        wait = rate.count(name, most)
        assert bool(wait) == (len(counted[-1]) >= most)
        if wait:
            began = counted[-1][0] if counted[-1] else now
            assert began + 60 < now + wait <= began + 61
        else:
            counted[-1].append(now)


def test_names_whose_minute_is_over_are_forgotten():
    clock = FakeClock()
    rate = MinuteRate(clock)
    for name in range(1_000):
        rate.count(str(name), 1)
    clock.advance(60)
    rate.count("new", 1)
    assert list(rate._minutes) == ["new"]
