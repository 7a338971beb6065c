"""Sends batches of claims and records how they end; each step is durable before the next and can be repeated.

::

    plan_claim --> batch and members noted --> outbox, broadcast --> final --> confirm_claim
                                                                       |
                                                                       +--> reverted: fail_claim, planned again

A claim is a total, not a difference, and a till refuses splits that do not equal what its batch brings: even two
claimers that both believe they hold the lease cannot claim the same money twice.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from usufruct.chain import Call, Receipt, Revert, Sender, Sent, State, keccak
from usufruct.chain.contracts.till import Capped, Deferred
from usufruct.core import Address, Hash32, hash32_from_bytes
from usufruct.payments.ledger import Claim, ClaimPending, FaultHook, NothingToClaim, new_id, no_faults
from usufruct.payments.settlement import store
from usufruct.payments.settlement.account_sync import AccountSync
from usufruct.payments.settlement.anchoring import digests_of, root_of
from usufruct.payments.settlement.errors import BatchRefused, ReadingUnsettled
from usufruct.payments.settlement.lease import Lease
from usufruct.payments.settlement.model import (
    Batch,
    BatchKind,
    BatchState,
    ClaimPolicy,
    RefusedClaim,
    SettlementContext,
    members_of,
)
from usufruct.payments.settlement.payouts import Payouts

_log = logging.getLogger(__name__)

Simulated = tuple[list[list[Claim]], list[RefusedClaim]]
"""Claims that the chain would take, by batch, and those it would not."""


@dataclass(frozen=True, slots=True)
class ClaimBatches:
    """Simulates, sends and records batches with one claim key."""

    context: SettlementContext
    sync: AccountSync
    sender: Sender
    payouts: Payouts
    lease: Lease
    policy: ClaimPolicy
    faults: FaultHook = no_faults

    # Claims

    async def plan(self, account: Hash32, up_to: int | None = None) -> list[Claim]:
        """Plan a claim on an account, at most `up_to`; none when nothing is to be claimed or a claim is pending."""
        try:
            return [await self.context.ledger.plan_claim(new_id(), account, up_to)]
        except (NothingToClaim, ClaimPending):
            return []

    async def fail(self, claims: Sequence[Claim]) -> None:
        """Give claims up, to be planned again."""
        for claim in claims:
            await self.context.ledger.fail_claim(claim)
        self.context.counters.failed += len(claims)

    # Simulation

    async def simulate(self, kind: BatchKind, token: Address, claims: Sequence[Claim]) -> Simulated:
        """Divide claims into batches that the chain would take now and claims that it refuses.

        A batch refused because of one of its claims is halved until that claim is found; the rest is tried again.

        Raises:
            BatchRefused: when the till refuses everything from this key.
            RpcUnavailable: when the node does not answer.
        """
        batches: list[list[Claim]] = []
        refused: list[RefusedClaim] = []
        for start in range(0, len(claims), self.policy.most_rows):
            sound, wrong = await self._simulate(kind, token, claims[start : start + self.policy.most_rows])
            refused += wrong
            if wrong and len(sound) > 1:
                sound, wrong = await self._simulate(kind, token, [claim for batch in sound for claim in batch])
                refused += wrong
            batches += sound
        return batches, refused

    async def _simulate(self, kind: BatchKind, token: Address, claims: Sequence[Claim]) -> Simulated:
        if not claims:
            return [], []
        source, till, key = self.sync.source_of(kind.source), self.context.terms.till, self.sender.address
        call = await source.settlement_call(kind, token, claims, self.payouts)
        try:
            gas = 0 if call is None else await self.context.client.estimate(call, key)
        except Revert as refusal:
            if not source.blames_claim(refusal, self.payouts):
                raise BatchRefused(
                    f"till {till} refuses batches of claim key {key}: {refusal.message}",
                    till=till,
                    claim_key=key,
                    reason=type(refusal).__name__,
                ) from refusal
            if len(claims) == 1:
                return [], [RefusedClaim(claims[0], refusal)]
        else:
            if gas <= self.policy.most_gas or len(claims) == 1:
                return [list(claims)], []
        half = len(claims) // 2
        batches, refused = await self._simulate(kind, token, claims[:half])
        more_batches, more_refused = await self._simulate(kind, token, claims[half:])
        return batches + more_batches, refused + more_refused

    # Batches

    async def send(self, kind: BatchKind, token: Address, batches: Sequence[Sequence[Claim]]) -> list[Batch]:
        """Write batches down, send them, then wait for each: they share blocks. Return those that ended."""
        noted = [await self._note(kind, token, claims) for claims in batches]
        first = [await self.advance(batch, wait=False) for batch in noted]
        waiting = [batch for batch, end in zip(noted, first, strict=True) if end is None]
        ends = first + [await self.advance(batch) for batch in waiting]
        return [batch for batch in ends if batch is not None]

    async def advance(self, batch: Batch, *, wait: bool = True) -> Batch | None:
        """Take a batch as far as it goes now; return it when it has ended."""
        done: list[Sent] = []
        while len(done) < len(batch.keys):
            if not await self.lease.hold():
                return None
            key = batch.keys[len(done)]
            sent = await self.sender.find(key) or await self._send(batch, len(done))
            if sent is not None and sent.state is State.PENDING and wait:
                sent = await self.sender.wait(key, self.policy.wait_seconds)
            if sent is None and done:  # what it anchors has happened: anchoring is retried
                _log.error("batch %s: its receipts cannot be anchored now", batch.id)
                return None
            if sent is None or sent.state in (State.REVERTED, State.DISPLACED):
                return await self._give_up(batch, sent)
            if sent.state is State.PENDING:
                return None
            done.append(sent)
            if batch.kind is BatchKind.BURN and len(done) == 1:
                batch = await self._without_skipped(batch, sent)
        self.faults("batch.confirmed")
        return await self._confirm(batch, done)

    async def _note(self, kind: BatchKind, token: Address, claims: Sequence[Claim]) -> Batch:
        """Write a batch down before anything is sent."""
        members = members_of(claims)
        digests = await digests_of(self.context, members)
        id_ = hash32_from_bytes(keccak(b"".join(bytes.fromhex(claim.id[2:]) for claim in claims)))
        split_key = await self._split_key(token) if kind is BatchKind.SPLIT else None
        batch = Batch(id_, kind, token, split_key, root_of(digests), len(digests), BatchState.PLANNED, members)
        async with self.context.database.transaction() as unit:
            await store.add_batch(unit, batch)
        for claim in claims if batch.keys else ():
            await self.context.ledger.send_claim(claim, batch.keys[0])
        self.faults("batch.noted")
        return batch

    async def _split_key(self, token: Address) -> str:
        """Name the split that comes after all splits so far: two claimers cannot both send it."""
        base = (await self.payouts.till.total_split(token)).claimed  # each split has its own
        prefix = f"split/{self.context.terms.till}/{token}/{base}/"
        async with self.context.database.snapshot() as unit:
            return f"{prefix}{await store.count_split_keys(unit, prefix)}"

    async def _send(self, batch: Batch, index: int) -> Sent | None:
        """Hand one of a batch's transactions to the sender; None when the chain refuses it, or a claim has ended."""
        claims = await self._claims(batch)
        if len(claims) != len(batch.members):
            return None
        try:
            sent = await self.sender.send((await self._calls(batch, claims))[index], batch.keys[index])
        except Revert as refusal:
            _log.warning("batch %s is refused: %s", batch.id, refusal.message)
            return None
        self.faults("batch.sent")
        return sent

    async def _calls(self, batch: Batch, claims: Sequence[Claim]) -> list[Call]:
        """Return a batch's transactions in the order of its keys; the same claims give the same calls."""
        source = self.sync.source_of(batch.kind.source)
        first = await source.settlement_call(batch.kind, batch.token, claims, self.payouts)
        anchor = None if batch.kind is BatchKind.CLAIM else self.payouts.anchor(batch)
        return [call for call in (first, anchor) if call is not None]

    async def _without_skipped(self, batch: Batch, sent: Sent) -> Batch:
        """Take out of a batch the claims that its mined transaction left out.

        They fail, and are planned again on what the chain then has; this batch does not anchor their receipts.

        Raises:
            ReadingUnsettled: when the node does not have the transaction's receipt now.
        """
        logs = (await self._receipt(sent)).logs
        lost = await self.sync.source_of(batch.kind.source).left_out(await self._claims(batch), logs)
        if not lost:
            return batch
        gone = {claim.id for claim in lost}
        rest = tuple(member for member in batch.members if member.claim_id not in gone)
        digests = await digests_of(self.context, rest)
        async with self.context.database.transaction() as unit:
            await store.drop_members(unit, batch.id, sorted(gone), root_of(digests), len(digests))
        self.faults("batch.shrunk")
        await self.fail(lost)
        self.context.counters.burns_skipped += len(lost)
        for claim in lost:
            _log.error("account %s: its credits were refunded before they could be burned", claim.account)
        return replace(batch, members=rest, root=root_of(digests), receipts=len(digests))

    async def _receipt(self, sent: Sent) -> Receipt:
        receipt = await self.context.client.receipt(sent.hash) if sent.hash else None
        if receipt is None:
            raise ReadingUnsettled(f"the node has no receipt of transaction {sent.hash} now; try again", hash=sent.hash)
        return receipt

    async def _confirm(self, batch: Batch, done: Sequence[Sent]) -> Batch:
        for sent in done:
            await self._note_owed(await self._receipt(sent))
        claims = await self._claims(batch)
        for claim in claims:
            await self.context.ledger.confirm_claim(claim)
        self.context.counters.claimed += len(claims)
        async with self.context.database.transaction() as unit:
            await store.end_quarantine(unit, [member.account_id for member in batch.members])
        return await self._end(batch, BatchState.CONFIRMED, done[-1] if done else None)

    async def _note_owed(self, receipt: Receipt) -> None:
        """Note the payees that the till could not pay, or not yet; it owes them, and `DeferredPayouts` pays later."""
        capped = Capped.among(receipt.logs, self.context.terms.till)
        deferred = Deferred.among(receipt.logs, self.context.terms.till)
        owed = {(each.pay_to, each.token) for each in capped} | {(each.pay_to, each.token) for each in deferred}
        if not owed:
            return
        async with self.context.database.transaction() as unit:
            for pay_to, token in sorted(owed):
                await store.note_owed(unit, pay_to, token, receipt.block_number)
        self.context.counters.capped += len(capped)
        self.context.counters.deferred += len(deferred)
        for late in capped:
            _log.warning("%s has had today's cap: the till owes %d of %s", late.pay_to, late.owed, late.token)
        for refused in deferred:
            _log.error("%s refused %d of %s: the till owes it", refused.pay_to, refused.amount, refused.token)

    async def _give_up(self, batch: Batch, last: Sent | None) -> Batch:
        """End a batch that moved nothing; its claims are planned again, on what the chain then has."""
        if last is not None:
            self.context.counters.reverted += 1
            _log.error("batch %s: transaction %s is %s", batch.id, last.hash, last.state)
        await self.fail(await self._claims(batch))
        return await self._end(batch, BatchState.FAILED, last)

    async def _end(self, batch: Batch, state: BatchState, last: Sent | None) -> Batch:
        hash_, block = (last.hash, last.block) if last else (None, None)
        async with self.context.database.transaction() as unit:
            await store.end_batch(unit, batch.id, state, hash_, block)
        _log.info("batch %s is %s", batch.id, state, extra={"transaction": hash_, "accounts": len(batch.members)})
        return replace(batch, state=state, hash=hash_, block=block)

    async def _claims(self, batch: Batch) -> list[Claim]:
        """Return a batch's claims that have not ended, in its order."""
        pending = await self.context.ledger.find_pending([member.claim_id for member in batch.members])
        return [pending[member.claim_id] for member in batch.members if member.claim_id in pending]
