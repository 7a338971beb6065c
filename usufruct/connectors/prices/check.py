"""Look over a whole archive: what the rules say of its bars today, gaps, and assets that look renamed."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import polars as pl

from usufruct.connectors.prices.archive import PriceArchive
from usufruct.connectors.prices.bars import BAR_SCHEMA, PRICES, Interval, start_of
from usufruct.connectors.prices.dense import follow_renames
from usufruct.connectors.prices.ingest import merge_findings, stablecoins_of
from usufruct.connectors.prices.registry import AssetChange, Registry
from usufruct.connectors.prices.rules import CheckRules, Finding, finding_of, judge_series

_ASSETS_AT_ONCE: Final = 200
_RENAMED_WITHIN: Final = timedelta(days=3)
_SAME_PRICE: Final = 0.15


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What was looked at, and what was found."""

    bars: int
    assets: int
    findings: tuple[Finding, ...]


def check(
    archive: PriceArchive,
    interval: Interval = Interval.DAY,
    *,
    rules: CheckRules | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> CheckReport:
    """Apply the rules to every bar, each with its neighbours; recorded renames and redenominations are followed.

    A spike that was the last bar of its import is found here, when the bars after it are known.
    """
    rules, registry = rules or CheckRules(), archive.registry()
    span = next((each for each in archive.spans() if each.interval is interval), None)
    ids = sorted(registry.by_id)
    groups = [ids[at : at + _ASSETS_AT_ONCE] for at in range(0, len(ids), _ASSETS_AT_ONCE)] if span else []
    findings: list[Finding] = []
    ends: list[pl.DataFrame] = []
    bars = 0
    for done, group in enumerate(groups, 1):
        assert span is not None
        rows = archive.latest(interval, span.first, span.last, assets=_with_former(group, registry))
        rows = _adjusted(rows, registry).filter(pl.col("asset").is_in(group))
        bars += len(rows)
        judged = judge_series(
            rows.with_columns(place=pl.lit(None, dtype=pl.String()), context=pl.lit(value=False)),
            interval,
            stablecoins_of(registry),
            rules,
        )
        refused = judged.quarantined.partition_by("rule", maintain_order=True)
        findings += [each for part in refused if (each := finding_of(part["rule"][0], part)) is not None]
        findings += judged.findings
        ends.append(_ends(rows.filter(pl.col("close").is_not_null())))
        progress(done, len(groups))
    return CheckReport(bars, len(ids), (*merge_findings(findings), *_renamed(ends, span.last if span else None)))


def _with_former(group: Iterable[str], registry: Registry) -> list[str]:
    """Return ids with those that they had before."""
    wanted = set(group)
    for each in reversed(registry.renames):
        wanted |= {each.asset} if each.to in wanted else set()
    return sorted(wanted)


def _adjusted(rows: pl.DataFrame, registry: Registry) -> pl.DataFrame:
    renamed = follow_renames(rows.lazy(), registry.renames).collect()
    for each in registry.redenominations:
        renamed = _in_new_units(renamed, each)
    return renamed.select(BAR_SCHEMA.keys()).sort("source", "asset", "time")


def _in_new_units(rows: pl.DataFrame, change: AssetChange) -> pl.DataFrame:
    old = (pl.col("asset") == change.asset) & (pl.col("time") < start_of(change.day))
    prices = [pl.when(old).then(pl.col(each) / change.units).otherwise(pl.col(each)).alias(each) for each in PRICES]
    supply = pl.when(old).then(pl.col("supply") * change.units).otherwise(pl.col("supply"))
    return rows.with_columns(*prices, supply=supply)


def _ends(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the first and last bar of each asset."""
    ordered = rows.sort("asset", "time")
    return ordered.group_by("asset", maintain_order=True).agg(
        first=pl.col("time").first(),
        first_price=pl.col("close").first(),
        last=pl.col("time").last(),
        last_price=pl.col("close").last(),
    )


def _renamed(ends: list[pl.DataFrame], latest: datetime | None) -> list[Finding]:
    """Return assets that end within days of another's beginning, at about its price."""
    if not ends or latest is None:
        return []
    every = pl.concat(ends)
    ended = every.filter(pl.col("last") < latest - _RENAMED_WITHIN).select("asset", "last", "last_price")
    begun = every.select(to="asset", first="first", first_price="first_price")
    gap = pl.col("first") - pl.col("last")
    pairs = ended.join(begun, how="cross").filter(
        (pl.col("asset") != pl.col("to"))
        & gap.is_between(-_RENAMED_WITHIN, _RENAMED_WITHIN)
        & ((pl.col("first_price") / pl.col("last_price") - 1).abs() < _SAME_PRICE)
    )
    examples = tuple(
        f"{row['asset']} ends {row['last']:%Y-%m-%d} at {row['last_price']:.6g}, {row['to']} begins "
        f"{row['first']:%Y-%m-%d} at {row['first_price']:.6g}"
        for row in pairs.head(5).iter_rows(named=True)
    )
    return [Finding("looks-renamed", len(pairs), examples)] if len(pairs) else []
