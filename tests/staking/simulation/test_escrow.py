"""The escrow's accounting beside a slow model that walks each week and each lock."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.staking.simulation.slow_escrow import SCALE, SlowEscrow, SlowLock
from usufruct.core import Invalid
from usufruct.staking.lock_model import MOST_WEEKS
from usufruct.staking.simulation.escrow import Escrow, Position

START = 2_900
USERS = 3

amounts = st.one_of(st.integers(1, 60), st.integers(1, 2**92))
weeks = st.one_of(st.sampled_from([1, 2, 51, 52, 53]), st.integers(0, MOST_WEEKS))
verbs = st.sampled_from(
    [
        "lock",
        "increase",
        "extend",
        "start_renewal",
        "stop_renewal",
        "withdraw",
        "exit_early",
        "claim",
        "claim_penalties",
    ]
)
steps = st.lists(
    st.one_of(
        st.tuples(verbs, st.integers(0, USERS - 1), amounts, weeks),
        st.tuples(st.just("notify"), st.just(0), st.integers(1, 2**90), st.just(0)),
        st.tuples(st.just("advance"), st.just(0), st.just(0), st.integers(1, 60)),
    ),
    max_size=40,
)


class Pair:
    """The same steps in both models; what came in is counted, and what was paid."""

    def __init__(self, floor: int, penalty_bps: int) -> None:
        self.fast = Escrow(START, floor, penalty_bps)
        self.slow = SlowEscrow(START, floor, [SlowLock() for _ in range(USERS)])
        self.positions = [Position() for _ in range(USERS)]
        self.paid = [[0, 0] for _ in range(USERS)]
        self.changes = 0
        self.revenue_in, self.penalties_in, self.principal = 0, 0, 0

    def step(self, verb: str, user: int, amount: int, weeks: int) -> None:
        if verb == "notify":
            self.fast.notify(amount)
            self.slow.revenue += amount
            self.revenue_in += amount
        elif verb == "advance":
            for _ in range(weeks):
                self.fast.advance()
                self.slow.advance()
        else:
            self._act(verb, user, amount, weeks)

    def _act(self, verb: str, user: int, amount: int, weeks: int) -> None:
        position, slow = self.positions[user], self.slow.locks[user]
        before, penalty = position.principal, self.fast.exit_penalty_up(position)
        arguments = {"lock": (amount, weeks), "increase": (amount,), "extend": (weeks,)}.get(verb, ())
        try:
            out = getattr(self.fast, verb)(position, *arguments)
        except Invalid:
            return
        self.changes += 1
        if verb == "claim":
            self.paid[user][0] += out
        elif verb == "claim_penalties":
            self.paid[user][1] += out
        elif verb == "exit_early":
            assert out == before - penalty
            self.slow.fresh_penalties += penalty
            self.penalties_in += penalty
        elif verb == "withdraw":
            assert out == before
        self.principal += position.principal - before
        if verb not in ("withdraw", "claim", "claim_penalties"):
            held = position.lock
            slow.amount, slow.end, slow.renewal = held.amount, held.end, held.renewal

    def check(self) -> None:
        fast, slow = self.fast, self.slow
        assert fast.week == slow.week
        assert fast.weights[fast.week] == sum(each.weight for each in slow.locks)
        assert fast.revenue.waiting == slow.revenue
        assert fast.waiting_penalties == slow.penalties + slow.fresh_penalties
        assert self.principal == sum(each.principal for each in self.positions)
        due = [0, 0]
        for position, plain, paid in zip(self.positions, slow.locks, self.paid, strict=True):
            assert fast.score_down(position) == plain.weight // MOST_WEEKS
            for at, (rest, exact) in enumerate(
                zip(fast.claimable(position), (plain.revenue_due, plain.penalties_due), strict=True)
            ):
                assert 0 <= exact - (paid[at] + rest) * SCALE < SCALE * (2 * self.changes + 3)
                due[at] += paid[at] + rest
        lost = (2 * self.changes + 3) * USERS + fast.week - START
        assert 0 <= self.revenue_in - due[0] - fast.revenue.waiting <= lost
        assert 0 <= self.penalties_in - due[1] - fast.waiting_penalties <= lost


@given(steps, st.sampled_from([0, 1, 40, 10**6]), st.sampled_from([0, 1_000, 5_000]))
def test_the_sums_give_what_week_by_week_division_gives(steps, floor, penalty_bps):
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
