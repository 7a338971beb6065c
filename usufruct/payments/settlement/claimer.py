"""Claims what was charged and has it paid out to the assets, exactly once: one claimer for each chain and till.

A claimer first finishes what an earlier run began. Claims without a batch were never sent and are planned again; a
batch without a transaction gets it; one with a transaction is waited for, however long that takes, and never made
again.
"""

import logging
from collections.abc import Sequence

from usufruct.chain import Revert, Sender
from usufruct.core import Address, Hash32
from usufruct.payments.ledger import Account, Claim, FaultHook, no_faults
from usufruct.payments.settlement.account_sync import AccountSync
from usufruct.payments.settlement.claim_batches import ClaimBatches
from usufruct.payments.settlement.errors import BatchRefused
from usufruct.payments.settlement.funding_source import FundingSource, SettledElsewhere
from usufruct.payments.settlement.lease import Lease
from usufruct.payments.settlement.model import Batch, BatchKind, ClaimPolicy, Payee, RefusedClaim, SettlementContext
from usufruct.payments.settlement.payouts import Payouts
from usufruct.payments.settlement.store import QuarantinedAccount, all_quarantined, quarantine, unfinished_batches

_log = logging.getLogger(__name__)

_PAGE = 1000
_FIRST_RETRY = 900
_LAST_RETRY = 86_400


class Claimer:
    """Claims for one till with one claim key."""

    def __init__(
        self,
        context: SettlementContext,
        sender: Sender,
        payees: Payee,
        remainder_to: Address,
        sync: AccountSync,
        *,
        policy: ClaimPolicy | None = None,
        faults: FaultHook = no_faults,
        lease: Lease | None = None,
    ) -> None:
        self._context = context
        self._sender = sender
        self._sync = sync
        self._policy = policy or ClaimPolicy()
        self._faults = faults
        name = f"claim/{context.escrow.chain_id}/{context.terms.till}"
        self.lease = lease or Lease(context.database, name, self._policy.lease_seconds)
        """The right to claim."""
        self._payouts = Payouts(context, payees, remainder_to)
        self._batches = ClaimBatches(
            context, sync, sender, self._payouts, self.lease, policy=self._policy, faults=faults
        )

    async def run(self, *, everything: bool = False) -> list[Batch]:
        """Finish what was begun, then claim what is due (or `everything` there is), and return the batches that ended.

        Does nothing while another process claims.

        Raises:
            RpcUnavailable: when the node does not answer; everything is where it was.
            BatchRefused: when the till refuses this claimer as such.
        """
        if not await self.lease.hold():
            return []
        ended = await self._resume()
        refusals: list[BatchRefused] = []
        claimable = self._sync.by_source(await self._claimable())
        for source, accounts in claimable:
            for each in await source.settled_elsewhere(accounts, self._payouts, self._sync.observe):
                ended += await self._catch_up(source, each)
        for source, accounts in claimable:
            chosen = accounts if everything else await self._due(source, accounts)
            for group in await source.settlement_groups(chosen, self._sender.address):
                try:
                    ended += await self._settle(source, group)
                except BatchRefused as refusal:
                    refusals.append(refusal)
        if refusals:
            raise refusals[0]
        return ended

    async def transactions(self, batch: Batch) -> list[Hash32]:
        """Return the transactions of a batch that were sent, in order."""
        sent = [await self._sender.find(key) for key in batch.keys]
        return [each.hash for each in sent if each is not None and each.hash is not None]

    async def _resume(self) -> list[Batch]:
        """Advance the batches that have not ended, fail claims that were never sent; return the batches that ended."""
        async with self._context.database.snapshot() as unit:
            batches = await unfinished_batches(unit)
        ended = [batch for batch in [await self._batches.advance(batch) for batch in batches] if batch is not None]
        travelling = {member.claim_id for batch in batches for member in batch.members}
        pending = await self._context.ledger.pending_claims()
        await self._batches.fail([claim for claim in pending if claim.id not in travelling])
        return ended

    async def _claimable(self) -> list[Account]:
        """Return accounts with something to claim or split; those in quarantine only if their money is leaving."""
        now = await self._context.database.now()
        async with self._context.database.snapshot() as unit:
            quarantined = await all_quarantined(unit)
        waiting = {id_ for id_, each in quarantined.items() if each.retry_at > now}
        found: list[Account] = []
        last: Account | None = None
        while page := await self._context.ledger.claimable(_PAGE, last):
            last = page[-1]
            found += [each for each in page if each.reading.withdraw_at or each.id not in waiting]
        return found

    async def _due(self, source: FundingSource, accounts: Sequence[Account]) -> list[Account]:
        now = await self._context.database.now()
        since = await self._context.ledger.unclaimed_since([account.id for account in accounts])
        notice = await source.notice_seconds(accounts)
        return [each for each in accounts if self._policy.due(each, now - since.get(each.id, now), notice[each.id])]

    async def _settle(self, source: FundingSource, group: Sequence[Account]) -> list[Batch]:
        """Plan a claim on each account of a group, on what the chain has of it now, and send what the chain takes."""
        claims: list[Claim] = []
        for account in await self._sync.observe(group):
            if account.reading.total_claimed <= account.total_split:
                claims += await self._batches.plan(account.id)
        self._faults("claim.planned")
        refused = {each.claim.id: each for each in await source.unpayable(claims, self._payouts)}
        sound = [claim for claim in claims if claim.id not in refused]
        sound += [claim for each in refused.values() for claim in await self._shorten(each)]
        kind, token = source.batch_kind, group[0].token
        try:
            batches, unsound = await self._batches.simulate(kind, token, sound)
        except BatchRefused:
            await self._batches.fail(sound)
            raise
        for each in unsound:
            await self._quarantine(each)
        return await self._batches.send(kind, token, batches)

    async def _shorten(self, refused: RefusedClaim) -> list[Claim]:
        """Plan what comes before the first call that cannot be paid; quarantine the account if nothing does.

        Calls tile an account in the order in which they were charged: what comes after that call waits for it.
        """
        claim, position = refused.claim, await self._first_unpayable(refused)
        if position <= claim.split_from:
            await self._quarantine(refused)
            return []
        _log.warning("account %s is claimed up to %d only: %s", claim.account, position, refused.reason.message)
        await self._batches.fail([claim])
        return await self._batches.plan(claim.account, position)

    async def _first_unpayable(self, refused: RefusedClaim) -> int:
        """Return the position in the account at which the first call begins that cannot be paid."""
        position = refused.claim.split_from
        while calls := await self._context.ledger.metered(refused.claim.account, position, _PAGE):
            for call in calls:
                charge = call.bill.charge if call.bill else 0
                if charge and call.cumulative is not None and call.asset in refused.unpayable:
                    return call.cumulative - charge
            position = calls[-1].cumulative or position
        return position

    async def _catch_up(self, source: FundingSource, elsewhere: SettledElsewhere) -> list[Batch]:
        """Split, or only note, what was settled elsewhere, account by account as far as the chain's total goes."""
        claims: list[Claim] = []
        for account in elsewhere.accounts[: self._policy.most_rows]:
            claims += await self._batches.plan(account.id, account.reading.total_claimed)
        refused = {each.claim.id: each for each in await source.unpayable(claims, self._payouts)}
        for each in refused.values():
            await self._quarantine(each)
        if not (claims := [claim for claim in claims if claim.id not in refused]):
            return []
        amount = sum(claim.cumulative - claim.split_from for claim in claims)
        if elsewhere.misdirected:
            self._context.counters.misdirected += amount
            token = elsewhere.token
            _log.error("%d of %s were claimed elsewhere, and the till has paid them out already", amount, token)
        elif elsewhere.kind is BatchKind.SPLIT:
            self._context.counters.elsewhere += amount
        return await self._batches.send(elsewhere.kind, elsewhere.token, [claims])

    async def _quarantine(self, refused: RefusedClaim) -> None:
        """Fail a refused claim and keep its account back: twice as long after each refusal in a row, up to a day."""
        account, reason = refused.claim.account, refused.reason
        now = await self._context.database.now()
        async with self._context.database.transaction() as unit:
            before = (await all_quarantined(unit)).get(account)
            times = before.times + 1 if before else 1
            retry_at = now + min(_LAST_RETRY, _FIRST_RETRY << min(times - 1, 10))
            await quarantine(unit, QuarantinedAccount(account, reason.code, reason.message, times, retry_at))
        await self._batches.fail([refused.claim])
        self._context.counters.quarantined[type(reason).__name__ if isinstance(reason, Revert) else reason.code] += 1
        _log.error("account %s is quarantined: %s", account, reason.message)
