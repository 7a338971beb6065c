"""What a wish would do to an account's lock: checked by the contract's rules, and shown before anything is signed."""

import asyncio
from dataclasses import dataclass, replace

from usufruct.chain import Call
from usufruct.core import Address, divide_down, format_units, moment
from usufruct.staking.errors import InvalidStake, StakeRefused, StakeUnfunded
from usufruct.staking.lock_model import Lock, income_down, score_down
from usufruct.staking.reinvestments import ReinvestQuote
from usufruct.staking.stakes import EscrowTerms, Stake, Stakes
from usufruct_client.stake_documents import StakeWish

_NO_LOCK = Lock(0, 0)


@dataclass(frozen=True, slots=True)
class StakeChange:
    """What a wish would do, as of the newest block; amounts are atomic units.

    `after`: the lock as it counts from the next week on; `ends_at`: when it can be withdrawn then, Unix seconds, by the
    contract; 0 without one. `paid`: tokens that are returned, less the `penalty`. `locked`: tokens that it takes.
    `quote`: what revenue buys that is reinvested, of which the wish's `amount` is the least; `after` has the least.
    """

    wish: StakeWish
    terms: EscrowTerms
    stake: Stake
    calls: list[Call]
    after: Lock
    ends_at: int
    locked: int = 0
    paid: int = 0
    penalty: int = 0
    quote: ReinvestQuote | None = None

    @property
    def weight(self) -> int:
        """The weight of the next week."""
        return self.after.weight_at(self.terms.week + 1)

    @property
    def score(self) -> int:
        """The Staking Score of the next week."""
        return score_down(self.weight)

    def weekly_income_down(self, revenue: int) -> int:
        """Return what the lock would get in the next week of a week's revenue, if no other lock changed."""
        first = self.terms.week + 1
        return income_down(self.after, first, 1, revenue, self.terms.next_weight - self.stake.next_weight)


class StakeChanges:
    """Reads wishes. Questions raise `RpcUnavailable`."""

    def __init__(self, stakes: Stakes) -> None:
        """Check wishes by what `stakes` reads."""
        self.stakes = stakes

    async def read(self, wish: StakeWish) -> StakeChange:
        """Return what a wish would do now.

        Raises:
            InvalidStake: when it lacks what its action needs.
            StakeUnfunded: when the account holds fewer tokens than it wants to lock.
            StakeRefused: when the contract would refuse it; names the reason.
        """
        stake, terms = await asyncio.gather(self.stakes.of(wish.account), self.stakes.terms())
        match wish.action:
            case "lock" | "increase":
                return await self._adds(wish, stake, terms)
            case "extend" | "renew" | "stopRenewal":
                return await self._moves_end(wish, stake, terms)
            case "withdraw" | "exit":
                return self._ends(wish, stake, terms)
            case "claim" | "delegate":
                return self._keeps(wish, stake, terms)
            case "reinvest":
                return await self._reinvests(wish, stake, terms)

    async def _adds(self, wish: StakeWish, stake: Stake, terms: EscrowTerms) -> StakeChange:
        amount, lock = amount_of(wish), stake.lock
        if not amount:
            raise InvalidStake("`amount` is 0; name the tokens to lock, in atomic units", field="amount")
        if amount > stake.held:
            held = format_units(stake.held, terms.token.decimals)
            raise StakeUnfunded(f"the account holds {held} {terms.token.symbol}; lock less", field="amount")
        if wish.action == "lock":
            weeks = weeks_of(wish)
            if lock.amount:
                raise _refused("the account has a lock; increase or extend it", "locked")
            call, after = self.stakes.escrow.lock(amount, weeks), Lock(amount, terms.week + 1 + weeks)
            return StakeChange(wish, terms, stake, [call], after, await self._end_after(weeks), locked=amount)
        _check_locked(lock)
        if not lock.weeks_left(terms.week + 1):
            raise _refused(f"the lock ends at {moment(stake.ends_at)}; extend it first", "ending")
        after = Lock(lock.amount + amount, lock.end, lock.renewal)
        calls = [self.stakes.escrow.increase(amount)]
        return StakeChange(wish, terms, stake, calls, after, stake.ends_at, locked=amount)

    async def _reinvests(self, wish: StakeWish, stake: Stake, terms: EscrowTerms) -> StakeChange:
        lock, reinvestments = stake.lock, self.stakes.reinvestments
        _check_locked(lock)
        if not lock.weeks_left(terms.week + 1):
            raise _refused(f"the lock ends at {moment(stake.ends_at)}; extend it first", "ending")
        if not stake.revenue:
            raise _refused("no revenue is due now; it can be reinvested when its week is over", "nothing")
        quote = await reinvestments.quote(stake.revenue)
        least = quote.min_out() if wish.amount is None else wish.amount
        if least > quote.expected:
            shown = format_units(quote.expected, terms.token.decimals)
            raise _refused(f"the market would give {shown} {terms.token.symbol} now, less than `amount`", "market")
        calls, wish = [reinvestments.call(least, stake.now)], replace(wish, amount=least)
        after = Lock(lock.amount + least, lock.end, lock.renewal)
        return StakeChange(wish, terms, stake, calls, after, stake.ends_at, quote=quote)

    async def _moves_end(self, wish: StakeWish, stake: Stake, terms: EscrowTerms) -> StakeChange:
        lock, first = stake.lock, terms.week + 1
        _check_locked(lock)
        left = lock.weeks_left(first)
        if wish.action == "extend":
            weeks = weeks_of(wish)
            if weeks <= left:
                raise _refused(f"the lock has {left} weeks left; name more, at most 52", "not_longer")
            after = Lock(lock.amount, 0, weeks) if lock.renewal else Lock(lock.amount, first + weeks)
            return StakeChange(wish, terms, stake, [self.stakes.extend(weeks)], after, await self._end_after(weeks))
        starts = wish.action == "renew"
        if starts == bool(lock.renewal):
            raise _refused(f"the lock renews itself {'already' if starts else 'not'}", "renewal")
        if not left:
            raise _refused(f"the lock ends at {moment(stake.ends_at)}; extend it first", "ending")
        after = Lock(lock.amount, 0, left) if starts else Lock(lock.amount, first + left)
        return StakeChange(wish, terms, stake, [self.stakes.renew(on=starts)], after, await self._end_after(left))

    def _ends(self, wish: StakeWish, stake: Stake, terms: EscrowTerms) -> StakeChange:
        lock, to = stake.lock, wish.to or wish.account
        _check_locked(lock)
        if wish.action == "withdraw":
            if not stake.ended:
                raise _refused(f"the lock has not ended; it can be withdrawn from {moment(stake.ends_at)}", "not_ended")
            return StakeChange(wish, terms, stake, [self.stakes.withdraw(to)], _NO_LOCK, 0, paid=lock.amount)
        penalty, most = stake.exit_penalty, amount_of(wish)
        if not terms.exit_penalty_bps:
            raise _refused("early exits are closed; the lock stays until its end", "exit_closed")
        if stake.ended:
            raise _refused("the lock has ended; withdraw it, without a penalty", "ended")
        if penalty > most:
            shown = format_units(penalty, terms.token.decimals)
            raise _refused(f"the penalty is {shown} {terms.token.symbol} now, above `amount`", "penalty")
        paid = lock.amount - penalty
        return StakeChange(wish, terms, stake, [self.stakes.exit(most, to)], _NO_LOCK, 0, paid=paid, penalty=penalty)

    def _keeps(self, wish: StakeWish, stake: Stake, terms: EscrowTerms) -> StakeChange:
        if wish.action == "claim":
            calls = self.stakes.claim(stake, wish.to or wish.account)
            if not calls:
                raise _refused("there is nothing to claim now; revenue can be claimed when its week is over", "nothing")
        else:
            calls = [self.stakes.delegate(delegate_of(wish))]
        return StakeChange(wish, terms, stake, calls, stake.lock, stake.ends_at)

    async def _end_after(self, weeks: int) -> int:
        return await self.stakes.escrow.end_after(weeks)


def score_share(score: int, total: int) -> float:
    """Return a score's part of a total, 0 to 1, to show it."""
    return divide_down(score * 10**9, total) / 10**9 if total else 0.0


def amount_of(wish: StakeWish) -> int:
    """Return a wish's amount; raises `InvalidStake` without one."""
    if wish.amount is None:
        raise InvalidStake(f"`amount` is missing; {wish.action} needs it, in atomic units", field="amount")
    return wish.amount


def weeks_of(wish: StakeWish) -> int:
    """Return a wish's weeks; raises `InvalidStake` without any."""
    if wish.weeks is None:
        raise InvalidStake(f"`weeks` is missing; {wish.action} needs 1 to 52", field="weeks")
    return wish.weeks


def delegate_of(wish: StakeWish) -> Address:
    """Return the account that is to vote; raises `InvalidStake` without one."""
    if wish.to is None:
        raise InvalidStake("`to` is missing; delegate needs the account that is to vote", field="to")
    return wish.to


def _check_locked(lock: Lock) -> None:
    if not lock.amount:
        raise _refused("the account has no lock; lock tokens first", "no_lock")


def _refused(message: str, reason: str) -> StakeRefused:
    return StakeRefused(message, reason=reason)
