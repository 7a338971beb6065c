"""The tables of who holds an asset's shares (balances, and the moves they are made of), and what holders collected."""

from collections import Counter

from sqlalchemy import Column, PrimaryKeyConstraint, Table, delete, insert, select, update

from usufruct.assets.model import Holding
from usufruct.assets.store import table_of_logs
from usufruct.chain import Log
from usufruct.chain.contracts.shares import Collected, Transfer
from usufruct.core import ZERO_ADDRESS, Address, AssetId
from usufruct.store import AddressColumn, Amount, AssetIdColumn, Unit, metadata

_balances = Table(
    "share_balances",
    metadata,
    Column("asset_id", AssetIdColumn, nullable=False),
    Column("holder", AddressColumn, nullable=False),
    Column("amount", Amount, nullable=False),
    PrimaryKeyConstraint("asset_id", "holder"),
)

_moves = table_of_logs(
    "share_moves",
    Column("giver", AddressColumn, nullable=False),
    Column("receiver", AddressColumn, nullable=False, index=True),
    Column("amount", Amount, nullable=False),
)

_collections = table_of_logs(
    "share_collections",
    Column("token", AddressColumn, nullable=False),
    Column("holder", AddressColumn, nullable=False),
    Column("amount", Amount, nullable=False),
)


class SharesLogs:
    """`LogHandler` of one asset's shares."""

    STREAM = "shares"
    TOPICS = (Transfer.TOPIC,)

    def __init__(self, asset: AssetId, shares: Address) -> None:
        self.addresses = (shares,)
        self._asset = asset

    async def accepts(self, unit: Unit, log: Log) -> bool:
        """Tell whether the log is these shares'."""
        return log.address in self.addresses

    async def apply(self, unit: Unit, log: Log) -> None:
        """Take a transfer into the balances; the zero address has none."""
        moved = Transfer.decode(log)
        row = {"asset_id": self._asset, "giver": moved.from_, "receiver": moved.to, "amount": moved.value}
        await unit.change(insert(_moves).values(**row, block=log.block_number, position=log.index))
        await self._change_balance(unit, moved.from_, -moved.value)
        await self._change_balance(unit, moved.to, moved.value)

    async def rollback(self, unit: Unit, block: int) -> None:
        """Undo the transfers in blocks after `block`, the newest first."""
        undone = (_moves.c.asset_id == self._asset, _moves.c.block > block)
        newest_first = (_moves.c.block.desc(), _moves.c.position.desc())
        for row in await unit.rows(select(_moves).where(*undone).order_by(*newest_first)):
            await self._change_balance(unit, row.receiver, -row.amount)
            await self._change_balance(unit, row.giver, row.amount)
        await unit.change(delete(_moves).where(*undone))

    async def _change_balance(self, unit: Unit, holder: Address, by: int) -> None:
        if holder == ZERO_ADDRESS:
            return
        key = (_balances.c.asset_id == self._asset, _balances.c.holder == holder)
        row = await unit.row(select(_balances.c.amount).where(*key))
        amount = (row.amount if row else 0) + by
        if row is None:
            await unit.change(insert(_balances).values(asset_id=self._asset, holder=holder, amount=amount))
        elif amount:
            await unit.change(update(_balances).where(*key).values(amount=amount))
        else:
            await unit.change(delete(_balances).where(*key))


class CollectionLogs(SharesLogs):
    """`LogHandler` of what one asset's shareholders collect."""

    STREAM = "collections"
    TOPICS = (Collected.TOPIC,)

    async def apply(self, unit: Unit, log: Log) -> None:
        """Keep what was collected."""
        paid = Collected.decode(log)
        row = {"asset_id": self._asset, "token": paid.token, "holder": paid.holder, "amount": paid.amount}
        await unit.change(insert(_collections).values(**row, block=log.block_number, position=log.index))

    async def rollback(self, unit: Unit, block: int) -> None:
        """Forget what was collected in blocks after `block`."""
        undone = (_collections.c.asset_id == self._asset, _collections.c.block > block)
        await unit.change(delete(_collections).where(*undone))


async def holdings(unit: Unit, asset: AssetId) -> list[Holding]:
    """Return who holds an asset's shares, most first."""
    query = select(_balances).where(_balances.c.asset_id == asset)
    rows = await unit.rows(query.order_by(_balances.c.amount.desc(), _balances.c.holder))
    return [Holding(row.holder, row.amount) for row in rows]


async def owners(unit: Unit, asset: AssetId) -> dict[Address, int]:
    """Return who holds an asset's shares or ever did, with what they hold now, most first."""
    rows = await unit.rows(select(_moves.c.receiver).where(_moves.c.asset_id == asset).distinct())
    held = {each.holder: each.amount for each in await holdings(unit, asset)}
    return held | dict.fromkeys(sorted({row.receiver for row in rows} - held.keys()), 0)


async def received_by(unit: Unit, holder: Address, limit: int) -> list[AssetId]:
    """Return the assets of which an account ever received shares, as far as their logs were read."""
    query = select(_moves.c.asset_id).where(_moves.c.receiver == holder).distinct()
    return [row.asset_id for row in await unit.rows(query.order_by(_moves.c.asset_id).limit(limit))]


async def collected(unit: Unit, asset: AssetId, token: Address) -> Counter[Address]:
    """Return how much of a token each shareholder collected."""
    found: Counter[Address] = Counter()
    query = select(_collections).where(_collections.c.asset_id == asset, _collections.c.token == token)
    for row in await unit.rows(query):
        found[row.holder] += row.amount
    return found
