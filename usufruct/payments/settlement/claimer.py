"""Claims what was charged and has it paid out to the assets, exactly once.

One claimer for each chain and till, by a lease. A claim's life::

    plan_claim --> batch and members noted --> outbox, broadcast --> final --> confirm_claim
       |                                                               |
       +--> refused in the simulation: set aside, tried later          +--> reverted: fail_claim, planned anew

Each arrow is durable before the next begins, and each step can be taken again: a claimer that starts looks for what the
last one left. Claims without a batch were never sent and are planned anew; a batch without a transaction gets it; one
with a transaction is waited for, however long that takes, and never made again. A row is a total, not a difference, and
a till refuses splits that do not equal what its batch brings: even two claimers that both believe they are alone cannot
claim the same money twice.

What others claimed (a batch relayed with a claim key's signature) is in the till, unsplit. It is split first, channel
by channel as far as the chain's total goes, and anchored by a transaction of its own.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace

from usufruct.chain import Revert, Sender, Sent, State
from usufruct.chain.contracts.access_pass import BurnSkipped
from usufruct.chain.contracts.till import Capped, Deferred
from usufruct.core import Address, Hash32
from usufruct.payments.ledger import Account, Claim, ClaimPending, FaultHook, NothingToClaim, new_id, no_faults
from usufruct.payments.pricing import plan_of
from usufruct.payments.settlement.account_sync import AccountSync
from usufruct.payments.settlement.anchoring import digests_of, root_of
from usufruct.payments.settlement.errors import BatchRefused, ReadingUnsettled
from usufruct.payments.settlement.lease import Lease
from usufruct.payments.settlement.model import (
    Batch,
    BatchKind,
    BatchState,
    ClaimPolicy,
    Counters,
    Payee,
    SettlementContext,
)
from usufruct.payments.settlement.planner import Batcher, RefusedClaim, batch_id, members_of
from usufruct.payments.settlement.store import (
    QuarantinedAccount,
    add_batch,
    all_set_aside,
    batch_keys,
    drop_members,
    end_batch,
    put_aside,
    split_keys,
    take_back,
    unfinished_batches,
)

_log = logging.getLogger(__name__)

_PAGE = 1000
_FIRST_RETRY = 900
_LAST_RETRY = 86_400


class Claimer:
    """Claims for one till with one claim key."""

    def __init__(
        self,
        side: SettlementContext,
        sender: Sender,
        payees: Payee,
        remainder_to: Address,
        observer: AccountSync,
        *,
        policy: ClaimPolicy | None = None,
        counters: Counters | None = None,
        points: FaultHook = no_faults,
        lease: Lease | None = None,
    ) -> None:
        self._side = side
        self._sender = sender
        self._observer = observer
        self._policy = policy or ClaimPolicy()
        self._batcher = Batcher(side, payees, remainder_to, sender.address)
        self._points = points
        self._lease = lease or Lease(
            side.database, f"claim/{side.escrow.chain_id}/{side.terms.till}", self._policy.lease_seconds
        )
        self.counters = counters or Counters()

    async def run(self, *, everything: bool = False) -> list[Batch]:
        """Finish what was begun, then claim what is due (or `everything` there is), and return the batches that ended.

        Does nothing while another process claims.

        Raises:
            RpcUnavailable: when the node does not answer; everything is where it was.
            BatchRefused: when the till refuses this claimer as such.
        """
        if not await self.take():
            return []
        ended = await self._resume()
        channels = await self._claimable()
        ended += await self._claimed_elsewhere(channels)
        due = channels if everything else await self._due(channels)
        escrows, accounts = self._by_kind(due)
        refusals = []
        for token in sorted({channel.reading.config.token for channel in escrows}):
            claims = await self._plan([each for each in escrows if each.reading.config.token == token])
            try:
                ended += await self._claim(token, claims)
            except BatchRefused as refusal:
                refusals.append(refusal)
        ended += await self._burn(accounts)
        if refusals:
            raise refusals[0]
        return ended

    def _by_kind(self, channels: Sequence[Account]) -> tuple[list[Account], list[Account]]:
        """Divide channels of the escrow and accounts of pass credits."""
        kinds: tuple[list[Account], list[Account]] = ([], [])
        for channel in channels:
            kinds[self._side.holds_credits(channel.reading.config)].append(channel)
        return kinds

    async def take(self) -> bool:
        """Become the one that claims, or go on being it; False while another process is."""
        return await self._lease.hold()

    async def release(self) -> None:
        """Let another process claim at once."""
        await self._lease.release()

    async def set_aside(self) -> list[QuarantinedAccount]:
        """Return the channels that the chain would not let us claim, and why; each is tried again by itself."""
        async with self._side.database.snapshot() as unit:
            return list((await all_set_aside(unit)).values())

    async def transactions(self, batch: Batch) -> list[Hash32]:
        """Return the transactions of a batch that were sent, in order."""
        sent = [await self._sender.find(key) for key in batch.keys]
        return [each.hash for each in sent if each is not None and each.hash is not None]

    # What was begun

    async def _resume(self) -> list[Batch]:
        async with self._side.database.snapshot() as unit:
            batches = await unfinished_batches(unit)
        ended = [batch for batch in [await self._advance(batch) for batch in batches] if batch is not None]
        travelling = {member.claim for batch in batches for member in batch.members}
        pending = await self._side.ledger.pending_claims()
        await self._fail([claim for claim in pending if claim.id not in travelling])
        return ended

    # What is due

    async def _claimable(self) -> list[Account]:
        """Return channels with something to claim or split that are not set aside; withdrawn ones wait for nothing."""
        now = await self._side.database.now()
        async with self._side.database.snapshot() as unit:
            waiting = {channel for channel, aside in (await all_set_aside(unit)).items() if aside.retry_at > now}
        found: list[Account] = []
        last: Account | None = None
        while page := await self._side.ledger.claimable(_PAGE, last):
            last = page[-1]
            found += [each for each in page if each.reading.withdraw_at or each.reading.id not in waiting]
        return found

    async def _due(self, channels: Sequence[Account]) -> list[Account]:
        now = await self._side.database.now()
        policy = self._policy
        return [
            channel
            for channel in channels
            if policy.urgent(channel) or policy.overdue(channel, await self._age(channel, now))
        ]

    async def _age(self, channel: Account, now: int) -> int:
        """Return for how many seconds the oldest call has been charged that is not claimed yet."""
        calls = await self._side.ledger.metered(channel.reading.id, channel.total_split, 1)
        return now - (calls[0].finished_at or now) if calls else 0

    async def _plan(self, channels: Sequence[Account]) -> list[Claim]:
        """Plan a claim on each channel, on what the chain says about it now."""
        claims = []
        for channel in await self._observer.observe([channel.reading.config for channel in channels]):
            if channel.reading.total_claimed <= channel.total_split:
                claims += await self._plan_one(channel.reading.id)
        self._points("claim.planned")
        return claims

    async def _plan_one(self, channel: Hash32, up_to: int | None = None) -> list[Claim]:
        try:
            return [await self._side.ledger.plan_claim(new_id(), channel, up_to)]
        except (NothingToClaim, ClaimPending):
            return []

    # Claim and split

    async def _claim(self, token: Address, claims: Sequence[Claim]) -> list[Batch]:
        payable = await self._batcher.payable(claims)
        sound = payable.batches[0] + [each for refused in payable.refused for each in await self._shorten(refused)]
        try:
            return await self._sort_and_send(BatchKind.CLAIM, token, sound)
        except BatchRefused:
            await self._fail(sound)
            raise

    async def _burn(self, accounts: Sequence[Account]) -> list[Batch]:
        """Burn the credits that calls used, plan by plan; each burn pays its purchase price to the asset's Shares.

        Only the meter that they were activated for can: accounts of an earlier claim key wait for it.
        """
        ended: list[Batch] = []
        mine = [each for each in accounts if each.reading.config.receiver == self._sender.address]
        for plan in sorted({plan_of(account.reading.config) for account in mine}):
            claims = await self._plan([each for each in mine if plan_of(each.reading.config) == plan])
            if claims:
                ended += await self._sort_and_send(BatchKind.BURN, claims[0].config.token, claims)
        return ended

    async def _sort_and_send(self, kind: BatchKind, token: Address, claims: Sequence[Claim]) -> list[Batch]:
        policy = self._policy
        found = await self._batcher.sort(kind, token, claims, policy.most_gas, policy.most_rows)
        for refused in found.refused:
            await self._put_aside(refused)
        return await self._send_all([await self._note(kind, token, each) for each in found.batches])

    async def _shorten(self, refused: RefusedClaim) -> list[Claim]:
        """Plan what comes before the first call that cannot be paid; with nothing before it, the channel is set aside.

        Calls tile a channel in the order in which they were charged: what comes after that call waits for it.
        """
        claim, position = refused.claim, await self._first_unpayable(refused)
        if position <= claim.split_from:
            await self._put_aside(refused)
            return []
        _log.warning("channel %s is claimed up to %d only: %s", claim.account, position, refused.reason.message)
        await self._fail([claim])
        return await self._plan_one(claim.account, position)

    async def _first_unpayable(self, refused: RefusedClaim) -> int:
        """Return the position in the channel at which the first call begins that cannot be paid."""
        position = refused.claim.split_from
        while calls := await self._side.ledger.metered(refused.claim.account, position, _PAGE):
            for call in calls:
                position, charge = call.cumulative or position, call.bill.charge if call.bill else 0
                if charge and call.asset in refused.unpayable:
                    return position - charge
        return position

    async def _put_aside(self, refused: RefusedClaim) -> None:
        channel, reason = refused.claim.account, refused.reason
        now = await self._side.database.now()
        async with self._side.database.transaction() as unit:
            before = (await all_set_aside(unit)).get(channel)
            times = before.times + 1 if before else 1
            wait = min(_LAST_RETRY, _FIRST_RETRY << min(times - 1, 10))
            await put_aside(unit, QuarantinedAccount(channel, reason.code, reason.message, times, now + wait))
        await self._fail([refused.claim])
        self.counters.set_aside += 1
        name = type(reason).__name__ if isinstance(reason, Revert) else reason.code
        self.counters.by_reason[name] = self.counters.by_reason.get(name, 0) + 1
        _log.error("channel %s is set aside: %s", channel, reason.message)

    # What was claimed elsewhere

    async def _claimed_elsewhere(self, channels: Sequence[Account]) -> list[Batch]:
        """Split what reached the till without us; what it has paid out already is only noted, as are burns."""
        escrows, accounts = self._by_kind(channels)
        ended = await self._burned_elsewhere(accounts)
        for token in sorted({channel.reading.config.token for channel in escrows}):
            unsplit = await self._batcher.unsplit(token)
            mine = [channel for channel in escrows if channel.reading.config.token == token]
            if unsplit:
                mine = await self._observer.observe([channel.reading.config for channel in mine])
            ahead = [channel for channel in mine if channel.reading.total_claimed > channel.total_split]
            if not ahead:
                continue
            there: list[Account] = []
            gone: list[Account] = []
            for channel in ahead:
                amount = channel.reading.total_claimed - channel.total_split
                (there if amount <= unsplit else gone).append(channel)
                unsplit -= amount if amount <= unsplit else 0
            ended += await self._split(BatchKind.SPLIT, token, there)
            ended += await self._split(BatchKind.NOTED, token, gone)
        return ended

    async def _burned_elsewhere(self, accounts: Sequence[Account]) -> list[Batch]:
        """Note burns that our records do not have: the database was restored. They paid the Shares then."""
        claims = []
        for account in accounts:
            if account.reading.total_claimed > account.total_split:
                claims += await self._plan_one(account.reading.id, account.reading.total_claimed)
        if not claims:
            return []
        return await self._send_all([await self._note(BatchKind.NOTED, claims[0].config.token, claims)])

    async def _split(self, kind: BatchKind, token: Address, channels: Sequence[Account]) -> list[Batch]:
        claims = []
        for channel in channels[: self._policy.most_rows]:
            claims += await self._plan_one(channel.reading.id, channel.reading.total_claimed)
        payable = await self._batcher.payable(claims)
        for refused in payable.refused:
            await self._put_aside(refused)
        if not (claims := payable.batches[0]):
            return []
        amount = sum(claim.cumulative - claim.split_from for claim in claims)
        if kind is BatchKind.NOTED:
            self.counters.misdirected += amount
            _log.error("%d of %s were claimed elsewhere, and the till has paid them out already", amount, token)
        else:
            self.counters.elsewhere += amount
        return await self._send_all([await self._note(kind, token, claims)])

    # From a batch to its end

    async def _note(self, kind: BatchKind, token: Address, claims: Sequence[Claim]) -> Batch:
        """Write a batch down before anything is sent."""
        members = members_of(claims)
        digests = await digests_of(self._side, members)
        id_ = batch_id(claims)
        split_key = await self._split_key(token) if kind is BatchKind.SPLIT else None
        keys = batch_keys(id_, kind, split_key, len(digests))
        batch = Batch(id_, kind, token, keys, root_of(digests), len(digests), BatchState.PLANNED, members)
        async with self._side.database.transaction() as unit:
            await add_batch(unit, batch)
        for claim in claims if keys else ():
            await self._side.ledger.send_claim(claim, keys[0])
        self._points("batch.noted")
        return batch

    async def _split_key(self, token: Address) -> str:
        """Name the split that comes after all splits so far: two claimers cannot both send it."""
        prefix = f"split/{self._side.terms.till}/{token}/{await self._batcher.split_base(token)}/"
        async with self._side.database.snapshot() as unit:
            return f"{prefix}{await split_keys(unit, prefix)}"

    async def _send_all(self, batches: Sequence[Batch]) -> list[Batch]:
        """Send batches, then wait for each: they share blocks."""
        first = [await self._advance(batch, wait=False) for batch in batches]
        waiting = [batch for batch, end in zip(batches, first, strict=True) if end is None]
        ends = first + [await self._advance(batch) for batch in waiting]
        return [batch for batch in ends if batch is not None]

    async def _advance(self, batch: Batch, *, wait: bool = True) -> Batch | None:
        """Take a batch as far as it goes now; returns it when it has ended."""
        done: list[Sent] = []
        while len(done) < len(batch.keys):
            if not await self._lease.hold():
                return None
            key = batch.keys[len(done)]
            sent = await self._sender.find(key) or await self._send(batch, len(done))
            if sent is not None and sent.state is State.PENDING and wait:
                sent = await self._sender.wait(key, self._policy.wait_seconds)
            if sent is None and done:  # what it anchors has happened: it goes on being tried
                _log.error("batch %s: its receipts cannot be anchored now", batch.id)
                return None
            if sent is None or sent.state in (State.REVERTED, State.DISPLACED):
                return await self._give_up(batch, sent)
            if sent.state is State.PENDING:
                return None
            done.append(sent)
            if batch.kind is BatchKind.BURN and len(done) == 1:
                batch = await self._without_skipped(batch, sent)
        self._points("batch.confirmed")
        return await self._confirm(batch, done)

    async def _send(self, batch: Batch, index: int) -> Sent | None:
        """Hand one of a batch's transactions to the sender; None when the chain refuses it, or it is not to be sent."""
        claims = await self._claims(batch)
        if len(claims) != len(batch.members):
            return None
        try:
            sent = await self._sender.send((await self._batcher.calls(batch, claims))[index], batch.keys[index])
        except Revert as refusal:
            _log.warning("batch %s is refused: %s", batch.id, refusal.message)
            return None
        self._points("batch.sent")
        return sent

    async def _without_skipped(self, batch: Batch, burn: Sent) -> Batch:
        """Take out of a batch the accounts that its burn left out: their credits were refunded first.

        Their claims fail, and are planned again on what the chain has of the account then; their receipts are not
        anchored by this batch.

        Raises:
            ReadingUnsettled: when the burn's receipt is not there now.
        """
        assert self._side.passes is not None
        receipt = await self._side.client.receipt(burn.hash) if burn.hash else None
        if receipt is None:
            raise ReadingUnsettled(f"the node has no receipt of transaction {burn.hash} now; try again", hash=burn.hash)
        holders = {skipped.holder for skipped in BurnSkipped.among(receipt.logs, self._side.passes.contract)}
        lost = [claim for claim in await self._claims(batch) if claim.config.payer in holders]
        if not lost:
            return batch
        gone = {claim.id for claim in lost}
        rest = tuple(member for member in batch.members if member.claim not in gone)
        digests = await digests_of(self._side, rest)
        async with self._side.database.transaction() as unit:
            await drop_members(unit, batch.id, sorted(gone), root_of(digests), len(digests))
        self._points("batch.shrunk")
        await self._fail(lost)
        self.counters.burns_skipped += len(lost)
        for claim in lost:
            _log.error("account %s: its credits were refunded before they could be burned", claim.account)
        keys = batch_keys(batch.id, batch.kind, None, len(digests))
        return replace(batch, members=rest, root=root_of(digests), count=len(digests), keys=keys)

    async def _confirm(self, batch: Batch, done: Sequence[Sent]) -> Batch:
        claims = await self._claims(batch)
        for claim in claims:
            await self._side.ledger.confirm_claim(claim)
        self.counters.claimed += len(claims)
        async with self._side.database.transaction() as unit:
            await take_back(unit, [member.channel for member in batch.members])
        for sent in done:
            await self._look_for_owed(sent.hash)
        return await self._end(batch, BatchState.CONFIRMED, done[-1] if done else None)

    async def _look_for_owed(self, hash_: Hash32 | None) -> None:
        """Count the payees that could not be paid, or not yet; the till owes them, and anyone may send it on."""
        receipt = await self._side.client.receipt(hash_) if hash_ else None
        for capped in Capped.among(receipt.logs if receipt else (), self._side.terms.till):
            self.counters.capped += 1
            _log.warning("%s has had today's cap: the till owes %d of %s", capped.pay_to, capped.owed, capped.token)
        for deferred in Deferred.among(receipt.logs if receipt else (), self._side.terms.till):
            self.counters.deferred += 1
            _log.error("%s refused %d of %s: the till owes it", deferred.pay_to, deferred.amount, deferred.token)

    async def _give_up(self, batch: Batch, last: Sent | None) -> Batch:
        """End a batch of which nothing happened; its claims are planned anew, on what the chain says then."""
        if last is not None:
            self.counters.reverted += 1
            _log.error("batch %s: transaction %s is %s", batch.id, last.hash, last.state)
        await self._fail(await self._claims(batch))
        return await self._end(batch, BatchState.FAILED, last)

    async def _end(self, batch: Batch, state: BatchState, last: Sent | None) -> Batch:
        hash_, block = (last.hash, last.block) if last else (None, None)
        async with self._side.database.transaction() as unit:
            await end_batch(unit, batch.id, state, hash_, block)
        _log.info("batch %s is %s", batch.id, state, extra={"transaction": hash_, "channels": len(batch.members)})
        return replace(batch, state=state, hash=hash_, block=block)

    async def _fail(self, claims: Sequence[Claim]) -> None:
        for claim in claims:
            await self._side.ledger.fail_claim(claim)
        self.counters.failed += len(claims)

    async def _claims(self, batch: Batch) -> list[Claim]:
        """Return a batch's claims that have not ended, in its order."""
        pending = {claim.id: claim for claim in await self._side.ledger.pending_claims()}
        return [pending[member.claim] for member in batch.members if member.claim in pending]
