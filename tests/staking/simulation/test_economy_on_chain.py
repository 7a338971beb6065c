"""A small economy and the contract: the same decisions, week by week, give the same money to the unit."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.support.escrow_devnet import BATCH, FUNDS, OWNER, EscrowDevnet, escrow_devnet
from usufruct.chain import Call
from usufruct.core import Address
from usufruct.staking.lock_model import WEEK_SECONDS
from usufruct.staking.simulation import Assumptions, simulate
from usufruct.staking.simulation.economy import FIRST_WEEK, Economy
from usufruct.staking.simulation.escrow import Escrow, Position

pytestmark = pytest.mark.anvil

TOKEN = 10**18
VERBS = {
    "lock",
    "increase",
    "extend",
    "start_renewal",
    "withdraw",
    "exit_early",
    "claim",
    "claim_penalties",
}
"""What people in a simulation do."""
SMALL = Assumptions(
    weeks=20,
    actors=6,
    supply=1_000_000,
    score_floor=20_000,
    claim_weeks=2,
    visit_weeks=1.5,
    return_weeks=2,
    reinvest_percent=50,
    exit_percent=10,
)


class RecordedEscrow:
    """The escrow of a simulation; `decisions` are the verbs of people in order, with what each paid."""

    def __init__(self, escrow: Escrow) -> None:
        self._escrow = escrow
        self.decisions: list[tuple[str, Position, tuple[int, ...], int]] = []

    def __getattr__(self, name: str) -> object:
        member = getattr(self._escrow, name)
        return self._recorded(name, member) if name in VERBS else member

    def _recorded(self, verb: str, act: Callable[..., int | None]) -> Callable[..., int | None]:
        def acted(position: Position, *arguments: int) -> int | None:
            if verb == "exit_early":
                arguments = (self._escrow.exit_penalty_up(position),)
                paid = act(position)
            else:
                paid = act(position, *arguments)
            self.decisions.append((verb, position, arguments, paid or 0))
            return paid

        return acted


class Replay:
    """An economy whose decisions are sent to a contract. The first staker is the observer."""

    def __init__(self, chain: EscrowDevnet, assumptions: Assumptions) -> None:
        self.chain = chain
        self.economy = Economy(assumptions)
        self.tokens, self.dollars = [FUNDS] * len(chain.stakers), [0] * len(chain.stakers)
        self.penalties = 0
        """What was paid to those who stayed."""
        self.done: set[str] = set()
        observer = self.economy.observer
        self.recorded = RecordedEscrow(self.economy.escrow)
        self.recorded.decisions = [
            ("lock", observer, (observer.principal, 52), 0),
            ("start_renewal", observer, (), 0),
        ]
        self.economy.escrow = self.recorded

    async def live(self) -> None:
        """Live through a week in both, and compare them at the start of the next."""
        economy, week, received = self.economy, self.economy.escrow.week, self.economy.revenue.received
        economy.step()
        calls = self.chain.earn(economy.revenue.received - received)
        calls += [self._call(*decision) for decision in self.recorded.decisions]
        self.recorded.decisions.clear()
        for first in range(0, len(calls), BATCH):
            at = week * WEEK_SECONDS + WEEK_SECONDS // 2 + first
            assert all(await self.chain.send(at, calls[first : first + BATCH]))
        roll = (OWNER, self.chain.escrow.roll(1))
        assert await self.chain.send((week + 1) * WEEK_SECONDS, [roll]) == [True]
        await self._compare()

    def _call(self, verb: str, position: Position, arguments: tuple[int, ...], paid: int) -> tuple[Address, Call]:
        account = [each is position for each in self.economy.positions].index(True)
        staker, escrow = self.chain.stakers[account], self.chain.escrow
        self.done.add(verb)
        if verb in ("lock", "increase"):
            self.tokens[account] -= arguments[0]
        elif verb == "claim":
            self.dollars[account] += paid
        else:
            self.tokens[account] += paid
            self.penalties += paid if verb == "claim_penalties" else 0
        if verb in ("withdraw", "exit_early", "claim", "claim_penalties"):
            arguments = (*arguments, staker)
        return staker, getattr(escrow, verb)(*arguments)

    async def _compare(self) -> None:
        chain, escrow, model = self.chain, self.chain.escrow, self.economy.escrow
        found = await asyncio.gather(
            escrow.week(),
            escrow.total_weight_at(model.week),
            escrow.total_score(),
            chain.token.balance_of(escrow.address),
            chain.dollar.balance_of(escrow.address),
        )
        held = self.economy.revenue.held
        assert found == [
            model.week,
            model.weights[model.week],
            model.total_score,
            self.economy.tokens.escrow,
            held,
        ]
        revenue, penalties = await asyncio.gather(escrow.revenue(), escrow.waiting_penalties())
        assert (revenue.waiting, revenue.held) == (model.revenue.waiting, held)
        assert penalties.earlier + penalties.fresh == model.waiting_penalties
        for account, position in enumerate(self.economy.positions):
            await self._compare_account(account, position)

    async def _compare_account(self, account: int, position: Position) -> None:
        chain, escrow, model, staker = self.chain, self.chain.escrow, self.economy.escrow, self.chain.stakers[account]
        score, due, view, tokens, dollars = await asyncio.gather(
            escrow.score_of(staker),
            escrow.claimable(staker),
            escrow.lock_of(staker),
            chain.token.balance_of(staker),
            chain.dollar.balance_of(staker),
        )
        assert score == model.score_down(position)
        assert (due.revenue, due.penalties) == model.claimable(position)
        assert view.amount == position.principal
        assert (tokens, dollars) == (self.tokens[account], self.dollars[account])


@pytest.mark.parametrize("seed", [1, 2, 6])
async def test_a_simulated_economy_is_what_the_contract_makes_of_the_same_decisions(seed: int):
    assumptions = replace(SMALL, seed=seed)
    async with escrow_devnet(
        FIRST_WEEK * WEEK_SECONDS,
        stakers=SMALL.actors + 1,
        score_floor=SMALL.score_floor * TOKEN,
        exit_penalty_bps=SMALL.exit_penalty_bps,
    ) as chain:
        replay = Replay(chain, assumptions)
        for _ in range(SMALL.weeks):
            await replay.live()
        books = await chain.escrow.revenue()
    assert replay.done == VERBS
    assert replay.penalties > 0
    report = simulate(assumptions)
    assert report.revenue_paid_units == sum(replay.dollars) > 0
    assert report.revenue_received_units == sum(replay.dollars) + books.held
