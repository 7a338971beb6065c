"""The tables of listings and of their price cards."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from functools import lru_cache
from itertools import groupby
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Row,
    String,
    Table,
    insert,
    select,
    update,
)

from usufruct.assets.model import Caps, FreeSample, Listing
from usufruct.assets.price_cards import PricePeriod, period_of, price_card_columns, row_of
from usufruct.core import AssetId
from usufruct.store import AddressColumn, AssetIdColumn, HashColumn, Unit, metadata, next_revision, partial_index

_listings = Table(
    "listings",
    metadata,
    Column("id", AssetIdColumn, primary_key=True),
    Column("name", String(200), nullable=False),
    Column("operation", String(16), nullable=False),
    Column("pay_to", AddressColumn, nullable=False),
    Column("registered", Boolean, nullable=False),
    Column("caps", String, nullable=False),
    Column("model_digest", HashColumn, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("retired_at", BigInteger, nullable=True),
    Column("revision", BigInteger, nullable=False),
    Column("paused_at", BigInteger),
    Column("sample", String),  # JSON; NULL: every call is paid
    Column("level_discount_bps", Integer),  # NULL: 0
)

_on_sale = _listings.c.retired_at.is_(None)
partial_index("uq_listings_name", _listings.c.name, unique=True, where=_on_sale)
Index("ix_listings_revision", _listings.c.revision)

_prices = Table(
    "listing_prices",
    metadata,
    Column("listing_id", AssetIdColumn, ForeignKey("listings.id"), nullable=False),
    *price_card_columns(),
    PrimaryKeyConstraint("listing_id", "version"),
)


_AT_ONCE = 500
"""Listings whose rows are in memory at the same time."""

_PLAIN = ("name", "operation", "pay_to", "registered", "model_digest", "created_at", "retired_at", "paused_at")
"""Columns that hold a field of a listing as it is."""


def caps_text(caps: Caps) -> str:
    """Return limits as the table has them."""
    return json.dumps(asdict(caps))


def sample_text(sample: FreeSample | None) -> str | None:
    """Return a free sample as the table has it."""
    return None if sample is None else json.dumps(asdict(sample))


async def put_listing(unit: Unit, listing: Listing, known: Listing | None) -> None:
    """Store a listing, over what is `known` of it if anything; `ConstraintViolated` when its name or id is taken."""
    values = {name: getattr(listing, name) for name in _PLAIN}
    values |= {"caps": caps_text(listing.caps), "sample": sample_text(listing.sample)}
    values["level_discount_bps"] = listing.level_discount_bps
    if known is None:
        revision = await next_revision(unit, "listings")
        await unit.change(insert(_listings).values(id=listing.id, revision=revision, **values))
    else:
        await change_listing(unit, listing.id, **values)
    for period in listing.prices[len(known.prices) if known else 0 :]:
        await _insert_price(unit, listing.id, period)


async def add_price(unit: Unit, listing: AssetId, period: PricePeriod) -> None:
    """Store a new price card of a listing; `ConstraintViolated` when its version is taken."""
    await _insert_price(unit, listing, period)
    await change_listing(unit, listing)


async def change_listing(unit: Unit, listing: AssetId, **values: Any) -> None:
    """Replace some columns of a listing; without any, its price cards have changed."""
    values["revision"] = await next_revision(unit, "listings")
    await unit.change(update(_listings).where(_listings.c.id == listing).values(values))


async def set_retired(unit: Unit, listing: AssetId, now: int) -> None:
    """Mark a listing as retired at `now`, unless it is already."""
    row = await unit.row(select(_listings.c.retired_at).where(_listings.c.id == listing))
    if row is not None and row.retired_at is None:
        await change_listing(unit, listing, retired_at=now)


async def changed_listings(unit: Unit, revision: int) -> list[Listing]:
    """Return the listings that changed after `revision`, retired ones included, oldest first.

    Rows are read some at a time: those of a whole catalogue take more memory than its listings.
    """
    changed = select(_listings.c.id).where(_listings.c.revision > revision)
    rows = await unit.rows(changed.order_by(_listings.c.created_at, _listings.c.name))
    found: list[Listing] = []
    for at in range(0, len(rows), _AT_ONCE):
        found += await _read_listings(unit, [row.id for row in rows[at : at + _AT_ONCE]])
    return found


async def _read_listings(unit: Unit, ids: Sequence[AssetId]) -> list[Listing]:
    """Return listings in the order of their ids."""
    ours = select(_prices).where(_prices.c.listing_id.in_(ids))
    cards = groupby(await unit.rows(ours.order_by(_prices.c.listing_id, _prices.c.version)), lambda row: row.listing_id)
    prices = {listing: tuple(map(period_of, found)) for listing, found in cards}
    rows = {row.id: row for row in await unit.rows(select(_listings).where(_listings.c.id.in_(ids)))}
    return [_listing(rows[each], prices[each]) for each in ids]


async def _insert_price(unit: Unit, listing: AssetId, period: PricePeriod) -> None:
    await unit.change(insert(_prices).values(row_of(period) | {"listing_id": listing}))


def _listing(row: Row[Any], prices: Sequence[PricePeriod]) -> Listing:
    plain = {name: getattr(row, name) for name in _PLAIN}
    sample = FreeSample(**json.loads(row.sample)) if row.sample else None
    discount = row.level_discount_bps or 0
    caps = _caps(row.caps)
    return Listing(id=row.id, prices=tuple(prices), caps=caps, sample=sample, level_discount_bps=discount, **plain)


@lru_cache
def _caps(text: str) -> Caps:
    """Return the limits in a text; thousands of listings share a few, which are kept once."""
    return Caps(**json.loads(text))
