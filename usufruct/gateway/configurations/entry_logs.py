"""Follows the registry's entries `configuration`: which transaction wrote each, however long ago."""

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, PrimaryKeyConstraint, Table, delete, insert, select

from usufruct.chain import ChainAccess, Log
from usufruct.chain.contracts.asset_registry import AssetRegistry, MetadataSet
from usufruct.core import Address, AssetId, Hash32
from usufruct.store import AssetIdColumn, HashColumn, Unit, metadata

KEY = "configuration"

LONGEST_ENTRY = 1_200
"""Bytes of an entry that are read, which may have any size; a longer one names no document."""

_entries = Table(
    "configuration_entries",
    metadata,
    Column("asset_id", AssetIdColumn, nullable=False),
    Column("block", BigInteger, nullable=False),
    Column("position", Integer, nullable=False),
    Column("entry", LargeBinary, nullable=False),  # as on the chain, not always UTF-8, cut
    Column("transaction", HashColumn, nullable=False),
    PrimaryKeyConstraint("asset_id", "block", "position"),
)


class EntryLogs:
    """`LogHandler` of the entries of one registry."""

    TOPICS = (MetadataSet.TOPIC,)

    def __init__(self, registry: Address) -> None:
        self.addresses = (registry,)

    async def accepts(self, unit: Unit, log: Log) -> bool:
        """Tell whether the log is the registry's, about a configuration."""
        return log.address in self.addresses and MetadataSet.decode(log).metadata_key == KEY

    async def apply(self, unit: Unit, log: Log) -> None:
        """Keep the entry and its transaction."""
        event = MetadataSet.decode(log)
        place = {"block": log.block_number, "position": log.index, "transaction": log.transaction_hash}
        entry = event.metadata_value[:LONGEST_ENTRY]
        await unit.change(insert(_entries).values(asset_id=event.agent_id, entry=entry, **place))

    async def rollback(self, unit: Unit, block: int) -> None:
        """Forget entries of blocks after `block`."""
        await unit.change(delete(_entries).where(_entries.c.block > block))


class EntryIndexer:
    """Keeps the table of entries as the chain has them; several processes may."""

    def __init__(self, chain: ChainAccess) -> None:
        """Read the logs of the installation's registry."""
        self._database = chain.database
        handler = EntryLogs(chain.deployments.address(AssetRegistry))
        first_block = chain.deployments.first_block(AssetRegistry)
        self.logs = chain.log_reader(
            "configurations", handler, handler.addresses, EntryLogs.TOPICS, first_block, at_once=True
        )

    async def newest(self, asset: AssetId, block: int) -> tuple[bytes, Hash32] | None:
        """Return the beginning of the newest entry of an asset up to a block, and its transaction; None for none.

        Raises:
            RpcUnavailable: when the node does not answer.
            RpcRefused: when it does not give the logs.
        """
        await self.logs.catch_up()
        ours = select(_entries).where(_entries.c.asset_id == asset, _entries.c.block <= block)
        async with self._database.snapshot() as unit:
            row = await unit.row(ours.order_by(_entries.c.block.desc(), _entries.c.position.desc()).limit(1))
        return (row.entry, row.transaction) if row is not None else None
