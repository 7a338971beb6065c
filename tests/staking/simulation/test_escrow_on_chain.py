"""The contract gives what the slow model gives, to the unit: the same random steps on a devnet.

Steps come in the first and the last second of weeks too, and after weeks without any. Each run ends with the cases
that it reached.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from random import Random

import pytest

from tests.staking.simulation.slow_escrow import SlowEscrow
from tests.support.escrow_devnet import FUNDS, OWNER, EscrowDevnet, escrow_devnet
from usufruct.chain import Call
from usufruct.core import Address, Invalid
from usufruct.staking.lock_model import WEEK_SECONDS

pytestmark = pytest.mark.anvil

FIRST_WEEK = 2_900
TOKEN = 10**18
ACCOUNTS = 5
TURNS = 200
DUST_TURNS = 15
FIRST, LAST = 0, WEEK_SECONDS - 1
MOMENTS = (FIRST, 1, WEEK_SECONDS // 2, LAST)
LOCKER = 0
"""The account that may lock for others."""
OWN_ROLL = 52
"""Weeks that a call of the contract rolls by itself."""
IDLE = {40: OWN_ROLL, 80: OWN_ROLL + 1, 120: 130, 160: OWN_ROLL + 1}
"""Weeks without a call, before which turn."""
VERBS = {
    "lock": 5,
    "lock_for": 2,
    "increase": 3,
    "extend": 3,
    "start_renewal": 3,
    "stop_renewal": 3,
    "withdraw": 3,
    "exit_early": 2,
    "claim": 4,
    "claim_penalties": 3,
    "delegate": 3,
    "set_exit_penalty": 1,
    "set_score_floor": 1,
}
CASES = {
    *VERBS,
    "in the first second of a week",
    "in the last second of a week",
    "lock of 52 weeks",
    "lock of 1 week",
    "lock after a withdrawal",
    "lock_for of a lock that the account has",
    "second change in a week",
    "claim in the week of a change",
    "claim after a withdrawal",
    "claim of penalties",
    "revenue without a score",
    "revenue under the floor",
    "rate at its limit",
    "delegation through the end of a lock",
    "delegation of a lock that renews itself",
    "rolled in parts",
    "withdrawal before the roll",
    "weights before the roll",
}


class Run:
    """The steps of one seed in the contract and in the model, and what both paid."""

    def __init__(self, chain: EscrowDevnet, seed: int) -> None:
        self.chain = chain
        self.draw = Random(seed)
        self.model = SlowEscrow(FIRST_WEEK, 0, 2_500, ACCOUNTS)
        self.week, self.at = FIRST_WEEK, FIRST_WEEK * WEEK_SECONDS
        self.tokens, self.dollars = [FUNDS] * ACCOUNTS, [0] * ACCOUNTS
        self.received = 0
        self.turn, self.account = 0, 0
        self.reached: Counter[str] = Counter()

    # -- steps ---------------------------------------------------------------------------------------------------------

    async def take_turn(self, turn: int) -> None:
        """Go to a later week and act in it, once or twice."""
        self.turn = turn
        moments = sorted(self.draw.sample(MOMENTS, self.draw.choice((1, 2))))
        gap = IDLE.get(turn) or self.draw.choices((1, 2, 3, 9), (8, 2, 1, 1))[0]
        self.week += gap
        if gap > OWN_ROLL:
            moments = [LAST]
            await self._roll_in_parts()
        elif moments[0] != FIRST:
            await self.chain.send(self._time(FIRST))
            self._advance(gap)
            await self._compare_weights()
            self.reached["weights before the roll"] += 1
        else:
            self._advance(gap)
        for moment in moments:
            await self._act(moment)

    async def _act(self, moment: int) -> None:
        """Make a block of random calls, the last of which rolls."""
        calls, expected = [], []
        for _ in range(self.draw.randint(1, 3)):
            sender, call, accepted = self._step()
            calls.append((sender, call))
            expected.append(accepted)
        if any(expected) and moment in (FIRST, LAST):
            self.reached[f"in the {'first' if moment == FIRST else 'last'} second of a week"] += 1
        if revenue := self.draw.choice((0, self.draw.randint(1, 99), self.draw.randint(1, 10**10))):
            calls += self.chain.earn(revenue)
            self.model.notify(revenue)
            self.received += revenue
        else:
            calls.append((OWNER, self.chain.escrow.roll(OWN_ROLL)))
        assert await self.chain.send(self._time(moment), calls) == expected + [True] * (len(calls) - len(expected))
        await self._compare_weights()
        await self._compare_money()

    def _step(self) -> tuple[Address, Call, bool]:
        """Draw a call and take it in the model; return whether the contract must accept it."""
        (verb,) = self.draw.choices(list(VERBS), list(VERBS.values()))
        if self.model.locks[self.account].withdrawn and self.draw.random() < 0.5:
            return self._act_for(self.account, "claim")
        if verb in ("set_exit_penalty", "set_score_floor"):
            return OWNER, self._set(verb), True
        if self.draw.random() < 0.5:  # else the account of the step before: changes of one week meet
            self.account = self.draw.randrange(ACCOUNTS)
        return self._act_for(self.account, verb)

    def _act_for(self, account: int, verb: str) -> tuple[Address, Call, bool]:
        arguments = self._arguments(verb)
        call = self._call(verb, account, arguments)
        accepted = self._take(verb, account, arguments)
        return self.chain.stakers[LOCKER if verb == "lock_for" else account], call, accepted

    def _arguments(self, verb: str) -> tuple[int, ...]:
        draw = self.draw
        dusty = self.turn < DUST_TURNS or draw.random() < 0.2
        amount = draw.randint(1, 60) if dusty else draw.randint(1, 10**20)
        weeks = draw.choice((1, 1, 2, 51, 52, 52, 53, *(draw.randint(1, most) for most in (52, 12, 12))))
        to = draw.randrange(ACCOUNTS)
        of_verb = {
            "lock": (amount, weeks),
            "lock_for": (amount, weeks),
            "increase": (amount,),
            "extend": (weeks,),
            "delegate": (to,),
        }
        return of_verb.get(verb, ())

    def _call(self, verb: str, account: int, arguments: tuple[int, ...]) -> Call:
        escrow, to = self.chain.escrow, self.chain.stakers[account]
        if verb == "delegate":
            return escrow.delegate(self.chain.stakers[arguments[0]])
        if verb == "lock_for":
            return escrow.lock_for(to, *arguments)
        if verb == "exit_early":
            return escrow.exit_early(self.model.exit_penalty_up(account), to)
        if verb in ("withdraw", "claim", "claim_penalties"):
            return getattr(escrow, verb)(to)
        return getattr(escrow, verb)(*arguments)

    def _set(self, verb: str) -> Call:
        self.reached[verb] += 1
        if verb == "set_exit_penalty":
            self.model.exit_penalty_bps = self.draw.choice((0, 1_000, 2_500, 5_000))
            return self.chain.escrow.set_exit_penalty(self.model.exit_penalty_bps)
        self.model.floor = self.draw.choice((0, 1, 3 * TOKEN, 100 * TOKEN))
        return self.chain.escrow.set_score_floor(self.model.floor)

    def _take(self, verb: str, account: int, arguments: Sequence[int]) -> bool:
        lock, week = self.model.locks[account], self.model.week
        was_withdrawn, was_changed, before = lock.withdrawn, lock.changed, lock.principal
        try:
            paid = getattr(self.model, verb)(account, *arguments) or 0
        except Invalid:
            return False
        if verb == "claim":
            self.dollars[account] += paid
        elif verb in ("lock", "lock_for", "increase"):
            self.tokens[LOCKER if verb == "lock_for" else account] += before - lock.principal
        else:
            self.tokens[account] += paid
        locked = verb in ("lock", "lock_for") and before == 0
        self._note(
            {
                verb: True,
                "lock of 52 weeks": locked and arguments[1:] == (52,),
                "lock of 1 week": locked and arguments[1:] == (1,),
                "lock_for of a lock that the account has": verb == "lock_for" and before > 0,
                "lock after a withdrawal": locked and was_withdrawn,
                "second change in a week": was_changed == week and verb in ("increase", "extend", "exit_early"),
                "claim in the week of a change": verb == "claim" and paid > 0 and was_changed == week,
                "claim after a withdrawal": verb == "claim" and paid > 0 and was_withdrawn,
                "claim of penalties": verb == "claim_penalties" and paid > 0,
            }
        )
        return True

    async def _roll_in_parts(self) -> None:
        """Come back after more weeks than a call rolls: changes are refused, withdrawals and claims are not."""
        await self._act_before_the_roll()
        account = self.draw.randrange(ACCOUNTS)
        staker = self.chain.stakers[account]
        self._advance(OWN_ROLL)
        self.dollars[account] += self.model.claim(account)
        assert await self.chain.send(self._time(1), [(staker, self.chain.escrow.claim(staker))]) == [True]
        await self._compare_money()
        moment = 2
        while self.model.week < self.week:
            part = self.draw.randint(0, 40)
            self._advance(min(part, self.week - self.model.week))
            assert await self.chain.send(self._time(moment), [(OWNER, self.chain.escrow.roll(part))]) == [True]
            await self._compare_money()
            self.reached["rolled in parts"] += 1
            moment += 1
        await self._compare_weights()

    async def _act_before_the_roll(self) -> None:
        escrow, stakers, model = self.chain.escrow, self.chain.stakers, self.model
        other = stakers[(model.locks[0].delegate + 1) % ACCOUNTS]
        calls, expected = [(stakers[0], escrow.lock(1, 1)), (stakers[0], escrow.delegate(other))], [False, False]
        for lock in model.locks:
            if lock.principal and not lock.renewal:
                account = lock.account
                self.tokens[account] += model.withdraw(account, self.week)
                calls.append((stakers[account], escrow.withdraw(stakers[account])))
                expected.append(True)
                self.reached["withdrawal before the roll"] += 1
                break
        assert await self.chain.send(self._time(FIRST), calls) == expected

    def _advance(self, weeks: int) -> None:
        model = self.model
        for _ in range(weeks):
            over, total = model.week, model.total_weight(model.week)
            self._note(
                {
                    "revenue without a score": model.waiting > 0 and total == 0,
                    "revenue under the floor": model.waiting > 0 and 0 < total < model.floor * 52,
                }
            )
            model.advance()
            for lock in model.locks:
                if lock.delegates[over] == lock.delegates[over + 1] != lock.account and lock.weights[over]:
                    self._note(
                        {
                            "delegation through the end of a lock": lock.weights[over + 1] == 0,
                            "delegation of a lock that renews itself": lock.renewal > 0,
                        }
                    )
        self._note({"rate at its limit": model.capped_weeks > 0})

    def _note(self, cases: dict[str, bool]) -> None:
        self.reached.update(name for name, reached in cases.items() if reached)

    def _time(self, moment: int) -> int:
        self.at = self.week * WEEK_SECONDS + moment
        return self.at

    # -- comparisons ---------------------------------------------------------------------------------------------------

    async def _compare_weights(self) -> None:
        """Compare weights, scores and votes of this week, the coming one, and a moment of the past."""
        escrow, model, week = self.chain.escrow, self.model, self.week
        past = self.draw.randint(FIRST_WEEK, week)
        moment = min(past * WEEK_SECONDS + self.draw.choice(MOMENTS), self.at - 1)
        past = max(moment // WEEK_SECONDS, FIRST_WEEK)
        whole = await asyncio.gather(
            escrow.week(),
            escrow.total_weight_at(week),
            escrow.total_weight_at(week + 1),
            escrow.total_score(),
            escrow.get_past_total_supply(moment),
        )
        assert whole == [
            week,
            model.total_weight(week),
            sum(map(model.coming_weight, range(ACCOUNTS))),
            model.total_weight(week) // 52,
            model.total_weight(past) // 52,
        ]
        for account, staker in enumerate(self.chain.stakers):
            found = await asyncio.gather(
                escrow.score_of(staker),
                escrow.weight_at(staker, week),
                escrow.weight_at(staker, week + 1),
                escrow.weight_at(staker, past),
                escrow.get_votes(staker),
                escrow.get_past_votes(staker, moment),
                escrow.exit_penalty_of(staker),
            )
            assert found == [
                model.score_down(account),
                model.locks[account].weights[week],
                model.coming_weight(account),
                model.locks[account].weights[past],
                model.votes_down(account, week),
                model.votes_down(account, past),
                model.exit_penalty_up(account),
            ]

    async def _compare_money(self) -> None:
        """Compare what is due, where all money is, and the contract's books."""
        chain, escrow, model = self.chain, self.chain.escrow, self.model
        revenue, penalties, tokens, dollars = await asyncio.gather(
            escrow.revenue(),
            escrow.waiting_penalties(),
            chain.token.balance_of(escrow.address),
            chain.dollar.balance_of(escrow.address),
        )
        held = self.received - sum(self.dollars)
        assert (revenue.waiting, revenue.held, revenue.rolled_week) == (model.waiting, held, model.week)
        assert (penalties.earlier, penalties.fresh) == (model.earlier_penalties, model.fresh_penalties)
        assert (tokens, dollars) == (FUNDS * ACCOUNTS - sum(self.tokens), held)
        for account, (staker, lock) in enumerate(zip(chain.stakers, model.locks, strict=True)):
            due, view, *balances = await asyncio.gather(
                escrow.claimable(staker),
                escrow.lock_of(staker),
                chain.token.balance_of(staker),
                chain.dollar.balance_of(staker),
            )
            assert (due.revenue, due.penalties) == model.claimable(account)
            assert balances == [self.tokens[account], self.dollars[account]]
            end = self.week + 1 + lock.renewal if lock.renewal else lock.end
            known = (lock.amount, end * WEEK_SECONDS, lock.renewal) if lock.principal else (0, 0, 0)
            assert (view.amount, view.ends_at, view.renewal_weeks) == known


@pytest.mark.parametrize("seed", range(6))
async def test_the_same_steps_on_a_chain_pay_the_same_to_the_unit(seed: int):
    made_at = FIRST_WEEK * WEEK_SECONDS
    async with escrow_devnet(made_at, stakers=ACCOUNTS, exit_penalty_bps=2_500) as chain:
        allow = chain.escrow.set_locker(chain.stakers[LOCKER], allowed=True)
        assert await chain.send(made_at + 3, [(OWNER, allow)]) == [True]
        run = Run(chain, seed)
        for turn in range(TURNS):
            await run.take_turn(turn)
    assert CASES - set(run.reached) == set()
