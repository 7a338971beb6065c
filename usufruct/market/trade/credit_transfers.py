"""Follows the transfers of prepaid credits: of which plans an account got some, bought or given."""

from usufruct.chain import ChainAccess, Log
from usufruct.chain.contracts.access_pass import AccessPass, TransferBatch, TransferSingle
from usufruct.core import Address
from usufruct.market.trade.credit_store import forget_transfers_after, plans_received, put_transfer
from usufruct.store import Unit


class CreditTransfers:
    """`LogHandler` of the transfers of one contract's credits. A purchase is one too, from the zero address."""

    TOPICS = (TransferSingle.TOPIC, TransferBatch.TOPIC)

    def __init__(self, passes: Address) -> None:
        self.addresses = (passes,)

    async def accepts(self, unit: Unit, log: Log) -> bool:
        """Tell whether the log is these credits'."""
        return log.address in self.addresses

    async def apply(self, unit: Unit, log: Log) -> None:
        """Keep who got credits of which plans."""
        if log.topics[0] == TransferSingle.TOPIC:
            one = TransferSingle.decode(log)
            receiver, amounts = one.to, [(one.id, one.value)]
        else:
            many = TransferBatch.decode(log)
            receiver, amounts = many.to, list(zip(many.ids, many.values, strict=True))
        plans = dict.fromkeys(plan for plan, amount in amounts if amount)  # anyone may transfer nothing of any plan
        await put_transfer(unit, log, receiver, plans)

    async def rollback(self, unit: Unit, block: int) -> None:
        """Forget the transfers in blocks after `block`."""
        await forget_transfers_after(unit, block)


class CreditIndexer:
    """Keeps the table of transfers as the chain has it; several processes may.

    The stream is another one than that of the trades, which installations have read before they knew of transfers.
    """

    def __init__(self, chain: ChainAccess) -> None:
        self._database = chain.database
        passes = chain.deployments.address(AccessPass)
        handler = CreditTransfers(passes)
        first_block = chain.deployments.first_block(AccessPass)
        self.logs = chain.log_reader("credits", handler, handler.addresses, CreditTransfers.TOPICS, first_block)

    async def poll(self) -> None:
        """Take in what happened since the last time.

        Raises:
            RpcUnavailable: when the node does not answer; nothing is lost.
            Faulty: when the chain is another one than the stream was read from.
        """
        await self.logs.catch_up()

    async def plans(self, account: Address) -> list[int]:
        """Return the plans of which an account got credits, the newest transfer first, as far as was read."""
        async with self._database.snapshot() as unit:
            return await plans_received(unit, account)
