"""Follows the exchange's logs: what was sold, and which nonces makers cancelled."""

from usufruct.chain import ChainAccess, Indexer, Log, Stream
from usufruct.chain.contracts.exchange import Exchange, NoncesCancelled, Sold
from usufruct.core import Address, Hash32, hash32_from_bytes
from usufruct.core.networks import is_local
from usufruct.market.trade.store import (
    Cancellation,
    Trade,
    blocks_without_time,
    forget_after,
    purchases_of,
    put_cancellation,
    put_trade,
    set_times,
)
from usufruct.store import Unit

_MOST_BLOCKS = 200


class ExchangeLogs:
    """`LogHandler` of one exchange."""

    TOPICS = (Sold.TOPIC, NoncesCancelled.TOPIC)

    def __init__(self, exchange: Address) -> None:
        self._exchange = exchange

    async def accepts(self, unit: Unit, log: Log) -> bool:
        """Tell whether the log is the exchange's."""
        return log.address == self._exchange

    async def apply(self, unit: Unit, log: Log) -> None:
        """Take in a sale or a cancellation."""
        if log.topics[0] == NoncesCancelled.TOPIC:
            ended = NoncesCancelled.decode(log)
            await put_cancellation(unit, Cancellation(log.block_number, log.index, ended.maker, ended.word, ended.mask))
            return
        sold = Sold.decode(log)
        trade = Trade(
            log.block_number,
            log.index,
            hash32_from_bytes(sold.listing),
            sold.maker,
            sold.buyer,
            sold.nonce,
            sold.amount,
            sold.price,
            sold.fee,
            sold.royalties,
            log.transaction_hash,
        )
        await put_trade(unit, trade)

    async def rollback(self, unit: Unit, block: int) -> None:
        """Undo what happened in blocks after `block`."""
        await forget_after(unit, block)


class ExchangeIndexer:
    """Keeps the tables of trades as the chain has them; several processes may."""

    def __init__(self, chain: ChainAccess) -> None:
        """Each poll reads the newest block: what a buyer bought a moment ago is known when they ask again."""
        self._client = chain.client
        self._database = chain.database
        exchange = chain.deployments.address(Exchange)
        stream = Stream(
            name=f"exchange/{chain.chain_id}/{exchange}",
            handler=ExchangeLogs(exchange),
            first_block=chain.deployments.first_block(Exchange),
            addresses=(exchange,),
            topics=(ExchangeLogs.TOPICS,),
            confirmations=chain.config.chain.confirmations - 1,  # ours count a log's own block
        )
        self.logs = Indexer(chain.client, chain.database, stream, alone=is_local(chain.chain_id))

    async def bought(self, offer: Hash32, buyer: Address) -> int:
        """Return how many atomic units of an offer a buyer has bought up to now; raises as `poll`."""
        await self.poll()
        async with self._database.snapshot() as unit:
            return sum(each.amount for each in await purchases_of(unit, offer, buyer))

    async def poll(self) -> None:
        """Take in what happened since the last time, and the times of new trades.

        Raises:
            RpcUnavailable: when the node does not answer; nothing is lost.
            Faulty: when the chain is another one than the stream was read from.
        """
        await self.logs.catch_up()
        async with self._database.snapshot() as unit:
            blocks = await blocks_without_time(unit, _MOST_BLOCKS)
        if not blocks:
            return
        headers = [each for each in await self._client.headers(blocks) if each is not None]
        async with self._database.transaction() as unit:
            await set_times(unit, [(each.number, each.timestamp) for each in headers])
