"""Refunds on request: set the money aside, then wait until a process with a claim key has sent it."""

import asyncio
from dataclasses import dataclass

from usufruct.chain import Outbox
from usufruct.core import Hash32
from usufruct.payments.ledger import Account, Transfer, new_id
from usufruct.payments.settlement.account_sync import AccountSync
from usufruct.payments.settlement.errors import (
    NothingToRefund,
    RefundFailed,
    RefundPending,
    RefundTooSmall,
    RefundTooSoon,
)
from usufruct.payments.settlement.model import RefundPolicy, SettlementContext

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
            RefundPending: when the transaction is not final yet; it is finished by the next `run`.
            RefundFailed: when the chain refused it; the money is free again.
            RpcUnavailable: when the node does not answer.
        """
        planned = await self._under_way(channel) or await self._plan(
            await self._context.ledger.account(channel), amount
        )
        ended = await self._ended(planned)
        if ended is None:
            raise RefundPending(f"the refund of {planned.amount} from channel {channel} is on its way", channel=channel)
        if not ended:
            raise RefundFailed(f"the refund of {planned.amount} from channel {channel} failed", channel=channel)
        sent = await self._outbox.find(planned.outbox_id)
        return Refunded(await self._context.ledger.account(channel), planned.amount, sent.hash if sent else None)

    async def request(self, channel: Hash32, amount: int | None = None, *, proven: bool = True) -> Refunded:
        """Give money back on request; `proven`: the caller showed what only the payer's side has.

        Raises:
            RefundTooSoon: when we paid gas for this channel a short time ago, or, unless `proven`, it is in use.
            RefundTooSmall: when a part is asked for that the gas would eat.
            NothingToRefund, RefundTooHigh, RefundPending, RefundFailed, RpcUnavailable: as `refund`.
        """
        if await self._under_way(channel):
            return await self.refund(channel)
        policy, now = self._policy, await self._context.database.now()
        last = await self._context.ledger.last_paid_for(channel)
        rest, waits = "the last deposit or refund", policy.cooling_seconds
        if not proven:
            rest, waits = "the last call", max(waits, policy.idle_seconds)
            last = max(last, (await self._context.ledger.account(channel)).last_call_at)
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
        return next((each for each in await self._context.ledger.pending_refunds() if each.account == channel), None)

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
        channel = (await self._sync.refresh_all([channel]))[0]
        if channel.free == 0:
            raise NothingToRefund(
                f"channel {id_} holds {channel.reading.balance}, of which nothing is free",
                channel=id_,
                balance=channel.reading.balance,
                charged=channel.charged,
                reserved=channel.reserved,
            )
        nonce = await self._sync.sources.channels.refund_nonce(id_)
        transfer = Transfer(id_, nonce, channel.free if amount is None else amount, f"refund/{new_id()}")
        await self._context.ledger.plan_refund(id_, int(transfer.nonce), transfer.amount, transfer.outbox_id)
        return transfer
