"""The tables of registered assets and their passes: what the contracts' logs said, and names given here.

A row keeps the block of its log, so that a block that goes takes its rows with it. What can change (title, price card,
retirement) is a row for each change; the newest holds.
"""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Row,
    String,
    Table,
    delete,
    insert,
    select,
    update,
)

from usufruct.assets.model import Asset
from usufruct.assets.price_cards import PricePeriod, from_registry, period_of, price_card_columns, row_of
from usufruct.chain import Log
from usufruct.chain.contracts.access_pass import AccessPass, Activated, PlanCreated
from usufruct.chain.contracts.asset_registry import (
    AssetRegistered,
    AssetRegistry,
    Kind,
    PriceCardSet,
    RetirementAnnounced,
    RetirementCancelled,
    Transfer,
)
from usufruct.core import Address, AssetId, Hash32
from usufruct.store import AddressColumn, AssetIdColumn, HashColumn, Unit, metadata


def table_of_logs(name: str, *columns: Column[Any]) -> Table:
    """Return a table with a row for each log about an asset, by its place on the chain."""
    return Table(
        name,
        metadata,
        Column("asset_id", AssetIdColumn, nullable=False),
        Column("block", BigInteger, nullable=False),
        Column("position", Integer, nullable=False),
        *columns,
        PrimaryKeyConstraint("asset_id", "block", "position"),
    )


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

_titles = table_of_logs("asset_titles", Column("holder", AddressColumn, nullable=False))

_retirements = table_of_logs(
    "asset_retirements",
    Column("retires_at", BigInteger, nullable=False),  # 0: called off
)

_names = Table(
    "asset_names",  # given by this installation when it registered the asset
    metadata,
    Column("registry", AddressColumn, nullable=False),
    Column("name", String(200), nullable=False),
    Column("asset_id", AssetIdColumn, nullable=False),
    PrimaryKeyConstraint("registry", "name"),
)

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

_EVENTS = (AssetRegistered, PriceCardSet, Transfer, RetirementAnnounced, RetirementCancelled, PlanCreated, Activated)


class RegistryLogs:
    """`LogHandler` of the registry and the passes."""

    TOPICS = tuple(event.TOPIC for event in _EVENTS)

    def __init__(self, registry: Address, access_pass: Address) -> None:
        self.addresses = (registry, access_pass)
        self._registry = registry
        self._assets = select(_assets.c.id).where(_assets.c.registry == registry)

    async def accepts(self, unit: Unit, log: Log) -> bool:
        """Tell whether the log is one of our two contracts'."""
        return log.address in self.addresses

    async def apply(self, unit: Unit, log: Log) -> None:
        """Keep what the log says."""
        contract = AssetRegistry if log.address == self._registry else AccessPass
        block = {"block": log.block_number}
        place = {**block, "position": log.index}
        match contract.decode_log(log):
            case AssetRegistered() as event:
                row = {
                    "id": event.asset,
                    "registry": self._registry,
                    "shares": event.shares,
                    "kind": event.kind.value,
                    "currency": event.currency,
                    "notice_period": event.notice_period,
                }
                await unit.change(insert(_assets).values(**row, **block))
            case PriceCardSet() as event:
                period = PricePeriod(from_registry(event.card), event.effective_at)
                await unit.change(insert(_cards).values(asset_id=event.asset, **row_of(period), **block))
            case Transfer() as event:
                await unit.change(insert(_titles).values(asset_id=event.token_id, holder=event.to, **place))
            case RetirementAnnounced() as event:
                row = {"asset_id": event.asset, "retires_at": event.retires_at}
                await unit.change(insert(_retirements).values(**row, **place))
            case RetirementCancelled() as event:
                await unit.change(insert(_retirements).values(asset_id=event.asset, retires_at=0, **place))
            case PlanCreated() as event:
                await unit.change(insert(_plans).values(id=_pass(event.id), asset_id=event.asset, **block))
            case Activated() as event:
                key = {"plan_id": _pass(event.id), "holder": event.holder, "meter": event.meter}
                if await unit.row(select(_activations).filter_by(**key)) is None:  # the first time counts
                    await unit.change(insert(_activations).values(**key, asset_id=event.asset, **block))

    async def rollback(self, unit: Unit, block: int) -> None:
        """Forget what blocks that are gone said."""
        for table in (_plans, _activations, _cards, _titles, _retirements):
            await unit.change(delete(table).where(table.c.block > block, table.c.asset_id.in_(self._assets)))
        await unit.change(delete(_assets).where(_assets.c.registry == self._registry, _assets.c.block > block))


async def nameless(unit: Unit, registry: Address) -> list[tuple[AssetId, Address]]:
    """Return the assets whose name, which is not in their log, was not read yet, with their shares."""
    query = select(_assets.c.id, _assets.c.shares).where(_assets.c.registry == registry, _assets.c.name.is_(None))
    return [(row.id, row.shares) for row in await unit.rows(query)]


async def set_name(unit: Unit, asset: AssetId, name: str, symbol: str) -> None:
    """Store what an asset's shares are called."""
    await unit.change(update(_assets).where(_assets.c.id == asset).values(name=name, symbol=symbol))


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


async def asset_kinds(unit: Unit) -> dict[AssetId, Kind]:
    """Return the kind of every registered asset that is known here."""
    return {row.id: Kind(row.kind) for row in await unit.rows(select(_assets.c.id, _assets.c.kind))}


async def add_name(unit: Unit, registry: Address, name: str, asset: AssetId) -> None:
    """Give a name to an asset of a registry; `ConstraintViolated` when it is another one's."""
    await unit.change(insert(_names).values(registry=registry, name=name, asset_id=asset))


async def asset_named(unit: Unit, registry: Address, name: str) -> AssetId | None:
    """Return the asset of a registry that was registered here under a name."""
    ours = (_names.c.registry == registry, _names.c.name == name)
    row = await unit.row(select(_names.c.asset_id).where(*ours))
    return row.asset_id if row else None


async def names_given(unit: Unit, registry: Address) -> dict[AssetId, str]:
    """Return the names given here to a registry's assets, by asset."""
    rows = await unit.rows(select(_names).where(_names.c.registry == registry))
    return {row.asset_id: row.name for row in rows}


async def plans_of(unit: Unit, registry: Address, asset: AssetId | None = None) -> list[int]:
    """Return the ids of the plans of a registry's assets, or of one of them, in the order they were made."""
    query = select(_plans.c.id).join(_assets, _assets.c.id == _plans.c.asset_id).where(_assets.c.registry == registry)
    if asset is not None:
        query = query.where(_plans.c.asset_id == asset)
    rows = await unit.rows(query.order_by(_plans.c.block, _plans.c.id))
    return [int(row.id, 16) for row in rows]


async def meters_of(unit: Unit, plan: int, holder: Address) -> list[Address]:
    """Return the meters a holder has activated a plan's credits for."""
    mine = (_activations.c.plan_id == _pass(plan), _activations.c.holder == holder)
    rows = await unit.rows(select(_activations.c.meter).where(*mine).order_by(_activations.c.block))
    return [row.meter for row in rows]


def _pass(plan: int) -> Hash32:
    return Hash32(f"0x{plan:064x}")


async def _by_asset(
    unit: Unit, table: Table, asset: AssetId | None, *order: Column[Any]
) -> dict[AssetId, list[Row[Any]]]:
    query = select(table).order_by(table.c.asset_id, *order)
    if asset is not None:
        query = query.where(table.c.asset_id == asset)
    return {key: list(rows) for key, rows in groupby(await unit.rows(query), lambda row: row.asset_id)}


def _asset(row: Row[Any], cards: Sequence[Row[Any]], holder: Address, retirements: Sequence[Row[Any]]) -> Asset:
    return Asset(
        id=row.id,
        name=row.name or "",
        symbol=row.symbol or "",
        kind=Kind(row.kind),
        holder=holder,
        shares=row.shares,
        currency=row.currency,
        notice_period=row.notice_period,
        cards=tuple(map(period_of, cards)),
        retires_at=retirements[-1].retires_at if retirements else 0,
        block=row.block,
    )
