"""Pays what a token once refused to pay, or what was above a payee's daily cap: the till owes it, and this sends it on.

The payees are those that the batches of this installation, the only ones that split, noted when they were mined. When
each is tried again is not stored: a try that the chain would refuse is seen in the simulation and costs nothing.
"""

import logging
from dataclasses import dataclass

from usufruct.chain import Call, GasOverLimit, Revert, Sender, Sent, State
from usufruct.chain.contracts.till import Till
from usufruct.core import Address, Clock
from usufruct.payments.ledger import new_id
from usufruct.payments.settlement.lease import Lease
from usufruct.payments.settlement.model import SettlementContext
from usufruct.payments.settlement.store import all_owed, end_owed

_log = logging.getLogger(__name__)

_DAY = 86_400


@dataclass(frozen=True, slots=True)
class DeferredPayoutPolicy:
    """How eagerly to try.

    A payee is tried after `first_seconds` again, and while the chain refuses twice as late each time, up to
    `last_seconds`; at most `most_tries` in a round, with `most_gas` each.
    """

    first_seconds: int = 900
    last_seconds: int = 86_400
    most_tries: int = 20
    most_gas: int = 1_000_000
    wait_seconds: float = 60.0
    lease_seconds: int = 300


@dataclass(slots=True)
class _Turn:
    """When a payee is tried again, by the monotonic clock; `times`: refusals in a row."""

    times: int = 0
    at: float = float("-inf")


class DeferredPayouts:
    """Pays for one till; one process at a time, by a lease."""

    def __init__(
        self, context: SettlementContext, sender: Sender, clock: Clock, *, policy: DeferredPayoutPolicy | None = None
    ) -> None:
        """Send with any key that can pay for gas."""
        self._context = context
        self._sender = sender
        self._clock = clock
        self._policy = policy or DeferredPayoutPolicy()
        self._till = Till(context.terms.till, context.client)
        self.lease = Lease(
            context.database, f"owed/{context.escrow.chain_id}/{context.terms.till}", self._policy.lease_seconds
        )
        self._turns: dict[tuple[Address, Address], _Turn] = {}
        """Of the payees and tokens that are owed now."""

    async def run(self) -> int:
        """Pay the payees that can be paid now and return their number; no request is made while nothing is owed.

        Raises:
            RpcUnavailable: when the node does not answer; everything is where it was.
        """
        if not await self.lease.hold():
            return 0
        tokens = [token for token in self._context.terms.tokens if await self._till.total_owed(token)]
        if not tokens:
            return 0
        async with self._context.database.snapshot() as unit:
            owed = await all_owed(unit)
        self._turns = {who: self._turns.get(who) or _Turn() for who in owed}
        now = self._clock.monotonic()
        due = sorted((turn.at, who) for who, turn in self._turns.items() if turn.at <= now and who[1] in tokens)
        paid = 0
        for _, who in due[: self._policy.most_tries]:
            paid += await self.lease.hold() and await self._pay(*who, owed[who])
        return paid

    async def _pay(self, pay_to: Address, token: Address, since: int) -> bool:
        """Pay one payee if the chain lets us, and say when it is their turn again; the till owes them since a block."""
        turn = self._turns[pay_to, token]
        if not await self._till.room_today(pay_to, token):
            head = await self._context.client.head()  # caps hold for a day of the chain's clock
            rest = _DAY - head.timestamp % _DAY
            turn.at = self._clock.monotonic() + min(self._policy.first_seconds, rest)
            return False
        sent = await self._sent(self._till.pay_owed(pay_to, token), await self._till.owed(pay_to, token))
        if sent is not None and sent.state is State.PENDING:
            sent = await self._sender.wait(sent.key, self._policy.wait_seconds)
            if sent.state is State.PENDING:
                return False
        paid = sent is not None and sent.state is State.CONFIRMED
        turn.times = 0 if paid else turn.times + 1
        wait = self._policy.first_seconds << min(max(0, turn.times - 1), 20)
        turn.at = self._clock.monotonic() + min(self._policy.last_seconds, wait)
        if paid:
            self._context.counters.owed_paid += 1
            _log.info("%s was paid what the till owed it", pay_to, extra={"token": token})
            if not await self._till.owed(pay_to, token):
                async with self._context.database.transaction() as unit:
                    await end_owed(unit, pay_to, token, since)
        return paid

    async def _sent(self, call: Call, amount: int) -> Sent | None:
        """Return the payment's transaction, which is made unless one is under way; None when there can be none."""
        if under_way := await self._sender.unfinished(call):
            return under_way
        if not amount:
            return None
        try:
            return await self._sender.send(call, f"owed/{new_id()}", most_gas=self._policy.most_gas)
        except (Revert, GasOverLimit) as refusal:
            _log.info("the till still cannot pay what it owes: %s", refusal.message)
            return None
