"""The table of transfers of prepaid credits."""

from collections.abc import Iterable

from sqlalchemy import BigInteger, Column, PrimaryKeyConstraint, Table, delete, func, insert, select

from usufruct.chain import Log
from usufruct.core import ZERO_ADDRESS, Address
from usufruct.market.trade.package_store import plan_hash
from usufruct.store import AddressColumn, HashColumn, Unit, metadata

_transfers = Table(
    "credit_transfers",
    metadata,
    Column("block", BigInteger, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("plan_id", HashColumn, nullable=False),
    Column("receiver", AddressColumn, nullable=False, index=True),
    PrimaryKeyConstraint("block", "position", "plan_id"),
)


async def put_transfer(unit: Unit, log: Log, receiver: Address, plans: Iterable[int]) -> None:
    """Keep that an account got credits of plans; the zero address has none."""
    if receiver == ZERO_ADDRESS:
        return
    row = {"block": log.block_number, "position": log.index, "receiver": receiver}
    for each in plans:
        await unit.change(insert(_transfers).values(**row, plan_id=plan_hash(each)))


async def plans_received(unit: Unit, receiver: Address) -> list[int]:
    """Return the plans of which an account ever got credits, the newest transfer first."""
    newest = select(_transfers.c.plan_id).where(_transfers.c.receiver == receiver).group_by(_transfers.c.plan_id)
    rows = await unit.rows(newest.order_by(func.max(_transfers.c.block).desc(), _transfers.c.plan_id))
    return [int(row.plan_id, 16) for row in rows]


async def forget_transfers_after(unit: Unit, block: int) -> None:
    """Undo transfers in blocks after `block`."""
    await unit.change(delete(_transfers).where(_transfers.c.block > block))
