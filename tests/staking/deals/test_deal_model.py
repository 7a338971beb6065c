"""The rules of a deal against a slow, obvious model: payments are listed, shares are fractions."""

from dataclasses import replace
from fractions import Fraction
from math import floor

from hypothesis import assume, given
from hypothesis import strategies as st

from tests.staking.deals.slow_deal import Paid, SlowDeal
from usufruct.core import DAY_SECONDS, ZERO_ADDRESS, Address, Hash32
from usufruct.staking.deals.model import (
    TOP_LEVEL,
    Deal,
    DealLevel,
    DealPart,
    DealState,
    DealTerms,
    Obstacle,
    Phase,
    Window,
    fee_down,
    obstacle,
    vested_down,
)

SALE, MONEY, ANN = (Address("0x" + digit * 40) for digit in "abc")
ACCOUNTS = [Address(f"0x{number:040x}") for number in range(1, 7)]
OPENS, CLOSES = 1_000_000, 2_000_000
LEVELS = [DealLevel(100 * number, 10**30, OPENS + 10_000 * (TOP_LEVEL - number)) for number in range(11)]
TERMS = DealTerms(SALE, MONEY, ZERO_ADDRESS, 10**24, 10**11, 2 * 10**10, CLOSES, 30, 300, LEVELS)

AMOUNTS = st.integers(1, 2**80)


@st.composite
def deals(draw: st.DrawFn) -> SlowDeal:
    """Return a deal in which each account pays into one window, in one or several parts."""
    hard_cap = draw(AMOUNTS)
    windows = draw(st.lists(st.integers(0, TOP_LEVEL), min_size=1, max_size=len(ACCOUNTS)))
    payments = [
        Paid(account, window, amount)
        for account, window in zip(ACCOUNTS, windows, strict=False)
        for amount in draw(st.lists(st.integers(1, 2 * hard_cap), min_size=1, max_size=3))
    ]
    return SlowDeal(draw(st.integers(10**9, 2**90)), hard_cap, draw(st.integers(1, hard_cap)), payments)


def state_of(slow: SlowDeal, now: int = CLOSES) -> DealState:
    """Return the same deal as the index keeps it: sums by window."""
    terms = replace(TERMS, for_sale=slow.for_sale, hard_cap=slow.hard_cap, soft_cap=slow.soft_cap)
    windows, before = {}, 0
    for number in range(TOP_LEVEL, -1, -1):
        inside = [each for each in slow.payments if each.window == number]
        if inside:
            paid = sum(each.amount for each in inside)
            windows[number] = Window(before, paid, len({each.account for each in inside}))
            before += paid
    return DealState(Deal(Hash32("0x" + "11" * 32), ANN, terms, 250), windows, now)


def own(slow: SlowDeal, account: Address) -> tuple[int, int]:
    """Return what an account paid, and into which window."""
    payments = [each for each in slow.payments if each.account == account]
    return sum(each.amount for each in payments), payments[0].window


@given(deals())
def test_every_result_is_the_slow_models(slow: SlowDeal):
    state = state_of(slow)
    for account in {each.account for each in slow.payments}:
        result = state.result_of(*own(slow, account))
        assert (result.allocation, result.refund) == slow.result_of(account)


@given(deals())
def test_no_unit_is_made_and_less_than_one_of_each_account_is_lost(slow: SlowDeal):
    state = state_of(slow)
    accounts = {each.account for each in slow.payments}
    results = {account: state.result_of(*own(slow, account)) for account in accounts}
    refunds = sum(each.refund for each in results.values())
    tokens = sum(each.allocation for each in results.values())
    if state.phase is Phase.FAILED:
        assert (tokens, refunds, state.accepted) == (0, state.paid, 0)
        return
    assert 0 <= state.paid - state.accepted - refunds < len(accounts)
    sold = Fraction(state.accepted * slow.for_sale, slow.hard_cap)
    assert 0 <= sold - tokens < len(accounts)
    assert tokens <= slow.for_sale


@given(deals())
def test_an_earlier_window_is_never_served_worse(slow: SlowDeal):
    state = state_of(slow)
    assume(state.phase is Phase.SUCCEEDED)
    parts = [state.result_if_taking_place(each.paid, number) for number, each in sorted(state.windows.items())]
    shares = [
        Fraction(part.refund, state.windows[number].paid)
        for part, number in zip(parts, sorted(state.windows), strict=True)
    ]
    assert shares == sorted(shares, reverse=True), "the part that goes back falls with the window's number"


@given(deals(), AMOUNTS)
def test_a_payment_is_previewed_as_it_would_be_kept(slow: SlowDeal, amount: int):
    last = min(each.window for each in slow.payments)
    before = state_of(slow)
    after = before.after_payment(last, amount)
    kept = state_of(replace(slow, payments=[*slow.payments, Paid(slow.payments[-1].account, last, amount)]))
    assert {number: (each.before, each.paid) for number, each in after.windows.items()} == {
        number: (each.before, each.paid) for number, each in kept.windows.items()
    }
    first = last - 1 if last else None
    if first is not None:
        assert before.after_payment(first, amount).window(first).before == before.paid


@given(
    st.integers(0, 2**96 - 1), st.integers(0, 365), st.integers(0, 365), st.integers(-DAY_SECONDS, 800 * DAY_SECONDS)
)
def test_vesting_is_nothing_before_the_cliff_then_even(allocation: int, cliff: int, length: int, elapsed: int):
    assume(cliff <= length)
    terms = replace(TERMS, cliff_days=cliff, vesting_days=length)
    vested = vested_down(terms, allocation, CLOSES + elapsed)
    if elapsed < max(cliff * DAY_SECONDS, 0):
        assert vested == 0
    elif elapsed >= length * DAY_SECONDS:
        assert vested == allocation
    else:
        assert vested == floor(Fraction(allocation * elapsed, length * DAY_SECONDS))
    assert vested <= vested_down(terms, allocation, CLOSES + max(elapsed, 0) + 1)


@given(st.integers(0, 2**96 - 1), st.integers(0, 500))
def test_the_fee_is_a_part_rounded_down(proceeds: int, bps: int):
    assert fee_down(proceeds, bps) == floor(proceeds * Fraction(bps, 10_000))


@given(st.integers(0, 2_000))
def test_a_level_is_the_highest_whose_threshold_is_reached(score: int):
    reached = [number for number, each in enumerate(LEVELS) if each.threshold <= score]
    assert TERMS.level_of(score) == max(reached)


@given(st.integers(OPENS - 1, CLOSES - 1))
def test_a_window_is_named_by_the_lowest_level_that_is_open(now: int):
    opened = [number for number, each in enumerate(LEVELS) if each.cap and each.opens_at <= now]
    assert TERMS.window_at(now) == (min(opened) if opened else None)


PART = DealPart(ANN, 500, 5, None, 0, 0, 0, 0, 0, 10**9, True)
CAPPED = replace(TERMS, levels=[replace(each, cap=0 if each.threshold < 300 else 5_000) for each in LEVELS])


def why(now: int, part: DealPart, windows: dict[int, Window] | None = None, **deal: object) -> Obstacle | None:
    state = DealState(replace(Deal(Hash32("0x" + "11" * 32), ANN, CAPPED, 0), **deal), windows or {}, now)
    return obstacle(state, part)


def test_what_keeps_an_account_from_paying():
    opened = LEVELS[5].opens_at
    assert why(opened, PART) is None
    assert why(CLOSES, PART) is Obstacle.CLOSED
    assert why(opened, PART, cancelled=True) is Obstacle.CLOSED
    assert why(opened - 1, PART) is Obstacle.NOT_OPEN
    assert why(CLOSES - 1, replace(PART, level=2)) is Obstacle.NOT_ADMITTED
    assert why(opened, replace(PART, allowed=False)) is Obstacle.NOT_ALLOWED
    assert why(opened, replace(PART, paid=1_000, window=7)) is Obstacle.WINDOW_OVER
    assert why(opened, replace(PART, paid=1_000, window=5), {5: Window(0, 1_000, 1)}) is None
    assert why(opened, replace(PART, paid=5_000, window=5), {5: Window(0, 5_000, 1)}) is Obstacle.CAP_REACHED
    full = {8: Window(0, CAPPED.hard_cap, 9)}
    assert why(opened, PART, full) is Obstacle.SOLD_OUT
    assert why(LEVELS[8].opens_at, replace(PART, level=9), full) is None, "the window that runs is shared by all in it"
