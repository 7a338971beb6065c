"""How many answers a payer may have made that are not paid for: a few, or a share of those that are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.fake_clock import FakeClock
from usufruct.gateway import CallLimits
from usufruct.gateway.disconnect_limit import DisconnectLimit
from usufruct.gateway.errors import AbandonedAnswers

LIMITS = CallLimits()
MOST, PAID_FOR_ONE, WITHIN_SECONDS = LIMITS.abandoned_most, LIMITS.abandoned_share, LIMITS.abandoned_seconds
WHOLE, STREAM = False, True


def refused(limit: DisconnectLimit, stream: bool, account: str = "payer") -> int:
    """Return for how long a call is refused, 0 when it is not."""
    try:
        limit.check(account, stream=stream, streams=True)
    except AbandonedAnswers as refusal:
        return int(refusal.details["retry_after"])
    return 0


def test_whole_answers_left_stop_whole_answers_and_streams_left_stop_both():
    limit = DisconnectLimit(LIMITS, FakeClock())
    for _ in range(MOST):
        limit.note("payer", stream=False)
    assert refused(limit, WHOLE)
    assert not refused(limit, STREAM)
    for _ in range(MOST):
        limit.note("other", stream=True)
    assert refused(limit, WHOLE, "other")
    assert refused(limit, STREAM, "other")


@pytest.mark.parametrize("paid_at", [0, WITHIN_SECONDS - 1])
def test_who_pays_for_many_may_leave_a_share_of_them(paid_at):
    """One payer may have thousands of users, of whom some change their minds."""
    clock = FakeClock()
    limit = DisconnectLimit(LIMITS, clock)
    clock.advance(paid_at)
    for _ in range(PAID_FOR_ONE * (MOST + 3)):
        limit.paid("payer")
    for _ in range(MOST + 2):
        limit.note("payer", stream=True)
    assert not refused(limit, STREAM)
    limit.note("payer", stream=True)
    assert refused(limit, STREAM)
    assert refused(limit, WHOLE)


def test_what_was_paid_long_ago_excuses_nothing():
    clock = FakeClock()
    limit = DisconnectLimit(LIMITS, clock)
    for _ in range(PAID_FOR_ONE * MOST * 2):
        limit.paid("payer")
    clock.advance(int(2 * WITHIN_SECONDS))
    for _ in range(MOST):
        limit.note("payer", stream=True)
    assert refused(limit, STREAM)


@given(times=st.lists(st.integers(0, 2 * int(WITHIN_SECONDS)), min_size=MOST, max_size=3 * MOST).map(sorted))
def test_the_wait_that_a_refusal_names_is_the_one_that_is_needed(times):
    clock = FakeClock()
    limit = DisconnectLimit(LIMITS, clock)
    for last, at in zip([0, *times], times, strict=False):
        clock.advance(at - last)
        limit.note("payer", stream=True)
    recent = [at for at in times if at > times[-1] - WITHIN_SECONDS]
    wait = refused(limit, STREAM)
    assert bool(wait) is (len(recent) >= MOST)
    if wait:
        clock.advance(wait - 2)
        assert refused(limit, STREAM)
        clock.advance(2)
        assert not refused(limit, STREAM)
