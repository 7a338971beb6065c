"""The tables of who holds an asset's shares: balances, and the moves they are made of, to be taken back."""

from sqlalchemy import BigInteger, Column, Integer, PrimaryKeyConstraint, Table, delete, insert, select, update

from usufruct.assets.model import Holding
from usufruct.chain import Log
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


async def add_move(unit: Unit, asset: AssetId, giver: Address, receiver: Address, amount: int, log: Log) -> None:
    """Take a transfer of shares into the balances; the zero address has none."""
    row = {"giver": giver, "receiver": receiver, "amount": amount}
    place = {"asset_id": asset, "block": log.block_number, "position": log.index}
    await unit.change(insert(_moves).values(**row, **place))
    await _change_balance(unit, asset, giver, -amount)
    await _change_balance(unit, asset, receiver, amount)


async def take_back_moves(unit: Unit, asset: AssetId, block: int) -> None:
    """Undo the transfers of shares in blocks after `block`, the newest first."""
    undone = (_moves.c.asset_id == asset, _moves.c.block > block)
    newest_first = (_moves.c.block.desc(), _moves.c.position.desc())
    for row in await unit.rows(select(_moves).where(*undone).order_by(*newest_first)):
        await _change_balance(unit, asset, Address(row.receiver), -row.amount)
        await _change_balance(unit, asset, Address(row.giver), row.amount)
    await unit.change(delete(_moves).where(*undone))


async def holdings(unit: Unit, asset: AssetId) -> list[Holding]:
    """Return who holds an asset's shares, most first."""
    query = select(_balances).where(_balances.c.asset_id == asset)
    rows = await unit.rows(query.order_by(_balances.c.amount.desc(), _balances.c.holder))
    return [Holding(Address(row.holder), row.amount) for row in rows]


async def _change_balance(unit: Unit, asset: AssetId, holder: Address, by: int) -> None:
    if holder == ZERO_ADDRESS:
        return
    key = (_balances.c.asset_id == asset, _balances.c.holder == holder)
    row = await unit.row(select(_balances.c.amount).where(*key))
    amount = (row.amount if row else 0) + by
    if row is None:
        await unit.change(insert(_balances).values(asset_id=asset, holder=holder, amount=amount))
    elif amount:
        await unit.change(update(_balances).where(*key).values(amount=amount))
    else:
        await unit.change(delete(_balances).where(*key))
