"""Sees what happens to our channels on the chain: deposits, claims, refunds, withdrawals.

Events are only a reason to look. A log marks its channel, in the transaction that moves the stream's checkpoint; the
ledger's numbers are then read from the chain itself, many channels in one call. So a log that was missed, seen
twice or taken back can never put a wrong number into the books.

Logs are read as soon as they are there: a withdrawal is announced before it has its confirmations. A node whose logs
lag its head hides one only until the stream's overlap is read again; and a channel with unclaimed calls is read every
`SettlementContext.sweep_seconds` without any log.
"""

from usufruct.chain import ChainHead, Indexer, Log, Stream
from usufruct.chain.contracts.batch_settlement import Claimed, Deposited, Refunded, WithdrawFinalized, WithdrawInitiated
from usufruct.chain.deployment import HORIZON_BLOCKS
from usufruct.core import Clock, Hash32, UsufructError
from usufruct.payments.settlement.account_sync import AccountSync
from usufruct.payments.settlement.model import SettlementContext
from usufruct.payments.settlement.reading_store import is_ours, mark, mark_after
from usufruct.store import Database, Unit

_EVENTS = (Deposited, Claimed, Refunded, WithdrawInitiated, WithdrawFinalized)
_TOPICS = tuple(event.TOPIC for event in _EVENTS)


class ChannelLogs:
    """`LogHandler` of the settlement contract: marks the channels that are ours."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def accepts(self, unit: Unit, log: Log) -> bool:
        """Tell whether the log is about a channel that the ledger knows."""
        return len(log.topics) > 1 and await is_ours(unit, log.topics[1])

    async def apply(self, unit: Unit, log: Log) -> None:
        """Mark the log's channel."""
        await mark(unit, Hash32(log.topics[1]), log.block_number, await self._database.now())

    async def rollback(self, unit: Unit, block: int) -> None:
        """Mark every channel that something happened to in blocks that are gone."""
        await mark_after(unit, block)


class EventWatcher:
    """Follows one settlement contract; several processes may, none of them does harm."""

    def __init__(
        self, context: SettlementContext, sync: AccountSync, clock: Clock | None = None, head: ChainHead | None = None
    ) -> None:
        """Read the newest block from `head`, which other streams share, or else at each poll."""
        self._sync = sync
        stream = Stream(
            name=f"settlement/{context.escrow.chain_id}/{context.escrow.contract}",
            handler=ChannelLogs(context.database),
            first_block=context.first_block,
            addresses=(context.escrow.contract,),
            topics=(_TOPICS,),
        )
        self.indexer = Indexer(
            context.client,
            context.database,
            stream,
            horizon_blocks=max(HORIZON_BLOCKS, context.final_blocks),
            alone=context.alone,
            clock=clock,
            head=head,
        )

    async def poll(self) -> int:
        """Read the events since the last poll; return how many accounts were read again.

        Channels are read even when logs cannot be.

        Raises:
            RpcUnavailable: when the node does not answer; nothing is lost.
            Unavailable: when its logs are behind.
            Faulty: when the chain is another one than the stream was read from.
        """
        failed: UsufructError | None = None
        try:
            await self.indexer.catch_up()
        except UsufructError as error:
            failed = error
        read = await self._sync.refresh() + await self._sync.verify()
        if failed:
            raise failed
        return read
