"""The table of free calls: for each service and day, those of every visitor and those of all visitors together."""

from collections.abc import Mapping

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    and_,
    delete,
    insert,
    select,
    update,
)

from usufruct.core import AssetId
from usufruct.store import AssetIdColumn, Unit, metadata

EVERYONE = b""
"""The mark of all visitors together."""

_counts = Table(
    "sample_counts",
    metadata,
    Column("asset_id", AssetIdColumn, nullable=False),
    Column("day", BigInteger, nullable=False, index=True),  # since 1970, UTC
    Column("visitor", LargeBinary, nullable=False),  # a mark of the network; empty: all visitors
    Column("calls", BigInteger, nullable=False),
    PrimaryKeyConstraint("asset_id", "day", "visitor"),
)


async def calls_of(unit: Unit, asset: AssetId, day: int, visitor: bytes) -> tuple[int, int]:
    """Return how many free calls a visitor has had of a service on a day, and how many all visitors together."""
    found = await _calls(unit, asset, day, visitor)
    return found.get(visitor, 0), found.get(EVERYONE, 0)


async def add_call(unit: Unit, asset: AssetId, day: int, visitor: bytes) -> None:
    """Count a free call of a visitor."""
    known = await _calls(unit, asset, day, visitor)
    for who in (EVERYONE, visitor):
        if who in known:
            await unit.change(update(_counts).where(_one(asset, day, who)).values(calls=_counts.c.calls + 1))
        else:
            await unit.change(insert(_counts).values(asset_id=asset, day=day, visitor=who, calls=1))


async def remove_call(unit: Unit, asset: AssetId, day: int, visitor: bytes) -> None:
    """Take back a free call that was counted."""
    for who in (EVERYONE, visitor):
        counted = and_(_one(asset, day, who), _counts.c.calls > 0)
        await unit.change(update(_counts).where(counted).values(calls=_counts.c.calls - 1))


async def remove_days_before(unit: Unit, day: int) -> None:
    """Remove the counts of the days before `day`."""
    await unit.change(delete(_counts).where(_counts.c.day < day))


async def _calls(unit: Unit, asset: AssetId, day: int, visitor: bytes) -> Mapping[bytes, int]:
    both = and_(_counts.c.asset_id == asset, _counts.c.day == day, _counts.c.visitor.in_([EVERYONE, visitor]))
    rows = await unit.rows(select(_counts.c.visitor, _counts.c.calls).where(both))
    return {bytes(row.visitor): row.calls for row in rows}


def _one(asset: AssetId, day: int, visitor: bytes) -> ColumnElement[bool]:
    return and_(_counts.c.asset_id == asset, _counts.c.day == day, _counts.c.visitor == visitor)
