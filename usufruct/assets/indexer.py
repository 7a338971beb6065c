"""Follows the chain: the registry and the passes by one stream, the transfers of each asset's shares by a separate one.

The two contracts are filtered by address, so that a stranger's contract which emits our events is not even heard; the
handler looks all the same, because a node may answer more than it was asked. Share transfers are ERC-20's `Transfer`,
the most frequent log there is: a filter by topic alone would bring every token's. So each Shares has a stream, read
when their holders are asked for. It begins `HORIZON_BLOCKS` before the registration: a reorganisation that moves the
registration then does not reach the stream's beginning.

What takes effect by the chain's clock, a card or a retirement, is compared with the listings at each poll, and
taken over by them. So nothing is missed after a crash.
"""

from collections.abc import Sequence

from usufruct.assets.listings import Listings
from usufruct.assets.model import Asset
from usufruct.assets.pass_store import add_activation, add_plan, forget_passes_after
from usufruct.assets.share_store import add_move, take_back_moves
from usufruct.assets.store import (
    add_asset,
    add_card,
    add_retirement,
    add_title,
    forget_after,
    nameless,
    registered_assets,
    set_name,
)
from usufruct.assets.untrusted_text import read_text
from usufruct.chain import ChainHead, Client, Indexer, Log, Stream
from usufruct.chain.contracts.access_pass import AccessPass, Activated, PlanCreated
from usufruct.chain.contracts.asset_registry import (
    AssetRegistered,
    AssetRegistry,
    PriceCardSet,
    RetirementAnnounced,
    RetirementCancelled,
    Transfer,
)
from usufruct.chain.contracts.shares import Shares
from usufruct.chain.contracts.shares import Transfer as SharesMoved
from usufruct.chain.deployment import HORIZON_BLOCKS, Deployments
from usufruct.core import Address, AssetId, Hash32
from usufruct.core.jobs import Job
from usufruct.core.networks import is_local
from usufruct.store import Database, Unit

_EVENTS = (
    AssetRegistered,
    PriceCardSet,
    Transfer,
    RetirementAnnounced,
    RetirementCancelled,
    PlanCreated,
    Activated,
)


class RegistryLogs:
    """`LogHandler` of the registry and the passes."""

    def __init__(self, registry: Address, access_pass: Address) -> None:
        self._registry = registry
        self._pass = access_pass

    async def accepts(self, unit: Unit, log: Log) -> bool:
        """Tell whether the log is one of our two contracts'."""
        return log.address in (self._registry, self._pass)

    async def apply(self, unit: Unit, log: Log) -> None:
        """Keep what the log says."""
        contract = AssetRegistry if log.address == self._registry else AccessPass
        match contract.decode_log(log):
            case AssetRegistered() as event:
                await add_asset(unit, self._registry, event, log.block_number)
            case PriceCardSet() as event:
                await add_card(unit, event, log.block_number)
            case Transfer() as event:
                await add_title(unit, AssetId(event.token_id), event.to, log)
            case RetirementAnnounced() as event:
                await add_retirement(unit, event.asset, event.retires_at, log)
            case RetirementCancelled() as event:
                await add_retirement(unit, event.asset, 0, log)
            case PlanCreated() as event:
                await add_plan(unit, event, log.block_number)
            case Activated() as event:
                await add_activation(unit, event, log.block_number)

    async def rollback(self, unit: Unit, block: int) -> None:
        """Forget what blocks that are gone said."""
        await forget_passes_after(unit, self._registry, block)
        await forget_after(unit, self._registry, block)


class SharesLogs:
    """`LogHandler` of one asset's shares."""

    def __init__(self, asset: AssetId, shares: Address) -> None:
        self._asset = asset
        self._shares = shares

    async def accepts(self, unit: Unit, log: Log) -> bool:
        """Tell whether the log is these shares'."""
        return log.address == self._shares

    async def apply(self, unit: Unit, log: Log) -> None:
        """Move the balances."""
        moved = SharesMoved.decode(log)
        await add_move(unit, self._asset, moved.from_, moved.to, moved.value, log)

    async def rollback(self, unit: Unit, block: int) -> None:
        """Move them back."""
        await take_back_moves(unit, self._asset, block)


class AssetIndexer:
    """Keeps the tables of assets as the chain has them; several processes may.

    `confirmations` counts a log's own block, as in `chain.confirmations`. `listings` follow what takes effect.
    `head` is the newest block as all streams of the process share it; without it, each poll reads it.
    """

    def __init__(
        self,
        client: Client,
        database: Database,
        deployments: Deployments,
        *,
        confirmations: int = 1,
        listings: Listings | None = None,
        head: ChainHead | None = None,
    ) -> None:
        self._client = client
        self._database = database
        self._registry = deployments.address(AssetRegistry)
        self._chain_id = deployments.chain_id
        self._depth = confirmations - 1
        self._listings = listings
        self._head = head
        access_pass = deployments.address(AccessPass)
        stream = Stream(
            name=f"assets/{self._chain_id}/{self._registry}",
            handler=RegistryLogs(self._registry, access_pass),
            first_block=deployments.first_block(AssetRegistry),
            addresses=(self._registry, access_pass),
            topics=(_topics(),),
            confirmations=self._depth,
        )
        self._alone = is_local(self._chain_id)
        self._indexer = self._reader(stream)

    async def poll(self) -> None:
        """Take in what happened since the last time, and have the listings follow.

        Raises:
            RpcUnavailable: when the node does not answer; nothing is lost.
            ReorgTooDeep: when the chain is another one than the stream was read from.
        """
        await self._indexer.catch_up()
        await self._learn_names()
        head = await self._client.header() if self._listings is not None else None
        if self._listings is not None and head is not None:
            async with self._database.snapshot() as unit:
                assets = await registered_assets(unit, self._registry)
            await self._listings.follow(assets, head.timestamp)

    async def assets(self, asset: AssetId | None = None) -> list[Asset]:
        """Return all assets, or one, from the logs up to now, in the order of their registration; raises as `poll`."""
        await self.poll()
        async with self._database.snapshot() as unit:
            return await registered_assets(unit, self._registry, asset)

    async def behind(self) -> int:
        """Return how many blocks were not read yet; raises as `poll`."""
        return await self._indexer.behind()

    async def gaps(self) -> int:
        """Return how often the node had hidden logs."""
        return await self._indexer.gaps()

    async def poll_shares(self, asset: Asset) -> None:
        """Take in the transfers of an asset's shares since the last time; raises as `poll`."""
        assert SharesMoved.TOPIC is not None
        stream = Stream(
            name=f"shares/{self._chain_id}/{asset.shares}",
            handler=SharesLogs(asset.id, asset.shares),
            first_block=max(0, asset.block - HORIZON_BLOCKS),
            addresses=(asset.shares,),
            topics=(SharesMoved.TOPIC,),
            confirmations=self._depth,
        )
        await self._reader(stream).catch_up()

    def _reader(self, stream: Stream) -> Indexer:
        head = self._head.latest if self._head else None
        return Indexer(
            self._client, self._database, stream, horizon_blocks=HORIZON_BLOCKS, alone=self._alone, head=head
        )

    async def _learn_names(self) -> None:
        """Ask new assets' shares for their names, which never change and are in no log."""
        async with self._database.snapshot() as unit:
            unknown = await nameless(unit, self._registry)
        for asset, address in unknown:
            shares = Shares(address, self._client)
            name, symbol = await read_text(shares.name()), await read_text(shares.symbol())
            async with self._database.transaction() as unit:
                await set_name(unit, asset, name, symbol)


def index_assets(indexer: AssetIndexer, *, poll_seconds: float = 2.0) -> Job:
    """Return the job that follows the registry and the passes."""
    return Job("assets", indexer.poll, poll_seconds)


def _topics() -> Sequence[Hash32]:
    return [event.TOPIC for event in _EVENTS if event.TOPIC is not None]
