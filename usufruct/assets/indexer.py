"""Follows the chain: the registry and the passes by one stream, the transfers of each asset's shares by a separate one.

The two contracts are filtered by address, so that a stranger's contract which emits our events is not even heard; the
handler looks all the same, because a node may answer more than it was asked. Share transfers are ERC-20's `Transfer`,
the most frequent log there is: a filter by topic alone would bring every token's. So each Shares has a stream, read
when their holders are asked for. It begins `HORIZON_BLOCKS` before the registration: a reorganisation that moves the
registration then does not reach the stream's beginning.

What takes effect by the chain's clock, a card or a retirement, is compared with the listings at each poll, and
taken over by them. So nothing is missed after a crash.
"""

from usufruct.assets.listings import Listings
from usufruct.assets.model import Asset
from usufruct.assets.registry_client import read_text
from usufruct.assets.share_store import SharesLogs
from usufruct.assets.store import RegistryLogs, nameless, registered_assets, set_name
from usufruct.chain import ChainAccess, ChainHead, Indexer
from usufruct.chain.contracts.access_pass import AccessPass
from usufruct.chain.contracts.asset_registry import AssetRegistry
from usufruct.chain.contracts.shares import Shares
from usufruct.chain.deployment import HORIZON_BLOCKS
from usufruct.core import Address, AssetId


class AssetIndexer:
    """Keeps the tables of assets as the chain has them; several processes may.

    `listings` follow what takes effect. `head` is the newest block as all streams of the process share it; without it,
    each poll reads it.
    """

    def __init__(self, chain: ChainAccess, *, listings: Listings | None = None, head: ChainHead | None = None) -> None:
        self._chain = chain
        self._database = chain.database
        self._registry = chain.deployments.address(AssetRegistry)
        self._listings = listings
        self._head = head
        handler = RegistryLogs(self._registry, chain.deployments.address(AccessPass))
        first_block = chain.deployments.first_block(AssetRegistry)
        self.logs = self._reader("assets", handler, first_block)
        """Of the registry and the passes."""

    async def poll(self) -> None:
        """Take in what happened since the last time, and have the listings follow.

        Raises:
            RpcUnavailable: when the node does not answer; nothing is lost.
            Faulty: when the chain is another one than the stream was read from.
        """
        await self.logs.catch_up()
        await self._learn_names()
        if self._listings is not None:
            head = await self._chain.client.head()
            async with self._database.snapshot() as unit:
                assets = await registered_assets(unit, self._registry)
            await self._listings.follow(assets, head.timestamp)

    async def assets(self, asset: AssetId | None = None) -> list[Asset]:
        """Return all assets, or one, from the logs up to now, in the order of their registration; raises as `poll`."""
        await self.poll()
        async with self._database.snapshot() as unit:
            return await registered_assets(unit, self._registry, asset)

    async def made(self, shares: Address) -> bool:
        """Tell whether a contract is the shares of an asset; raises as `poll`."""
        return any(each.shares == shares for each in await self.assets())

    async def poll_shares(self, asset: Asset, *logs: type[SharesLogs]) -> None:
        """Take in these logs of an asset's shares since the last time; raises as `poll`."""
        first_block = max(0, asset.block - HORIZON_BLOCKS)
        for each in logs:
            await self._reader(each.STREAM, each(asset.id, asset.shares), first_block).catch_up()

    def _reader(self, name: str, handler: RegistryLogs | SharesLogs, first_block: int) -> Indexer:
        return self._chain.log_reader(name, handler, handler.addresses, handler.TOPICS, first_block, self._head)

    async def _learn_names(self) -> None:
        """Ask new assets' shares for their names, which never change and are in no log."""
        async with self._database.snapshot() as unit:
            unknown = await nameless(unit, self._registry)
        for asset, address in unknown:
            shares = Shares(address, self._chain.client)
            name, symbol = await read_text(shares.name()), await read_text(shares.symbol())
            async with self._database.transaction() as unit:
                await set_name(unit, asset, name, symbol)
