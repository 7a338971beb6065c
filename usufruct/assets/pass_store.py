"""The tables of passes: an asset's plans, and the meters that holders activated credits for."""

from sqlalchemy import BigInteger, Column, Index, PrimaryKeyConstraint, Table, delete, insert, select

from usufruct.assets.store import assets_of
from usufruct.chain.contracts.access_pass import Activated, PlanCreated
from usufruct.core import Address, AssetId, Hash32
from usufruct.store import AddressColumn, AssetIdColumn, HashColumn, Unit, metadata

_plans = Table(
    "pass_plans",
    metadata,
    Column("id", HashColumn, primary_key=True),
    Column("asset_id", AssetIdColumn, nullable=False),
    Column("block", BigInteger, nullable=False),
    Index("ix_pass_plans_asset_id", "asset_id"),
)

_activations = Table(
    "pass_activations",  # which meters a holder has ever activated credits for
    metadata,
    Column("plan_id", HashColumn, nullable=False),
    Column("holder", AddressColumn, nullable=False),
    Column("meter", AddressColumn, nullable=False),
    Column("asset_id", AssetIdColumn, nullable=False),
    Column("block", BigInteger, nullable=False),
    PrimaryKeyConstraint("plan_id", "holder", "meter"),
)


async def add_plan(unit: Unit, event: PlanCreated, block: int) -> None:
    """Store that an asset has a plan."""
    await unit.change(insert(_plans).values(id=_pass(event.id), asset_id=event.asset, block=block))


async def add_activation(unit: Unit, event: Activated, block: int) -> None:
    """Store for which meter a holder activated credits; the first time counts."""
    key = {"plan_id": _pass(event.id), "holder": event.holder, "meter": event.meter}
    if await unit.row(select(_activations).filter_by(**key)) is None:
        await unit.change(insert(_activations).values(**key, asset_id=event.asset, block=block))


async def forget_passes_after(unit: Unit, registry: Address, block: int) -> None:
    """Take back whatever the logs of blocks after `block` said about passes of a registry's assets."""
    for table in (_plans, _activations):
        await unit.change(delete(table).where(table.c.block > block, table.c.asset_id.in_(assets_of(registry))))


async def plans_of(unit: Unit, registry: Address, asset: AssetId | None = None) -> list[int]:
    """Return the ids of the plans of a registry's assets, or of one of them, in the order they were made."""
    which = _plans.c.asset_id.in_(assets_of(registry)) if asset is None else _plans.c.asset_id == asset
    rows = await unit.rows(select(_plans.c.id).where(which).order_by(_plans.c.block, _plans.c.id))
    return [int(Hash32(row.id), 16) for row in rows]


async def meters_of(unit: Unit, plan: int, holder: Address) -> list[Address]:
    """Return the meters a holder has activated a plan's credits for."""
    mine = (_activations.c.plan_id == _pass(plan), _activations.c.holder == holder)
    rows = await unit.rows(select(_activations.c.meter).where(*mine).order_by(_activations.c.block))
    return [Address(row.meter) for row in rows]


def _pass(plan: int) -> Hash32:
    return Hash32(f"0x{plan:064x}")
