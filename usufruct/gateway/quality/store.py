"""The tables of measured quality: tallies by hour and by day, and what they say about each service now."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Row,
    Table,
    Text,
    and_,
    bindparam,
    delete,
    insert,
    or_,
    select,
    update,
)

from usufruct.core import AssetId
from usufruct.gateway.quality.histogram import Histogram
from usufruct.gateway.quality.summary import DAYS, Spread, Summary
from usufruct.gateway.quality.tally import COUNTS, HISTOGRAMS, CallCounts, Tally
from usufruct.store import Amount, AssetIdColumn, Database, Unit, metadata, next_revision

HOUR, DAY = 3_600, 86_400
HOURS_KEPT, DAYS_KEPT = 48, 400

_NUMBERS = tuple(name for name in COUNTS if name not in ("income", "cached_input_tokens"))

_tallies = Table(
    "service_tallies",
    metadata,
    Column("asset_id", AssetIdColumn, nullable=False),
    Column("span", Integer, nullable=False),  # seconds: an hour or a day
    Column("starts_at", BigInteger, nullable=False),  # a multiple of the span
    *(Column(name, BigInteger, nullable=False) for name in _NUMBERS),
    Column("income", Amount, nullable=False),
    *(Column(name, Text, nullable=False) for name in HISTOGRAMS),
    Column("changed_at", BigInteger, nullable=False),
    Column("cached_input_tokens", BigInteger, nullable=False, server_default="0"),
    PrimaryKeyConstraint("asset_id", "span", "starts_at"),
    Index("ix_service_tallies_changed_at", "changed_at"),
)

REVISION = "service_quality"
"""What changes of both tables are counted under."""

_PLAIN = ("days", "calls", "tried", "success", "input_tokens", "output_tokens", "income")
_SPREAD = ("sample", "median", "p95")

quality_table = Table(
    "service_quality",
    metadata,
    Column("asset_id", AssetIdColumn, nullable=False),
    Column("days", Integer, nullable=False),
    Column("calls", BigInteger, nullable=False),
    Column("tried", BigInteger, nullable=False),
    Column("success", Float),
    *(Column(f"{name}_sample", BigInteger, nullable=False) for name in HISTOGRAMS),
    *(Column(f"{name}_{part}", Float) for name in HISTOGRAMS for part in _SPREAD[1:]),
    Column("input_tokens", BigInteger, nullable=False),
    Column("output_tokens", BigInteger, nullable=False),
    Column("income", Amount, nullable=False),
    PrimaryKeyConstraint("asset_id", "days"),
)


async def add_tallies(unit: Unit, tallies: Mapping[AssetId, Tally], span: int, now: int) -> None:
    """Add to the tallies of the hour or day that `now` is in; `ConstraintViolated` when another process began one."""
    at = {"span": span, "starts_at": now - now % span}
    ours = and_(
        _tallies.c.asset_id.in_(sorted(tallies)), _tallies.c.span == span, _tallies.c.starts_at == at["starts_at"]
    )
    rows = await unit.rows(select(_tallies).where(ours).order_by(_tallies.c.asset_id).with_for_update())
    known = {row.asset_id: _tally(row) for row in rows}
    new, changed = [], []
    for asset, tally in tallies.items():
        if asset in known:
            known[asset].merge(tally)
            changed.append({"asset": asset} | _columns(known[asset], now))
        else:
            new.append({"asset_id": asset} | at | _columns(tally, now))
    if new:
        await unit.change(insert(_tallies), new)
    if changed:
        one = and_(
            _tallies.c.asset_id == bindparam("asset"), *(_tallies.c[name] == value for name, value in at.items())
        )
        names = [*COUNTS, *HISTOGRAMS, "changed_at"]
        await unit.change(
            update(_tallies).where(one).values({name: bindparam(f"new_{name}") for name in names}),
            [{"asset": row["asset"]} | {f"new_{name}": row[name] for name in names} for row in changed],
        )


async def changed_assets(unit: Unit, since: int) -> list[AssetId]:
    """Return the services whose tallies changed at or after `since`, seconds by the database's clock."""
    rows = await unit.rows(select(_tallies.c.asset_id).where(_tallies.c.changed_at >= since).distinct())
    return [row.asset_id for row in rows]


async def summarized_assets(unit: Unit) -> list[AssetId]:
    """Return the services that have a summary."""
    return [row.asset_id for row in await unit.rows(select(quality_table.c.asset_id).distinct())]


async def tallies_since(
    unit: Unit, assets: Iterable[AssetId], hour: int, day: int
) -> dict[AssetId, tuple[Tally, Tally]]:
    """Return what was counted of services in the hours from `hour` on, and in the days from `day` on."""
    found = {asset: (Tally(), Tally()) for asset in assets}
    spans = or_(
        and_(_tallies.c.span == HOUR, _tallies.c.starts_at >= hour),
        and_(_tallies.c.span == DAY, _tallies.c.starts_at >= day),
    )
    for row in await unit.rows(select(_tallies).where(_tallies.c.asset_id.in_(list(found)), spans)):
        found[row.asset_id][row.span == DAY].merge(_tally(row))
    return found


async def income_since(database: Database, asset: AssetId, day: int) -> dict[int, int]:
    """Return what a service was paid on each day from `day` on that had calls, by the day's start."""
    ours = (_tallies.c.asset_id == asset, _tallies.c.span == DAY, _tallies.c.starts_at >= day)
    rows = await database.rows(select(_tallies.c.starts_at, _tallies.c.income).where(*ours))
    return {row.starts_at: row.income for row in rows}


async def days_since(
    database: Database, assets: Sequence[AssetId], day: int
) -> dict[AssetId, list[tuple[int, CallCounts]]]:
    """Return the days of some services from `day` on that had calls, each with its start."""
    ours = (_tallies.c.asset_id.in_(assets), _tallies.c.span == DAY, _tallies.c.starts_at >= day)
    counts = [_tallies.c[name] for name in ("asset_id", "starts_at", *COUNTS)]
    found: dict[AssetId, list[tuple[int, CallCounts]]] = {}
    for row in await database.rows(select(*counts).where(*ours).order_by(_tallies.c.starts_at)):
        found.setdefault(row.asset_id, []).append((row.starts_at, CallCounts(*row[2:])))
    return found


async def put_summaries(unit: Unit, summaries: Mapping[AssetId, Sequence[Summary]]) -> None:
    """Store what holds about services now, in place of what held before."""
    await unit.change(delete(quality_table).where(quality_table.c.asset_id.in_(list(summaries))))
    rows = [{"asset_id": asset} | _summary_columns(each) for asset, found in summaries.items() for each in found]
    await unit.change(insert(quality_table), rows)
    await next_revision(unit, REVISION)


async def summaries_of(database: Database, asset: AssetId) -> dict[int, Summary]:
    """Return a service's summaries by their days."""
    rows = await database.rows(select(quality_table).where(quality_table.c.asset_id == asset))
    return {row.days: _summary(row) for row in rows}


async def month_summaries(unit: Unit, assets: Sequence[AssetId]) -> dict[AssetId, Summary]:
    """Return what holds about services over 30 days; those that were never called are left out."""
    month = (quality_table.c.asset_id.in_(assets), quality_table.c.days == DAYS[1])
    return {row.asset_id: _summary(row) for row in await unit.rows(select(quality_table).where(*month))}


async def forget_tallies(unit: Unit, now: int) -> None:
    """Remove hours and days that nothing shows any more."""
    for span, kept in ((HOUR, HOURS_KEPT * HOUR), (DAY, DAYS_KEPT * DAY)):
        await unit.change(delete(_tallies).where(_tallies.c.span == span, _tallies.c.starts_at < now - kept))


def _columns(tally: Tally, now: int) -> dict[str, Any]:
    counts = {name: getattr(tally, name) for name in COUNTS}
    return counts | {name: getattr(tally, name).packed() for name in HISTOGRAMS} | {"changed_at": now}


def _tally(row: Row[Any]) -> Tally:
    values: dict[str, Any] = {name: getattr(row, name) for name in COUNTS}
    return Tally(**values | {name: Histogram.unpacked(getattr(row, name)) for name in HISTOGRAMS})


def _summary_columns(summary: Summary) -> dict[str, Any]:
    spreads = {f"{name}_{part}": getattr(getattr(summary, name), part) for name in HISTOGRAMS for part in _SPREAD}
    return {name: getattr(summary, name) for name in _PLAIN} | spreads


def _summary(row: Row[Any]) -> Summary:
    values: dict[str, Any] = {name: getattr(row, name) for name in _PLAIN}
    return Summary(
        **values | {name: Spread(*(getattr(row, f"{name}_{part}") for part in _SPREAD)) for name in HISTOGRAMS}
    )
