"""Follows the logs of trade: what the exchange sold, which nonces makers cancelled, packages that were bought."""

from usufruct.chain import ChainAccess, Log
from usufruct.chain.contracts.access_pass import AccessPass, Bought
from usufruct.chain.contracts.exchange import Exchange, NoncesCancelled, Sold
from usufruct.core import Address, Hash32, hash32_from_bytes
from usufruct.market.trade.package_store import (
    BoughtPackages,
    credits_bought,
    forget_packages_after,
    put_packages,
)
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
    """`LogHandler` of one exchange, and of the purchases of packages of pass credits.

    A stream that was read before it knew of packages does not have the earlier ones: their count differs from the
    chain's by the same number ever after, and serves as well to tell one purchase from the next.
    """

    TOPICS = (Sold.TOPIC, NoncesCancelled.TOPIC, Bought.TOPIC)

    def __init__(self, exchange: Address, passes: Address) -> None:
        self.addresses = (exchange, passes)
        self._exchange = exchange
        self._passes = passes

    async def accepts(self, unit: Unit, log: Log) -> bool:
        """Tell whether the log is one of the two contracts'."""
        return log.address == (self._passes if log.topics[0] == Bought.TOPIC else self._exchange)

    async def apply(self, unit: Unit, log: Log) -> None:
        """Take in a sale, a cancellation, or a purchase of packages."""
        place = log.block_number, log.index
        if log.topics[0] == NoncesCancelled.TOPIC:
            ended = NoncesCancelled.decode(log)
            await put_cancellation(unit, Cancellation(*place, ended.maker, ended.word, ended.mask))
            return
        if log.topics[0] == Bought.TOPIC:
            new = Bought.decode(log)
            bought = BoughtPackages(*place, new.id, new.buyer, new.to, new.credits, log.transaction_hash)
            await put_packages(unit, bought)
            return
        sold = Sold.decode(log)
        trade = Trade(
            *place,
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
        await forget_packages_after(unit, block)


class ExchangeIndexer:
    """Keeps the tables of trades as the chain has them; several processes may."""

    def __init__(self, chain: ChainAccess) -> None:
        """Each poll reads the newest block: what a buyer bought a moment ago is known when they ask again."""
        self._client = chain.client
        self._database = chain.database
        exchange = chain.deployments.address(Exchange)
        handler = ExchangeLogs(exchange, chain.deployments.address(AccessPass))
        first_block = chain.deployments.first_block(Exchange)
        self.logs = chain.log_reader("exchange", handler, handler.addresses, ExchangeLogs.TOPICS, first_block)

    async def bought(self, offer: Hash32, buyer: Address) -> int:
        """Return how many atomic units of an offer a buyer has bought up to now; raises as `poll`."""
        await self.poll()
        async with self._database.snapshot() as unit:
            return sum(each.amount for each in await purchases_of(unit, offer, buyer))

    async def in_packages(self, buyer: Address) -> dict[int, int]:
        """Return how many credits a buyer has bought in packages up to now, by plan; raises as `poll`."""
        await self.poll()
        async with self._database.snapshot() as unit:
            return await credits_bought(unit, buyer)

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
