"""Gives unused money back: on request, and without anyone asking when its payer is done here.

The ledger sets the amount aside before the transaction is made, so no call can reserve it any more; the money is the
payer's again, in the ledger and on the chain, when the transaction is final. A refund takes nothing that is charged or
reserved, claimed or not.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from usufruct.chain import Revert, Sender, State
from usufruct.chain.contracts.till import Till
from usufruct.core import Hash32
from usufruct.payments.errors import RefundTooHigh, WrongState
from usufruct.payments.ledger.ledger import new_id
from usufruct.payments.ledger.records import Channel, ChannelReading
from usufruct.payments.ledger.settling import Transfer
from usufruct.payments.settlement.errors import (
    NothingToRefund,
    RefundFailed,
    RefundPending,
    RefundTooSmall,
    RefundTooSoon,
)
from usufruct.payments.settlement.model import (
    ChainSide,
    Counters,
    Leavers,
    NobodyLeaves,
    RefundPolicy,
    on_chain,
)
from usufruct.payments.settlement.observer import Observer
from usufruct.payments.settlement.reader import ChannelReader
from usufruct.payments.settlement.store import find_watched

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Refunded:
    """A refund that is final: the channel after it, what went back to the payer, and in which transaction."""

    channel: Channel
    amount: int
    transaction: Hash32 | None


class Refunds:
    """Refunds out of one till, sent with a claim key."""

    def __init__(
        self,
        side: ChainSide,
        sender: Sender,
        observer: Observer,
        *,
        leavers: Leavers | None = None,
        policy: RefundPolicy | None = None,
        counters: Counters | None = None,
    ) -> None:
        self._side = side
        self._sender = sender
        self._observer = observer
        self._leavers = leavers or NobodyLeaves()
        self._policy = policy or RefundPolicy()
        self._reader = ChannelReader(side.client, side.escrow, side.confirmations)
        self._till = Till(side.terms.till, side.client)
        self.counters = counters or Counters()

    async def refund(self, channel: Hash32, amount: int | None = None) -> Refunded:
        """Give a channel's free money back to its payer now: all of it, or `amount`; or finish a refund that is begun.

        Raises:
            NothingToRefund: when nothing is free.
            RefundTooHigh: when less than `amount` is free.
            RefundPending: when the transaction is not final yet; it is finished by the next `run`.
            RefundFailed: when the chain refused it; the money is free again.
            RpcUnavailable: when the node does not answer.
        """
        planned = await self._under_way(channel) or await self._plan(await self._side.ledger.channel(channel), amount)
        ended = await self._advance(planned)
        if ended is None:
            raise RefundPending(f"the refund of {planned.amount} from channel {channel} is on its way", channel=channel)
        if not ended:
            raise RefundFailed(f"the refund of {planned.amount} from channel {channel} failed", channel=channel)
        sent = await self._sender.find(planned.outbox_id)
        return Refunded(await self._side.ledger.channel(channel), planned.amount, sent.hash if sent else None)

    async def request(self, channel: Hash32, amount: int | None = None, *, proven: bool = True) -> Refunded:
        """Give money back because somebody asks; `proven`: they showed what only the payer's side can have.

        Raises:
            RefundTooSoon: when we paid gas for this channel a short time ago, or, unless `proven`, it is in use.
            RefundTooSmall: when a part is asked for that the gas would eat.
            NothingToRefund, RefundTooHigh, RefundPending, RefundFailed, RpcUnavailable: as `refund`.
        """
        if await self._under_way(channel):
            return await self.refund(channel)
        policy, now = self._policy, await self._side.database.now()
        last = await self._side.ledger.last_paid_for(channel)
        rest, waits = "the last deposit or refund", policy.cooling_seconds
        if not proven:
            rest, waits = "the last call", max(waits, policy.idle_seconds)
            last = max(last, (await self._side.ledger.last_calls([channel])).get(channel, 0))
        if now < last + waits:
            raise RefundTooSoon(
                f"{rest} of channel {channel} is too fresh; ask again in {last + waits - now} s, or withdraw on the "
                "chain yourself",
                channel=channel,
                seconds=last + waits - now,
            )
        if amount is not None and amount < policy.least:
            raise RefundTooSmall(
                f"a part must be at least {policy.least}, not {amount}; ask for all of it, or more", least=policy.least
            )
        return await self.refund(channel, amount)

    async def _under_way(self, channel: Hash32) -> Transfer | None:
        return next((each for each in await self._side.ledger.pending_refunds() if each.channel == channel), None)

    async def run(self) -> int:
        """Finish refunds that were begun, refund what is due, and return how many were confirmed."""
        confirmed = 0
        for transfer in await self._side.ledger.pending_refunds():
            confirmed += bool(await self._advance(transfer))
        for channel in await self._due():
            try:
                confirmed += bool(await self._advance(await self._plan(channel)))
            except (NothingToRefund, RefundTooHigh) as changed:
                _log.info("%s", changed.message)
        return confirmed

    async def _due(self) -> list[Channel]:
        now = await self._side.database.now()
        leaving = frozenset(await self._leavers.leaving())
        found: list[Channel] = []
        after: Hash32 | None = None
        while page := await self._side.ledger.resting(now - self._policy.idle_seconds, after):
            after = page[-1].reading.id
            escrows = [channel for channel in page if not self._side.holds_credits(channel.reading.config)]
            enough = [channel for channel in escrows if channel.free >= self._policy.least]
            since = await self._touched(enough)
            for channel in enough:
                idle = now - since.get(channel.reading.id, now)
                if channel.reading.id in leaving or idle >= self._policy.forgotten_seconds:
                    found.append(channel)
        return found

    async def _touched(self, channels: list[Channel]) -> Mapping[Hash32, int]:
        """Return when each channel was last used: by its newest event on the chain, or its newest call."""
        ids = [channel.reading.id for channel in channels]
        async with self._side.database.snapshot() as unit:
            events = {each.channel: each.event_at for each in (await find_watched(unit, ids)).values()}
        calls = await self._side.ledger.last_calls(ids)
        return {id_: max(events[id_], calls.get(id_, 0)) for id_ in events}

    async def _plan(self, channel: Channel, amount: int | None = None) -> Transfer:
        """Set free money, or `amount` of it, aside, under the nonce that the chain gives the channel's next refund."""
        id_ = channel.reading.id
        channel = (await self._observer.observe([channel.reading.config]))[0]
        if channel.free == 0:
            raise NothingToRefund(
                f"channel {id_} holds {channel.reading.balance}, of which nothing is free",
                channel=id_,
                balance=channel.reading.balance,
                charged=channel.charged,
                reserved=channel.reserved,
            )
        nonce = await self._reader.refund_nonce(id_)
        transfer = Transfer(id_, nonce, channel.free if amount is None else amount, f"refund/{new_id()}")
        await self._side.ledger.plan_refund(id_, int(transfer.nonce), transfer.amount, transfer.outbox_id)
        return transfer

    async def _advance(self, transfer: Transfer) -> bool | None:
        """Take a refund as far as it goes now: True when it is confirmed, False when it failed, None when pending."""
        config = (await self._side.ledger.channel(transfer.channel)).reading.config
        sent = await self._sender.find(transfer.outbox_id)
        if sent is None:
            try:
                call = self._till.refund(on_chain(config), transfer.amount)
                sent = await self._sender.send(call, transfer.outbox_id)
            except Revert as refusal:
                _log.error("refund of channel %s is refused: %s", transfer.channel, refusal.message)
                return await self._end(transfer, None)
        if sent.state is State.PENDING:
            sent = await self._sender.wait(transfer.outbox_id, self._policy.wait_seconds)
        if sent.state is State.PENDING:
            return None
        if sent.state is not State.CONFIRMED or sent.block is None:
            _log.error("refund of channel %s: transaction %s is %s", transfer.channel, sent.hash, sent.state)
            return await self._end(transfer, None)
        reading = await self._observer.observe_after(config, sent.block)
        if reading is None:
            return None
        return await self._end(transfer, reading)

    async def _end(self, transfer: Transfer, reading: ChannelReading | None) -> bool:
        """Note a refund's end, once, and tell whether it was confirmed."""
        try:
            await self._side.ledger.finish_refund(transfer.channel, int(transfer.nonce), reading)
        except WrongState:
            _log.info("refund %s of channel %s was ended by another process", transfer.nonce, transfer.channel)
        else:
            self.counters.refunded += reading is not None
            self.counters.refunds_failed += reading is None
        return reading is not None
