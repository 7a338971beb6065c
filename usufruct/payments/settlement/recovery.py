"""What a claimer does about the past: finish what was begun, keep refused claims back, undo what the chain took back.

Claims without a batch were never sent and are planned again; a batch without a transaction gets it; one with a
transaction is waited for, however long that takes, and never made again.
"""

import logging

from usufruct.chain import Revert
from usufruct.core import Hash32
from usufruct.payments.settlement.executor import Executor
from usufruct.payments.settlement.model import Batch, Counters, SettlementContext
from usufruct.payments.settlement.planner import RefusedClaim, retry_seconds
from usufruct.payments.settlement.store import (
    QuarantinedAccount,
    all_quarantined,
    quarantine,
    undo_batches,
    unfinished_batches,
)
from usufruct.store import Database

_log = logging.getLogger(__name__)


class Recovery:
    """Finishes what an earlier run left, and keeps refused claims back."""

    def __init__(self, context: SettlementContext, executor: Executor, counters: Counters) -> None:
        self._context = context
        self._executor = executor
        self._counters = counters

    async def resume(self) -> list[Batch]:
        """Advance the batches that have not ended, fail claims that were never sent; return the batches that ended."""
        async with self._context.database.snapshot() as unit:
            batches = await unfinished_batches(unit)
        ended = [batch for batch in [await self._executor.advance(batch) for batch in batches] if batch is not None]
        travelling = {member.claim for batch in batches for member in batch.members}
        pending = await self._context.ledger.pending_claims()
        await self._executor.fail([claim for claim in pending if claim.id not in travelling])
        return ended

    async def quarantine(self, refused: RefusedClaim) -> None:
        """Fail a refused claim and keep its account back, longer after each refusal."""
        account, reason = refused.claim.account, refused.reason
        now = await self._context.database.now()
        async with self._context.database.transaction() as unit:
            before = (await all_quarantined(unit)).get(account)
            times = before.times + 1 if before else 1
            retry_at = now + retry_seconds(times)
            await quarantine(unit, QuarantinedAccount(account, reason.code, reason.message, times, retry_at))
        await self._executor.fail([refused.claim])
        self._counters.quarantined += 1
        name = type(reason).__name__ if isinstance(reason, Revert) else reason.code
        self._counters.by_reason[name] = self._counters.by_reason.get(name, 0) + 1
        _log.error("account %s is quarantined: %s", account, reason.message)

    async def quarantined(self) -> list[QuarantinedAccount]:
        """Return the quarantined accounts, and why."""
        async with self._context.database.snapshot() as unit:
            return list((await all_quarantined(unit)).values())


async def undo_claims(database: Database, account: Hash32, position: int) -> None:
    """Note that the chain took back the batches which claimed an account above `position`; they are made again."""
    async with database.transaction() as unit:
        undone = await undo_batches(unit, account, position)
    _log.error("account %s: the chain took back %d batches; they are made again", account, undone)
