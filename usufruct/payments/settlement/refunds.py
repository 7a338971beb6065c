"""Gives unused money back: what was requested, and without anyone asking when its payer is done here.

The ledger sets the amount aside before the transaction is made, so no call can reserve it any more; the money is the
payer's again, in the ledger and on the chain, when the transaction is final. A refund takes nothing that is charged or
reserved, claimed or not.
"""

import logging
from collections.abc import Mapping

from usufruct.chain import Revert, Sender, State
from usufruct.chain.contracts.till import Till
from usufruct.core import Hash32
from usufruct.payments.ledger import Account, AccountKind, AccountReading, RefundTooHigh, Transfer, WrongState
from usufruct.payments.settlement.account_store import find_readings
from usufruct.payments.settlement.account_sync import AccountSync
from usufruct.payments.settlement.errors import NothingToRefund
from usufruct.payments.settlement.model import (
    ClosedChannels,
    Counters,
    NoClosedChannels,
    RefundPolicy,
    SettlementContext,
    on_chain,
)
from usufruct.payments.settlement.refund_requests import RefundRequests

_log = logging.getLogger(__name__)


class Refunds(RefundRequests):
    """Refunds out of one till, sent with a claim key."""

    def __init__(
        self,
        context: SettlementContext,
        sender: Sender,
        sync: AccountSync,
        *,
        leavers: ClosedChannels | None = None,
        policy: RefundPolicy | None = None,
        counters: Counters | None = None,
    ) -> None:
        super().__init__(context, sync, policy)
        self._sender = sender
        self._leavers = leavers or NoClosedChannels()
        self._till = Till(context.terms.till, context.client)
        self.counters = counters or Counters()

    async def serve(self) -> int:
        """Send refunds that were requested, and note those that ended, without a wait.

        Returns how many were confirmed.
        """
        pending = await self._context.ledger.pending_refunds()
        return sum([bool(await self._advance(transfer, 0)) for transfer in pending])

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
        leaving = frozenset(await self._leavers.leaving())
        found: list[Account] = []
        after: Hash32 | None = None
        before = now - self._policy.idle_seconds
        while page := await self._context.ledger.resting(AccountKind.ESCROW_CHANNEL, before, after):
            after = page[-1].id
            enough = [channel for channel in page if channel.free >= self._policy.least]
            since = await self._touched(enough)
            for channel in enough:
                idle = now - since.get(channel.reading.id, now)
                if channel.reading.id in leaving or idle >= self._policy.forgotten_seconds:
                    found.append(channel)
        return found

    async def _touched(self, channels: list[Account]) -> Mapping[Hash32, int]:
        """Return when each channel was last used: by its newest event on the chain, or its newest call."""
        ids = [channel.reading.id for channel in channels]
        async with self._context.database.snapshot() as unit:
            events = {each.account: each.event_at for each in (await find_readings(unit, ids)).values()}
        return {each.id: max(events[each.id], each.last_call_at) for each in channels if each.id in events}

    async def _ended(self, transfer: Transfer) -> bool | None:
        """Send a refund and wait for its end."""
        return await self._advance(transfer, self._policy.wait_seconds)

    async def _advance(self, transfer: Transfer, wait_seconds: float) -> bool | None:
        """Take a refund as far as it goes now: True when it is confirmed, False when it failed, None when pending."""
        config = await self._sync.sources.channels.registry.config(transfer.account)
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
        account = (await self._context.ledger.account(transfer.account)).reading.identity
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
            self.counters.refunded += reading is not None
            self.counters.refunds_failed += reading is None
        return reading is not None
