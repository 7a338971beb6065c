"""What a payer asks about money in deposits: how much is whose, when it comes back, and how to take it back alone.

Two ways lead back. A refund: the operator sends it and pays the gas (`RefundRequests`). A withdrawal: the payer
announces it on the chain and, after the channel's withdraw delay, finishes it; no operator can stop it.
"""

import asyncio
from collections.abc import Set
from dataclasses import dataclass
from enum import StrEnum

from usufruct.chain import Call, Outbox
from usufruct.chain.contracts.batch_settlement import BatchSettlement
from usufruct.chain.escrow import SETTLEMENT
from usufruct.core import Conflict, Hash32, Unavailable, moment
from usufruct.payments.ledger import Account, AccountReading, RefundRecord
from usufruct.payments.pricing import ChannelConfig
from usufruct.payments.settlement.account_sync import AccountSync
from usufruct.payments.settlement.model import RefundPolicy, SettlementContext, on_chain
from usufruct.payments.settlement.refunds import last_touched


class NoWithdrawalStep(Conflict, code="no_withdrawal_step"):
    """Nothing of a channel can be announced or finished now."""


class RefundState(StrEnum):
    """How a refund stands: asked for; the money is back in the payer's wallet; the chain refused it, nothing moved."""

    REQUESTED = "requested"
    DONE = "done"
    FAILED = "failed"


_STATES = {"planned": RefundState.REQUESTED, "confirmed": RefundState.DONE, "failed": RefundState.FAILED}


@dataclass(frozen=True, slots=True)
class RefundStatus:
    """The newest refund out of a deposit; times in seconds since 1970, `transaction` once there is one."""

    state: RefundState
    amount: int
    requested_at: int
    arrives_by: int
    transaction: Hash32 | None


@dataclass(frozen=True, slots=True)
class DepositMoney:
    """A channel's money in atomic units, and what happens to it.

    `paid_in`: all that was paid in and not taken back. `refund_from`: when the operator gives it back on request;
    `returns_at`: when it comes back unasked, None where it is too little for its gas. `announced` is leaving by a
    withdrawal since `announced_at` (0: none), which can be finished from `finish_from`. `chain_now` is the chain's
    time; None while the node does not answer, and then the chain's side is as it was known last.
    """

    channel: Hash32
    config: ChannelConfig
    paid_in: int
    spent: int
    reserved: int
    free: int
    refund_from: int
    returns_at: int | None
    refund: RefundStatus | None
    announced: int
    announced_at: int
    unclaimed: int
    chain_now: int | None

    @property
    def finish_from(self) -> int:
        """Chain time from which the announced withdrawal can be finished."""
        return self.announced_at + self.config.withdraw_delay

    @property
    def can_finish(self) -> bool:
        """Whether the announced withdrawal can be finished now."""
        return bool(self.announced_at) and self.chain_now is not None and self.chain_now >= self.finish_from

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to take, and nothing is on its way."""
        pending = self.refund is not None and self.refund.state is RefundState.REQUESTED
        return not (self.free or self.reserved or self.announced_at or pending)

    def next_step(self) -> list[Call]:
        """Return the payer's next calls to take the money back alone, which belong into one transaction.

        An announcement of all that is not claimed; or the end of one, and with it the announcement of what was left
        out of it: between two transactions a leaked session key could announce again, and start another delay.

        Raises:
            NoWithdrawalStep: when nothing is there, or the delay of what is announced has not passed.
            Unavailable: while the node does not answer.
        """
        if self.chain_now is None:
            raise Unavailable("the chain's node does not answer now; try again in a minute", code="rpc_unavailable")
        settlement, config = BatchSettlement(SETTLEMENT), on_chain(self.config)
        left = self.unclaimed - self.announced
        if not self.announced_at:
            if left <= 0:
                raise NoWithdrawalStep(f"channel {self.channel} holds nothing that is not claimed", code="nothing_left")
            return [settlement.initiate_withdraw(config, left)]
        if not self.can_finish:
            raise NoWithdrawalStep(
                f"the withdrawal of {self.announced} from channel {self.channel} is announced; it can be finished from "
                f"{moment(self.finish_from)} on, and the chain's time is {moment(self.chain_now)}",
                code="withdrawal_pending",
                channel=self.channel,
                finish_from=self.finish_from,
            )
        finish = settlement.finalize_withdraw(config)
        return [finish, settlement.initiate_withdraw(config, left)] if left > 0 else [finish]


class MoneyBack:
    """Tells payers about the money in their channels."""

    def __init__(
        self, context: SettlementContext, sync: AccountSync, policy: RefundPolicy, *, node_seconds: float = 1.0
    ) -> None:
        """Answer by the operator's `policy`; wait `node_seconds` for the chain's node."""
        self._context = context
        self._sync = sync
        self._policy = policy
        self._node_seconds = node_seconds
        self._outbox = Outbox(context.database, context.escrow.chain_id)

    async def of(self, channels: Set[Hash32], over: Set[Hash32]) -> dict[Hash32, DepositMoney]:
        """Return the money of channels that the ledger knows; those in `over` belong to keys that call no more."""
        known = await self._context.ledger.find_accounts(sorted(channels))
        accounts = list(known.values())
        configs = await self._sync.channels.registry.configs.find([each.id for each in accounts])
        refunds = await self._context.ledger.newest_refunds([each.id for each in accounts])
        touched = await last_touched(self._context.database, accounts)
        readings, now = await self._chain(accounts)
        return {
            each.id: await self._money(
                each, readings.get(each.id, each.reading), configs[each.id], refunds.get(each.id), now,
                self._returns_at(each, touched.get(each.id, 0), each.id in over),
            )
            for each in accounts
        }  # fmt: skip

    async def _money(
        self, account: Account, reading: AccountReading, config: ChannelConfig, refund: RefundRecord | None,
        now: int | None, returns_at: int | None,
    ) -> DepositMoney:  # fmt: skip
        last = await self._context.ledger.last_paid_for(account.id)
        return DepositMoney(
            account.id,
            config,
            paid_in=reading.balance,
            spent=account.charged,
            reserved=account.reserved,
            free=max(0, min(account.free, reading.balance - account.charged - account.reserved - account.refunding)),
            refund_from=last + self._policy.cooling_seconds if last else 0,
            returns_at=returns_at,
            refund=await self._status(refund) if refund else None,
            announced=reading.leaving,
            announced_at=reading.withdraw_at,
            unclaimed=max(0, reading.balance - reading.total_claimed),
            chain_now=now,
        )

    async def _status(self, refund: RefundRecord) -> RefundStatus:
        sent = await self._outbox.find(refund.outbox_id)
        until = refund.planned_at + self._policy.arrival_seconds
        return RefundStatus(_STATES[refund.state], refund.amount, refund.planned_at, until, sent.hash if sent else None)

    async def _chain(self, accounts: list[Account]) -> tuple[dict[Hash32, AccountReading], int | None]:
        """Return the channels as the chain has them now, and its time; nothing and None while the node is away."""
        try:
            async with asyncio.timeout(self._node_seconds):
                compared, head = await asyncio.gather(self._sync.compare(accounts), self._context.client.head())
        except (Unavailable, TimeoutError):
            return {}, None
        return {account.id: reading for account, reading in compared}, head.timestamp

    def _returns_at(self, account: Account, touched: int, over: bool) -> int | None:
        """Return when the free money comes back unasked; raised by the next call or deposit."""
        if account.free < self._policy.least:
            return None
        forgotten = max(touched, account.last_call_at) + self._policy.forgotten_seconds
        return min(forgotten, account.last_call_at + self._policy.idle_seconds) if over else forgotten
