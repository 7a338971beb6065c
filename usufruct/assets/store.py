"""The tables of registered assets: what the registry's logs said, and names given here.

A row keeps the block of its log, so that a block that goes takes its rows with it. What can change (title, price card,
retirement) is a row for each change; the newest holds.
"""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    PrimaryKeyConstraint,
    Row,
    Select,
    String,
    Table,
    delete,
    insert,
    select,
    update,
)

from usufruct.assets.model import Asset
from usufruct.assets.price_card_rows import period_of, price_card_columns, row_of
from usufruct.assets.price_cards import PricePeriod, from_registry
from usufruct.chain import Log
from usufruct.chain.contracts.asset_registry import AssetRegistered, Kind, PriceCardSet
from usufruct.core import Address, AssetId
from usufruct.store import AddressColumn, AssetIdColumn, Unit, metadata

_assets = Table(
    "assets",
    metadata,
    Column("id", AssetIdColumn, primary_key=True),
    Column("registry", AddressColumn, nullable=False),
    Column("shares", AddressColumn, nullable=False),
    Column("kind", Integer, nullable=False),
    Column("currency", AddressColumn, nullable=False),
    Column("notice_period", BigInteger, nullable=False),
    Column("name", String(200)),  # of the shares; read from them after the log was
    Column("symbol", String(200)),
    Column("block", BigInteger, nullable=False),
)

_cards = Table(
    "asset_cards",
    metadata,
    Column("asset_id", AssetIdColumn, nullable=False),
    *price_card_columns(),
    Column("block", BigInteger, nullable=False),
    PrimaryKeyConstraint("asset_id", "version"),
)

_titles = Table(
    "asset_titles",
    metadata,
    Column("asset_id", AssetIdColumn, nullable=False),
    Column("block", BigInteger, nullable=False),
    Column("position", Integer, nullable=False),
    Column("holder", AddressColumn, nullable=False),
    PrimaryKeyConstraint("asset_id", "block", "position"),
)

_retirements = Table(
    "asset_retirements",
    metadata,
    Column("asset_id", AssetIdColumn, nullable=False),
    Column("block", BigInteger, nullable=False),
    Column("position", Integer, nullable=False),
    Column("retires_at", BigInteger, nullable=False),  # 0: called off
    PrimaryKeyConstraint("asset_id", "block", "position"),
)

_names = Table(
    "asset_names",  # given by this installation when it registered the asset
    metadata,
    Column("registry", AddressColumn, nullable=False),
    Column("name", String(200), nullable=False),
    Column("asset_id", AssetIdColumn, nullable=False),
    PrimaryKeyConstraint("registry", "name"),
)


def assets_of(registry: Address) -> Select[tuple[int]]:
    """Return the query for the ids of a registry's assets."""
    return select(_assets.c.id).where(_assets.c.registry == registry)


async def add_asset(unit: Unit, registry: Address, event: AssetRegistered, block: int) -> None:
    """Store a registered asset; its name is not in the log."""
    row = {
        "id": event.asset,
        "registry": registry,
        "shares": event.shares,
        "kind": event.kind.value,
        "currency": event.currency,
        "notice_period": event.notice_period,
        "block": block,
    }
    await unit.change(insert(_assets).values(row))


async def nameless(unit: Unit, registry: Address) -> list[tuple[AssetId, Address]]:
    """Return the assets whose name was not read yet, with their shares."""
    query = select(_assets.c.id, _assets.c.shares).where(_assets.c.registry == registry, _assets.c.name.is_(None))
    return [(AssetId(row.id), Address(row.shares)) for row in await unit.rows(query)]


async def set_name(unit: Unit, asset: AssetId, name: str, symbol: str) -> None:
    """Store what an asset's shares are called."""
    await unit.change(update(_assets).where(_assets.c.id == asset).values(name=name, symbol=symbol))


async def add_card(unit: Unit, event: PriceCardSet, block: int) -> None:
    """Store an announced price card."""
    period = PricePeriod(from_registry(event.card), event.effective_at)
    row = row_of(period) | {"asset_id": event.asset, "block": block}
    await unit.change(insert(_cards).values(row))


async def add_title(unit: Unit, asset: AssetId, holder: Address, log: Log) -> None:
    """Store who holds a title from a log on."""
    row = {"asset_id": asset, "block": log.block_number, "position": log.index, "holder": holder}
    await unit.change(insert(_titles).values(row))


async def add_retirement(unit: Unit, asset: AssetId, retires_at: int, log: Log) -> None:
    """Store an announced retirement, or with 0 that it was called off."""
    row = {"asset_id": asset, "block": log.block_number, "position": log.index, "retires_at": retires_at}
    await unit.change(insert(_retirements).values(row))


async def forget_after(unit: Unit, registry: Address, block: int) -> None:
    """Take back whatever the logs of blocks after `block` said about a registry's assets."""
    for table in (_cards, _titles, _retirements):
        await unit.change(delete(table).where(table.c.block > block, table.c.asset_id.in_(assets_of(registry))))
    await unit.change(delete(_assets).where(_assets.c.registry == registry, _assets.c.block > block))


async def registered_assets(unit: Unit, registry: Address, asset: AssetId | None = None) -> list[Asset]:
    """Return a registry's assets, or one of them, in the order of their registration."""
    query = select(_assets).where(_assets.c.registry == registry).order_by(_assets.c.block, _assets.c.id)
    if asset is not None:
        query = query.where(_assets.c.id == asset)
    rows = await unit.rows(query)
    cards = await _by_asset(unit, _cards, asset, _cards.c.version)
    titles = await _by_asset(unit, _titles, asset, _titles.c.block, _titles.c.position)
    retirements = await _by_asset(unit, _retirements, asset, _retirements.c.block, _retirements.c.position)
    return [_asset(row, cards[row.id], titles[row.id][-1].holder, retirements.get(row.id, ())) for row in rows]


async def add_name(unit: Unit, registry: Address, name: str, asset: AssetId) -> None:
    """Give a name to an asset of a registry.

    Raises:
        ConstraintViolated: when it is another one's.
    """
    await unit.change(insert(_names).values(registry=registry, name=name, asset_id=asset))


async def asset_named(unit: Unit, registry: Address, name: str) -> AssetId | None:
    """Return the asset of a registry that was registered here under a name."""
    ours = (_names.c.registry == registry, _names.c.name == name)
    row = await unit.row(select(_names.c.asset_id).where(*ours))
    return AssetId(row.asset_id) if row else None


async def names_given(unit: Unit, registry: Address) -> dict[AssetId, str]:
    """Return the names given here to a registry's assets, by asset."""
    rows = await unit.rows(select(_names).where(_names.c.registry == registry))
    return {AssetId(row.asset_id): row.name for row in rows}


async def _by_asset(
    unit: Unit, table: Table, asset: AssetId | None, *order: Column[Any]
) -> dict[AssetId, list[Row[Any]]]:
    query = select(table).order_by(table.c.asset_id, *order)
    if asset is not None:
        query = query.where(table.c.asset_id == asset)
    return {key: list(rows) for key, rows in groupby(await unit.rows(query), lambda row: AssetId(row.asset_id))}


def _asset(row: Row[Any], cards: Sequence[Row[Any]], holder: str, retirements: Sequence[Row[Any]]) -> Asset:
    return Asset(
        id=AssetId(row.id),
        name=row.name or "",
        symbol=row.symbol or "",
        kind=Kind(row.kind),
        holder=Address(holder),
        shares=Address(row.shares),
        currency=Address(row.currency),
        notice_period=row.notice_period,
        cards=tuple(map(period_of, cards)),
        retires_at=retirements[-1].retires_at if retirements else 0,
        block=row.block,
    )
