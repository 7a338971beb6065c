"""The tables of who holds an asset's shares: balances, and the moves they are made of, to be taken back."""

from sqlalchemy import BigInteger, Column, Integer, PrimaryKeyConstraint, Table, delete, insert, select, update

from usufruct.assets.model import Holding
from usufruct.chain import Log
from usufruct.chain.contracts.shares import Transfer
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

_moves = Table(
    "share_moves",
    metadata,
    Column("asset_id", AssetIdColumn, nullable=False),
    Column("block", BigInteger, nullable=False),
    Column("position", Integer, nullable=False),
    Column("giver", AddressColumn, nullable=False),
    Column("receiver", AddressColumn, nullable=False),
    Column("amount", Amount, nullable=False),
    PrimaryKeyConstraint("asset_id", "block", "position"),
)


class SharesLogs:
    """`LogHandler` of one asset's shares."""

    TOPICS = tuple(event.TOPIC for event in (Transfer,) if event.TOPIC is not None)

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


async def holdings(unit: Unit, asset: AssetId) -> list[Holding]:
    """Return who holds an asset's shares, most first."""
    query = select(_balances).where(_balances.c.asset_id == asset)
    rows = await unit.rows(query.order_by(_balances.c.amount.desc(), _balances.c.holder))
    return [Holding(row.holder, row.amount) for row in rows]
