"""The escrow's accounting beside a slow model that walks each week and each lock."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.staking.simulation.slow_escrow import SlowEscrow
from usufruct.core import Invalid
from usufruct.staking.lock_model import MOST_WEEKS
from usufruct.staking.simulation.escrow import Escrow, Position

START = 2_900
USERS = 3

amounts = st.one_of(st.integers(1, 60), st.integers(1, 2**92))
weeks = st.one_of(st.sampled_from([1, 2, 51, 52, 53]), st.integers(0, MOST_WEEKS))
verbs = st.sampled_from(
    [
        *["lock"] * 6,
        *["increase", "extend"] * 2,
        "start_renewal",
        "stop_renewal",
        "withdraw",
        "exit_early",
        *["claim", "claim_penalties"] * 2,
    ]
)
revenues = st.one_of(st.just(0), st.integers(1, 99), st.integers(1, 2**90))
gaps = st.sampled_from([0, 0, 0, 1, 1, 1, 2, 5, 13, 53])
steps = st.lists(st.tuples(verbs, st.integers(0, USERS - 1), amounts, weeks, revenues, gaps), min_size=20, max_size=40)


class Pair:
    """The same steps in both models; what came in is counted, and what was paid."""

    def __init__(self, floor: int, penalty_bps: int) -> None:
        self.fast = Escrow(START, floor, penalty_bps)
        self.slow = SlowEscrow(START, floor, penalty_bps, USERS)
        self.positions = [Position() for _ in range(USERS)]
        self.credits = 0
        self.revenue_in, self.revenue_out, self.penalties_in, self.penalties_out = 0, 0, 0, 0

    def step(self, verb: str, user: int, amount: int, weeks: int, revenue: int, gap: int) -> None:
        """Use a verb, bring revenue, and let weeks pass."""
        self._act(verb, user, *{"lock": (amount, weeks), "increase": (amount,), "extend": (weeks,)}.get(verb, ()))
        self.fast.notify(revenue)
        self.slow.notify(revenue)
        self.revenue_in += revenue
        for _ in range(gap):
            self.fast.advance()
            self.slow.advance()

    def _act(self, verb: str, user: int, *arguments: int) -> None:
        penalty = self.slow.exit_penalty_up(user)
        try:
            paid = getattr(self.slow, verb)(user, *arguments)
        except Invalid:
            with pytest.raises(Invalid):
                getattr(self.fast, verb)(self.positions[user], *arguments)
            return
        assert getattr(self.fast, verb)(self.positions[user], *arguments) == paid
        self.credits += 1
        if verb == "claim":
            self.revenue_out += paid
        elif verb == "claim_penalties":
            self.penalties_out += paid
        elif verb == "exit_early":
            self.penalties_in += penalty

    def check(self) -> None:
        fast, slow = self.fast, self.slow
        assert fast.week == slow.week
        assert fast.weights[fast.week] == slow.total_weight(slow.week)
        assert fast.revenue.waiting == slow.waiting
        assert fast.waiting_penalties == slow.penalties
        revenue, penalties = self.revenue_out + slow.waiting, self.penalties_out + slow.penalties
        for user, (position, lock) in enumerate(zip(self.positions, slow.locks, strict=True)):
            assert position.principal == lock.principal
            assert fast.score_down(position) == slow.score_down(user)
            assert fast.exit_penalty_up(position) == slow.exit_penalty_up(user)
            due = fast.claimable(position)
            assert due == slow.claimable(user)
            revenue, penalties = revenue + due[0], penalties + due[1]
        lost = 2 * (self.credits + USERS) + fast.week - START
        assert 0 <= self.revenue_in - revenue <= lost
        assert 0 <= self.penalties_in - penalties <= lost


@settings(max_examples=300)
@given(steps, st.sampled_from([0, 1, 40, 10**6]), st.sampled_from([0, 1_000, 5_000]))
def test_the_sums_give_what_week_by_week_division_gives_to_the_unit(steps, floor, penalty_bps):
    pair = Pair(floor, penalty_bps)
    for step in steps:
        pair.step(*step)
        pair.check()


def test_one_dollar_as_the_protocol_page_tells_it():
    escrow, ann, ben = Escrow(START), Position(), Position()
    escrow.lock(ann, 520, 52)
    escrow.lock(ben, 520, 26)
    assert escrow.total_score == 0
    escrow.advance()
    assert (escrow.score_down(ann), escrow.score_down(ben)) == (520, 260)
    escrow.notify(1_000_000)
    escrow.advance()
    assert (escrow.claim(ann), escrow.claim(ben)) == (666_666, 333_333)
    assert (escrow.score_down(ann), escrow.score_down(ben)) == (510, 250)


def test_a_lock_that_renews_itself_keeps_its_weight_until_it_stops():
    escrow, position = Escrow(START), Position()
    escrow.lock(position, 52, 10)
    escrow.start_renewal(position)
    for _ in range(100):
        escrow.advance()
        assert escrow.score_down(position) == 10
    escrow.stop_renewal(position)
    scores = []
    for _ in range(12):
        escrow.advance()
        scores.append(escrow.score_down(position))
    assert scores == [10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0]
    assert escrow.withdraw(position) == 52


@pytest.mark.parametrize(
    ("verb", "arguments"),
    [
        ("lock", (5, 53)),
        ("lock", (0, 5)),
        ("increase", (5,)),
        ("extend", (5,)),
        ("start_renewal", ()),
        ("stop_renewal", ()),
        ("withdraw", ()),
        ("exit_early", ()),
    ],
)
def test_what_the_contract_refuses_is_refused_and_changes_nothing(verb, arguments):
    escrow, position = Escrow(START, exit_penalty_bps=1_000), Position()
    with pytest.raises(Invalid):
        getattr(escrow, verb)(position, *arguments)
    assert position == Position()
