"""Gives unused money back: what was requested, and without anyone asking when its payer is done here.

The ledger sets the amount aside before the transaction is made, so no call can reserve it any more; the money is the
payer's again, in the ledger and on the chain, when the transaction is final. A refund takes nothing that is charged or
reserved, claimed or not. A gateway sets money aside and waits; a process with a claim key sends it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from usufruct.chain import Outbox, Revert, Sender, State
from usufruct.chain.contracts.till import Till
from usufruct.core import Conflict, Hash32, PaymentRequired, Unavailable
from usufruct.payments.ledger import Account, AccountKind, AccountReading, RefundTooHigh, Transfer, WrongState, new_id
from usufruct.payments.settlement.account_sync import AccountSync
from usufruct.payments.settlement.errors import NothingToRefund
from usufruct.payments.settlement.model import RefundPolicy, SettlementContext, on_chain
from usufruct.payments.settlement.reading_store import find_readings
from usufruct.store import Database

_log = logging.getLogger(__name__)

_LOOK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Refunded:
    """A refund that is final: the channel after it, what went back to the payer, and in which transaction."""

    channel: Account
    amount: int
    transaction: Hash32 | None


class RefundRequests:
    """What a gateway does about refunds; it holds no key that could send one."""

    def __init__(self, context: SettlementContext, sync: AccountSync, policy: RefundPolicy | None = None) -> None:
        """Set money aside in the ledger, under `policy`."""
        self._context = context
        self._sync = sync
        self._policy = policy or RefundPolicy()
        self._outbox = Outbox(context.database, context.escrow.chain_id)

    async def refund(self, channel: Hash32, amount: int | None = None) -> Refunded:
        """Give a channel's free money back to its payer now: all of it, or `amount`; or finish a refund that is begun.

        Raises:
            NothingToRefund: when nothing is free.
            RefundTooHigh: when less than `amount` is free.
            Unavailable: when the transaction is not final yet; it is finished by the next `run`.
            Conflict: when the chain refused it; the money is free again.
            RpcUnavailable: when the node does not answer.
        """
        planned = await self._under_way(channel) or await self._plan(
            await self._context.ledger.account(channel), amount
        )
        ended = await self._ended(planned)
        if ended is None:
            message = f"the refund of {planned.amount} from channel {channel} is on its way"
            raise Unavailable(message, code="refund_pending", channel=channel)
        if not ended:
            message = f"the refund of {planned.amount} from channel {channel} failed"
            raise Conflict(message, code="refund_failed", channel=channel)
        sent = await self._outbox.find(planned.outbox_id)
        return Refunded(await self._context.ledger.account(channel), planned.amount, sent.hash if sent else None)

    async def request(self, channel: Hash32, amount: int | None = None, *, proven: bool = True) -> Refunded:
        """Give money back on request; `proven`: the caller showed what only the payer's side has.

        Raises:
            PaymentRequired: when we paid gas for this channel a short time ago, or, unless `proven`, it is in use; or
                when a part is asked for that the gas would eat.
            NothingToRefund, RefundTooHigh, Unavailable, Conflict, RpcUnavailable: as `refund`.
        """
        if not await self._under_way(channel):
            await self._check(channel, amount, proven=proven)
        return await self.refund(channel, amount)

    async def begin(self, channel: Hash32) -> None:
        """Set all free money of a channel aside for its payer, unless a refund is under way; a worker sends it.

        Raises:
            PaymentRequired: as `request`.
            NothingToRefund: when nothing is free.
            RpcUnavailable: when the node does not answer.
        """
        if await self._under_way(channel):
            return
        await self._check(channel, None, proven=True)
        try:
            await self._plan(await self._context.ledger.account(channel))
        except (NothingToRefund, RefundTooHigh):
            if not await self._under_way(channel):  # another request at the same moment began it
                raise

    async def _check(self, channel: Hash32, amount: int | None, *, proven: bool) -> None:
        """Refuse a request that comes too soon or asks for too little; raises as `request`."""
        policy, now = self._policy, await self._context.database.now()
        last = await self._context.ledger.last_paid_for(channel)
        rest, waits = "the last deposit or refund", policy.cooling_seconds
        if not proven:
            rest, waits = "the last call", max(waits, policy.idle_seconds)
            last = max(last, (await self._context.ledger.account(channel)).last_call_at)
        if now < last + waits:
            raise PaymentRequired(
                f"{rest} of channel {channel} is too fresh; ask again in {last + waits - now} s, or withdraw on the "
                "chain yourself",
                code="refund_too_soon",
                channel=channel,
                seconds=last + waits - now,
            )
        if amount is not None and amount < policy.least:
            raise PaymentRequired(
                f"a part must be at least {policy.least}, not {amount}; ask for all of it, or more",
                code="refund_too_small",
                least=policy.least,
            )

    async def _under_way(self, channel: Hash32) -> Transfer | None:
        return next(iter(await self._context.ledger.pending_refunds(channel)), None)

    async def _ended(self, transfer: Transfer) -> bool | None:
        """Wait for a worker to send a refund: True when it is confirmed, False when it failed, None when pending."""
        try:
            async with asyncio.timeout(self._policy.wait_seconds):
                while True:
                    ended = await self._context.ledger.refund_ended(transfer.account, int(transfer.nonce))
                    if ended is not None:
                        return ended
                    await asyncio.sleep(_LOOK_SECONDS)
        except TimeoutError:
            return None

    async def _plan(self, channel: Account, amount: int | None = None) -> Transfer:
        """Set free money, or `amount` of it, aside, under the nonce that the chain gives the channel's next refund."""
        id_ = channel.reading.id
        channel = (await self._sync.observe([channel]))[0]
        if channel.free == 0:
            raise NothingToRefund(
                f"channel {id_} holds {channel.reading.balance}, of which nothing is free",
                channel=id_,
                balance=channel.reading.balance,
                charged=channel.charged,
                reserved=channel.reserved,
            )
        nonce = await self._sync.channels.refund_nonce(id_)
        transfer = Transfer(id_, nonce, channel.free if amount is None else amount, f"refund/{new_id()}")
        await self._context.ledger.plan_refund(id_, int(transfer.nonce), transfer.amount, transfer.outbox_id)
        return transfer


class Refunds(RefundRequests):
    """Refunds out of one till, sent with a claim key."""

    def __init__(
        self,
        context: SettlementContext,
        sender: Sender,
        sync: AccountSync,
        leaving: Callable[[], Awaitable[Sequence[Hash32]]],
        policy: RefundPolicy | None = None,
    ) -> None:
        """Send refunds; `leaving` tells the channels whose money is of no more use here."""
        super().__init__(context, sync, policy)
        self._sender = sender
        self._leaving = leaving
        self._till = Till(context.terms.till, context.client)

    async def serve(self) -> int:
        """Send refunds that were requested, and note those that ended, without a wait.

        Returns how many were confirmed.
        """
        return sum([bool(await self._advance(each, 0)) for each in await self._context.ledger.pending_refunds()])

    async def run(self) -> int:
        """Finish refunds that were begun, refund what is due, and return how many were confirmed."""
        confirmed = 0
        for transfer in await self._context.ledger.pending_refunds():
            confirmed += bool(await self._ended(transfer))
        for channel in await self._due():
            try:
                confirmed += bool(await self._ended(await self._plan(channel)))
            except (NothingToRefund, RefundTooHigh) as changed:
                _log.info("%s", changed.message)
        return confirmed

    async def _due(self) -> list[Account]:
        now = await self._context.database.now()
        leaving = frozenset(await self._leaving())
        found: list[Account] = []
        after: Hash32 | None = None
        before = now - self._policy.idle_seconds
        while page := await self._context.ledger.resting(AccountKind.ESCROW_CHANNEL, before, after):
            after = page[-1].id
            enough = [channel for channel in page if channel.free >= self._policy.least]
            since = await last_touched(self._context.database, enough)
            for channel in enough:
                idle = now - since.get(channel.reading.id, now)
                if channel.reading.id in leaving or idle >= self._policy.forgotten_seconds:
                    found.append(channel)
        return found

    async def _ended(self, transfer: Transfer) -> bool | None:
        """Send a refund and wait for its end."""
        return await self._advance(transfer, self._policy.wait_seconds)

    async def _advance(self, transfer: Transfer, wait_seconds: float) -> bool | None:
        """Take a refund as far as it goes now: True when it is confirmed, False when it failed, None when pending."""
        config = await self._sync.channels.registry.config(transfer.account)
        sent = await self._sender.find(transfer.outbox_id)
        if sent is None:
            try:
                call = self._till.refund(on_chain(config), transfer.amount)
                sent = await self._sender.send(call, transfer.outbox_id)
            except Revert as refusal:
                _log.error("refund of channel %s is refused: %s", transfer.account, refusal.message)
                return await self._end(transfer, None)
        if sent.state is State.PENDING:
            sent = await self._sender.wait(transfer.outbox_id, wait_seconds)
        if sent.state is State.PENDING:
            return None
        if sent.state is not State.CONFIRMED or sent.block is None:
            _log.error("refund of channel %s: transaction %s is %s", transfer.account, sent.hash, sent.state)
            return await self._end(transfer, None)
        account = await self._context.ledger.account(transfer.account)
        reading = await self._sync.observe_after(account, sent.block)
        if reading is None:
            return None
        return await self._end(transfer, reading)

    async def _end(self, transfer: Transfer, reading: AccountReading | None) -> bool:
        """Note a refund's end, once, and tell whether it was confirmed."""
        try:
            await self._context.ledger.finish_refund(transfer.account, int(transfer.nonce), reading)
        except WrongState:
            _log.info("refund %s of channel %s was ended by another process", transfer.nonce, transfer.account)
        else:
            self._context.counters.refunded += reading is not None
            self._context.counters.refunds_failed += reading is None
        return reading is not None


async def last_touched(database: Database, channels: Sequence[Account]) -> Mapping[Hash32, int]:
    """Return when each channel was last used: by its newest event on the chain, or its newest call."""
    async with database.snapshot() as unit:
        events = await find_readings(unit, [channel.id for channel in channels])
    return {each.id: max(events[each.id].event_at, each.last_call_at) for each in channels if each.id in events}
