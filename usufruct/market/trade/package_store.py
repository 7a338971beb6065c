"""The table of packages of prepaid credits that were bought."""

from dataclasses import dataclass

from sqlalchemy import BigInteger, Column, PrimaryKeyConstraint, Table, delete, insert, select

from usufruct.core import Address, Hash32
from usufruct.store import AddressColumn, Amount, HashColumn, Unit, metadata

_purchases = Table(
    "pass_purchases",
    metadata,
    Column("block", BigInteger, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("plan_id", HashColumn, nullable=False),
    Column("buyer", AddressColumn, nullable=False, index=True),
    Column("receiver", AddressColumn, nullable=False, index=True),
    Column("credits", Amount, nullable=False),
    Column("transaction", HashColumn, nullable=False),
    PrimaryKeyConstraint("block", "position"),
)


@dataclass(frozen=True, slots=True)
class BoughtPackages:
    """Packages of a plan that `buyer` paid for and `receiver` got, by their place on the chain."""

    block: int
    position: int
    plan: int
    buyer: Address
    receiver: Address
    credits: int
    transaction: Hash32


async def put_packages(unit: Unit, bought: BoughtPackages) -> None:
    """Store packages that were bought."""
    names = ("block", "position", "buyer", "receiver", "credits", "transaction")
    row = {name: getattr(bought, name) for name in names}
    await unit.change(insert(_purchases).values(**row, plan_id=plan_hash(bought.plan)))


async def credits_bought(unit: Unit, buyer: Address) -> dict[int, int]:
    """Return how many credits a buyer has bought in packages, by plan."""
    found: dict[int, int] = {}
    query = select(_purchases.c.plan_id, _purchases.c.credits).where(_purchases.c.buyer == buyer)
    for row in await unit.rows(query):
        plan = int(row.plan_id, 16)
        found[plan] = found.get(plan, 0) + row.credits
    return found


async def forget_packages_after(unit: Unit, block: int) -> None:
    """Undo purchases in blocks after `block`."""
    await unit.change(delete(_purchases).where(_purchases.c.block > block))


def plan_hash(plan: int) -> Hash32:
    """Return a plan's id as 32 bytes in hex."""
    return Hash32(f"0x{plan:064x}")
