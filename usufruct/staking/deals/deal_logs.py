"""Follows the logs of a deal room: deals, payments, allotments and cancellations."""

from usufruct.chain import ChainAccess, Log
from usufruct.chain.contracts.deal_room import Allotted, DealCancelled, DealCreated, DealRoom, Subscribed
from usufruct.core import Address, hash32_from_bytes
from usufruct.staking.deals.model import Deal, DealLevel, DealTerms
from usufruct.staking.deals.store import (
    Place,
    forget_after,
    put_allotment,
    put_cancellation,
    put_deal,
    put_payment,
)
from usufruct.store import Unit


class DealLogs:
    """`LogHandler` of one deal room."""

    TOPICS = (DealCreated.TOPIC, DealCancelled.TOPIC, Subscribed.TOPIC, Allotted.TOPIC)

    def __init__(self, room: Address) -> None:
        self.addresses = (room,)
        self._room = room

    async def accepts(self, unit: Unit, log: Log) -> bool:
        """Tell whether the log is the deal room's."""
        return log.address == self._room

    async def apply(self, unit: Unit, log: Log) -> None:
        """Take in what happened in a deal."""
        place: Place = (log.block_number, log.index)
        topic = log.topics[0]
        if topic == DealCreated.TOPIC:
            await put_deal(unit, self._room, place, created_deal(DealCreated.decode(log)))
        elif topic == Subscribed.TOPIC:
            new = Subscribed.decode(log)
            await put_payment(unit, place, hash32_from_bytes(new.deal), new.account, new.amount, new.window)
        elif topic == Allotted.TOPIC:
            fixed = Allotted.decode(log)
            await put_allotment(unit, place, hash32_from_bytes(fixed.deal), fixed.account, fixed.allocation)
        else:
            await put_cancellation(unit, place, hash32_from_bytes(DealCancelled.decode(log).deal))

    async def rollback(self, unit: Unit, block: int) -> None:
        """Undo what happened in blocks after `block`."""
        await forget_after(unit, self._room, block)


class DealIndexer:
    """Keeps the tables of deals as the chain has them; several processes may."""

    def __init__(self, chain: ChainAccess) -> None:
        """Read the logs of the installation's deal room.

        Raises:
            NotDeployed: when it has none.
        """
        room = chain.deployments.address(DealRoom)
        handler = DealLogs(room)
        first_block = chain.deployments.first_block(DealRoom)
        self.logs = chain.log_reader("deals", handler, handler.addresses, DealLogs.TOPICS, first_block)

    async def poll(self) -> None:
        """Take in what happened since the last time.

        Raises:
            RpcUnavailable: when the node does not answer; nothing is lost.
            Faulty: when the chain is another one than the stream was read from.
        """
        await self.logs.catch_up()


def created_deal(log: DealCreated) -> Deal:
    """Return the deal that a log tells of."""
    terms = log.terms
    thresholds = (0, *log.thresholds)
    levels = [
        DealLevel(threshold, each.cap, each.opens_at) for threshold, each in zip(thresholds, terms.levels, strict=True)
    ]
    read = DealTerms(
        terms.sale_token,
        terms.payment_token,
        terms.policy,
        terms.for_sale,
        terms.hard_cap,
        terms.soft_cap,
        terms.closes_at,
        terms.cliff_days,
        terms.vesting_days,
        levels,
    )
    return Deal(hash32_from_bytes(log.deal), log.issuer, read, log.fee_bps)
