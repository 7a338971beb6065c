"""Accounts of pass credits as the chain has them, read in the shape of channels.

`AccessPass` tells how many credits are left for a meter, not how many it has burned. So its `Burned` logs are kept, one
row a burn, and a reading is of the block up to which they were read: burned and left together are the balance.
"""

from collections.abc import Sequence
from dataclasses import replace

from usufruct.chain import Header, Indexer, Log, Stream
from usufruct.chain.contracts.access_pass import AccessPass, Activated, Burned, Refunded
from usufruct.core import Address, Hash32
from usufruct.payments.ledger.records import ChannelReading
from usufruct.payments.passes import PassTerms, plan_of
from usufruct.payments.settlement.errors import ReadingUnsettled
from usufruct.payments.settlement.model import ChainSide
from usufruct.payments.settlement.reader import Readings
from usufruct.payments.settlement.store import add_burn, burned_until, forget_burns, is_ours, mark, mark_after
from usufruct.payments.voucher import ChannelConfig, Escrow, channel_id
from usufruct.store import Database, Unit

CLOSING = 86_400
"""So many seconds before credits can be void or given back, their account takes no new call: what it owes is burned."""

_EVENTS = (Activated, Burned, Refunded)
_TOPICS = tuple(event.TOPIC for event in _EVENTS if event.TOPIC is not None)
_TRIES = 5


class PassLogs:
    """`LogHandler` of AccessPass: keeps our meter's burns, and marks the accounts that the ledger knows."""

    def __init__(self, terms: PassTerms, escrow: Escrow, database: Database) -> None:
        self._terms = terms
        self._escrow = escrow
        self._database = database

    async def accepts(self, unit: Unit, log: Log) -> bool:
        """Tell whether the log is the contract's."""
        return log.address == self._terms.contract

    async def apply(self, unit: Unit, log: Log) -> None:
        """Keep a burn of ours; have its account read again."""
        event = AccessPass.decode_log(log)
        if not isinstance(event, Activated | Burned | Refunded):
            return
        meter = self._terms.meter if isinstance(event, Refunded) else event.meter
        account = channel_id(self._escrow, replace(self._terms, meter=meter).account(event.id, event.holder))
        known = await is_ours(unit, account)
        if isinstance(event, Burned) and (known or meter == self._terms.meter):
            await add_burn(unit, account, event.amount, log)
        if known:
            await mark(unit, account, log.block_number, await self._database.now())

    async def rollback(self, unit: Unit, block: int) -> None:
        """Forget the burns in blocks that are gone."""
        await forget_burns(unit, block)
        await mark_after(unit, block)


class PassReader:
    """Reads accounts: burns as of the newest block, for they make us careful; credits as of the newest that counts."""

    def __init__(self, side: ChainSide, terms: PassTerms) -> None:
        self._client = side.client
        self._escrow = side.escrow
        self._database = side.database
        self._depth = side.confirmations - 1
        self._contract = AccessPass(terms.contract, side.client)
        stream = Stream(
            name=f"passes/{side.escrow.chain_id}/{terms.contract}/{terms.meter}",
            handler=PassLogs(terms, side.escrow, side.database),
            first_block=side.first_block,
            addresses=(terms.contract,),
            topics=(_TOPICS,),
        )
        self._indexer = Indexer(side.client, side.database, stream, horizon_blocks=side.horizon_blocks)

    async def catch_up(self) -> None:
        """Take in what was activated, burned and given back since the last time."""
        await self._indexer.catch_up()

    async def read(self, configs: Sequence[ChannelConfig]) -> Readings:
        """Read accounts, all of one block.

        Raises:
            RpcUnavailable: when the node does not answer.
            ReadingUnsettled: when the chain does not hold still.
        """
        for _ in range(_TRIES):
            await self.catch_up()
            point = await self._indexer.position()
            block = await self._client.header(point.block) if point else None
            if block is None or point is None or block.hash != point.hash:
                continue
            found = [await self._account(config, block) for config in configs]
            again = await self._client.header(block.number)
            if again is not None and again.hash == block.hash and await self._indexer.position() == point:
                return Readings(block.number, block.hash, tuple(found))
        raise ReadingUnsettled(f"blocks changed under {_TRIES} readings in a row; try again", tries=_TRIES)

    async def _account(self, config: ChannelConfig, block: Header) -> ChannelReading:
        account = channel_id(self._escrow, config)
        plan, holder, meter = plan_of(config), config.payer, config.receiver
        now, then = self._contract.at_block(block.number), self._contract.at_block(max(0, block.number - self._depth))
        left = await now.activated(plan, holder, meter)
        if left and self._depth:
            left = min(left, await then.activated(plan, holder, meter))
        burned = await self._burned(account, block.number)
        ends_at = await self._ends_at(now, plan, meter) if left else 0
        return ChannelReading(
            id=account,
            chain_id=self._escrow.chain_id,
            config=config,
            block=block.number,
            balance=burned + left,
            total_claimed=burned,
            withdraw_at=ends_at if ends_at - block.timestamp < CLOSING else 0,
        )

    async def _ends_at(self, contract: AccessPass, plan: int, meter: Address) -> int:
        """Return from when on the credits may be void or given back."""
        expiry = (await contract.plan(plan)).expiry
        refundable = await contract.refundable_at(plan, meter)
        return min(expiry, refundable) if expiry else refundable

    async def _burned(self, account: Hash32, block: int) -> int:
        async with self._database.snapshot() as unit:
            return await burned_until(unit, account, block)
