"""The tables of the catalogue: assets, price cards, vocabularies. Upstreams' addresses hold keys and are sealed."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Row,
    String,
    Table,
    insert,
    select,
    update,
)

from usufruct.core import Address, AssetId, Hash32, PriceCard, PriceUnit
from usufruct.gateway.model import Caps, CountingRule, Endpoint, PricePeriod, ServedListing, Upstream
from usufruct.store import AddressColumn, Amount, AssetIdColumn, HashColumn, Seal, Unit, metadata

_assets = Table(
    "gateway_assets",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("endpoint", String(16), nullable=False),
    Column("pay_to", AddressColumn, nullable=False),
    Column("asset_id", AssetIdColumn, nullable=False, unique=True),
    Column("sealed_replicas", LargeBinary, nullable=False),
    Column("counting", String, nullable=False),
    Column("caps", String, nullable=False),
    Column("model_digest", HashColumn, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("retired_at", BigInteger, nullable=True),
)

_prices = Table(
    "gateway_prices",
    metadata,
    Column("name", String(200), ForeignKey("gateway_assets.name"), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("input_per_million", Amount, nullable=False),
    Column("output_per_million", Amount, nullable=False),
    Column("per_call", Amount, nullable=False),
    Column("cached_input_bps", Integer, nullable=False),
    Column("unit", String(16), nullable=False),
    Column("context_window", BigInteger, nullable=False),
    Column("starts_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("name", "version"),
)

_vocabularies = Table(
    "gateway_vocabularies",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("content", LargeBinary, nullable=False),
)

_changes = Table(
    "gateway_changes",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # one row: 1
    Column("changes", BigInteger, nullable=False),  # of assets and price cards, so far
)

Unsealed = Mapping[bytes, tuple[Upstream, ...]]
"""Upstreams by what they are sealed as."""


async def add_asset(unit: Unit, asset: ServedListing, seal: Seal) -> None:
    """Store a new asset with its price cards.

    Raises:
        ConstraintViolated: when its name or id is taken.
    """
    row = {
        "name": asset.name,
        "endpoint": asset.endpoint.value,
        "pay_to": asset.pay_to,
        "asset_id": asset.id,
        "sealed_replicas": _sealed(asset.name, asset.upstreams, seal),
        **_limits(asset),
        "model_digest": asset.model_digest,
        "created_at": asset.created_at,
        "retired_at": asset.retired_at,
    }
    await unit.change(insert(_assets).values(row))
    for period in asset.prices:
        await add_price(unit, asset.name, period)
    await _count_change(unit)


async def set_limits(unit: Unit, asset: ServedListing) -> None:
    """Replace how an asset is counted and capped."""
    await unit.change(update(_assets).where(_assets.c.name == asset.name).values(_limits(asset)))
    await _count_change(unit)


def _limits(asset: ServedListing) -> dict[str, str]:
    return {
        "counting": json.dumps(asdict(asset.counting), default=sorted),
        "caps": json.dumps(asdict(asset.caps)),
    }


async def add_price(unit: Unit, name: str, period: PricePeriod) -> None:
    """Store a new price card of an asset.

    Raises:
        ConstraintViolated: when its version is taken.
    """
    await unit.change(insert(_prices).values(asdict(period.card) | {"name": name, "starts_at": period.starts_at}))
    await _count_change(unit)


async def set_replicas(unit: Unit, name: str, replicas: Sequence[Upstream], seal: Seal) -> None:
    """Replace what is stored of an asset's servers."""
    sealed = _sealed(name, replicas, seal)
    await unit.change(update(_assets).where(_assets.c.name == name).values(sealed_replicas=sealed))
    await _count_change(unit)


def _sealed(name: str, replicas: Sequence[Upstream], seal: Seal) -> bytes:
    return seal.close(json.dumps([asdict(replica) for replica in replicas]).encode(), name)


async def set_retired(unit: Unit, name: str, now: int) -> None:
    """Mark an asset as retired at `now`, unless it is already."""
    await unit.change(
        update(_assets).where(_assets.c.name == name, _assets.c.retired_at.is_(None)).values(retired_at=now)
    )
    await _count_change(unit)


async def changes(unit: Unit) -> int:
    """Return how often assets and price cards were changed."""
    row = await unit.row(select(_changes.c.changes))
    return row.changes if row else 0


async def _count_change(unit: Unit) -> None:
    await unit.change(update(_changes).values(changes=_changes.c.changes + 1))


async def all_assets(unit: Unit, seal: Seal, unsealed: Unsealed) -> tuple[dict[str, ServedListing], Unsealed]:
    """Return every asset, retired ones included, by name; and its upstreams, which are opened unless `unsealed` are.

    Opening a seal costs more than reading a row.
    """
    cards = await unit.rows(select(_prices).order_by(_prices.c.name, _prices.c.version))
    prices = {name: tuple(map(_period, rows)) for name, rows in groupby(cards, lambda row: row.name)}
    rows = await unit.rows(select(_assets).order_by(_assets.c.created_at, _assets.c.name))
    opened = {bytes(row.sealed_replicas): _replicas(row, seal, unsealed) for row in rows}
    return {row.name: _asset(row, prices[row.name], opened[bytes(row.sealed_replicas)]) for row in rows}, opened


async def add_vocabulary(unit: Unit, digest: str, content: bytes) -> None:
    """Store a vocabulary under its SHA-256, unless it is there."""
    if await vocabulary_content(unit, digest) is None:
        await unit.change(insert(_vocabularies).values({"digest": digest, "content": content}))


async def vocabulary_content(unit: Unit, digest: str) -> bytes | None:
    """Return a stored vocabulary."""
    row = await unit.row(select(_vocabularies.c.content).where(_vocabularies.c.digest == digest))
    return bytes(row.content) if row else None


def _period(row: Row[Any]) -> PricePeriod:
    card = PriceCard(
        input_per_million=row.input_per_million,
        output_per_million=row.output_per_million,
        per_call=row.per_call,
        cached_input_bps=row.cached_input_bps,
        unit=PriceUnit(row.unit),
        context_window=row.context_window,
        version=row.version,
    )
    return PricePeriod(card, row.starts_at)


def _counting(text: str) -> CountingRule:
    stored = json.loads(text)
    return CountingRule(**stored | {"forward": frozenset(stored.get("forward", ()))})


def _replicas(row: Row[Any], seal: Seal, unsealed: Unsealed) -> tuple[Upstream, ...]:
    sealed = bytes(row.sealed_replicas)
    known = unsealed.get(sealed)
    return known if known is not None else tuple(Upstream(**entry) for entry in json.loads(seal.open(sealed, row.name)))


def _asset(row: Row[Any], prices: tuple[PricePeriod, ...], replicas: tuple[Upstream, ...]) -> ServedListing:
    return ServedListing(
        name=row.name,
        endpoint=Endpoint(row.endpoint),
        pay_to=Address(row.pay_to),
        id=AssetId(row.asset_id),
        upstreams=replicas,
        prices=prices,
        counting=_counting(row.counting),
        caps=Caps(**json.loads(row.caps)),
        model_digest=Hash32(row.model_digest),
        created_at=row.created_at,
        retired_at=row.retired_at,
    )
