"""Bring a source's bars into an archive: judged, incremental, and resumed where the last import stopped."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

import polars as pl

from usufruct.connectors.prices.archive import Added, PriceArchive
from usufruct.connectors.prices.bars import BAR_SCHEMA, KEY, MOMENT
from usufruct.connectors.prices.panel import STABLECOIN
from usufruct.connectors.prices.registry import AssetFacts, Registry
from usufruct.connectors.prices.rules import (
    CLEARING,
    CONTEXT,
    CheckRules,
    Finding,
    Judged,
    finding_of,
    judge_rows,
    judge_series,
)
from usufruct.connectors.prices.source import REFUSED_SCHEMA, Batch, Source
from usufruct.core import Clock

_FILES_BEFORE_COMPACTION: Final = 16
_COMMON_BARS: Final = 3

Progress = Callable[[int, int], None]
"""Called with the steps done and their total after each batch."""


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did; the numbers count bars."""

    read: int = 0
    added: Added = field(default_factory=Added)
    refused: int = 0
    cleared: int = 0
    findings: tuple[Finding, ...] = ()


def ingest(
    archive: PriceArchive,
    source: Source,
    *,
    rules: CheckRules | None = None,
    clock: Clock | None = None,
    known_after: timedelta | None = None,
    progress: Progress = lambda done, total: None,
) -> ImportReport:
    """Import what a source has after the position of the last import; each batch is committed with its position.

    Rows without a `known_at` were learnt now; with `known_after`, so long after the end of their bar.
    """
    rules, clock = rules or CheckRules(), clock or Clock()
    note = f"position {source.facts.name} {source.interval.value}"
    read, added, refused, cleared, found = 0, Added(), 0, 0, list[Finding]()
    for batch in source.batches(archive.manifest().notes.get(note)):
        now = datetime.fromtimestamp(clock.now(), UTC)
        rows = _complete(batch.rows, source, now, known_after)
        judged = _judge(archive, source, rows, batch, rules, now)
        with archive.writing() as writer:
            writer.source(source.facts, source.quote)
            writer.describe(_described(judged.kept, batch.assets), now)
            added += writer.append(source.interval, judged.kept.select(BAR_SCHEMA.keys()))
            writer.quarantine(judged.quarantined)
            writer.note(note, batch.position)
        only_cleared = judged.quarantined["rule"].is_in(list(CLEARING)).sum()
        read, cleared = read + len(batch.rows) + len(batch.refused), cleared + int(only_cleared)
        refused += len(judged.quarantined) - int(only_cleared)
        found += judged.findings
        progress(batch.done, batch.total)
    archive.compact(fewest=_FILES_BEFORE_COMPACTION)
    return ImportReport(read, added, refused, cleared, merge_findings(found))


def merge_findings(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Add up findings of one rule, and keep a few of their examples."""
    counts: Counter[str] = Counter()
    examples: dict[str, tuple[str, ...]] = {}
    for each in findings:
        counts[each.rule] += each.count
        examples[each.rule] = (*examples.get(each.rule, ()), *each.examples)[:5]
    return tuple(Finding(rule, count, examples[rule]) for rule, count in counts.most_common())


def stablecoins_of(registry: Registry, described: Sequence[AssetFacts] = ()) -> set[str]:
    """Return the ids of stablecoins."""
    known = {each.id for each in registry.by_id.values() if STABLECOIN in each.categories}
    return known | {each.id for each in described if STABLECOIN in each.categories}


def _complete(rows: pl.DataFrame, source: Source, now: datetime, known_after: timedelta | None) -> pl.DataFrame:
    learnt = pl.lit(now, dtype=MOMENT)
    if known_after is not None:
        learnt = pl.min_horizontal(learnt, pl.col("time") + source.interval.step + known_after)
    return rows.with_columns(source=pl.lit(source.facts.name), known_at=pl.col("known_at").fill_null(learnt))


def _judge(
    archive: PriceArchive, source: Source, rows: pl.DataFrame, batch: Batch, rules: CheckRules, now: datetime
) -> Judged:
    findings = []
    unlicensed = rows.filter(pl.col("market_cap").is_not_null()) if not source.keeps_caps else rows.clear()
    if not source.keeps_caps:
        rows = rows.with_columns(market_cap=pl.lit(None, dtype=pl.Float64()))
        findings += [finding_of("cap-licence", unlicensed)]
    alone = judge_rows(rows, source.interval, rules, now)
    kept, mismatched = _compare_sources(archive, source, alone.kept, rules)
    context = _context(archive, source, kept)
    series = judge_series(
        pl.concat([context, kept.with_columns(context=pl.lit(value=False))]),
        source.interval,
        stablecoins_of(archive.registry(), batch.assets),
        rules,
    )
    blank = batch.refused.with_columns(source=pl.lit(source.facts.name), known_at=pl.lit(now, dtype=MOMENT))
    parts = (blank, alone.quarantined, mismatched, series.quarantined)
    quarantined = pl.concat([each.select(REFUSED_SCHEMA.keys()) for each in parts])
    by_rule = quarantined.partition_by("rule", maintain_order=True)
    findings += [finding_of(each["rule"][0], each) for each in by_rule]
    kept_findings = [*(each for each in findings if each is not None), *alone.findings, *series.findings]
    return Judged(series.kept, quarantined, tuple(kept_findings))


def _context(archive: PriceArchive, source: Source, rows: pl.DataFrame) -> pl.DataFrame:
    """Return the bars of this source before and after the rows, as the archive has them."""
    blank = rows.clear().with_columns(context=pl.lit(value=True))
    if rows.is_empty():
        return blank
    edge = CONTEXT * source.interval.step
    low, high = rows["time"].min(), rows["time"].max()
    assert isinstance(low, datetime)
    assert isinstance(high, datetime)
    there = archive.latest(source.interval, low - edge, high + edge, assets=rows["asset"].unique().to_list())
    there = there.filter(pl.col("source") == source.facts.name).join(rows, on=KEY, how="anti")
    return there.with_columns(place=pl.lit(None, dtype=pl.String()), context=pl.lit(value=True))


def _compare_sources(
    archive: PriceArchive, source: Source, rows: pl.DataFrame, rules: CheckRules
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Refuse assets whose prices are a multiple of another source's."""
    refused = rows.clear().with_columns(rule=pl.lit("unit-mismatch"))
    others = [each.name for each in archive.sources() if each.name != source.facts.name]
    if rows.is_empty() or not others or "unit-mismatch" in rules.accepted:
        return rows, refused
    low, high = rows["time"].min(), rows["time"].max()
    assert isinstance(low, datetime)
    assert isinstance(high, datetime)
    there = archive.latest(source.interval, low, high, assets=rows["asset"].unique().to_list())
    there = there.filter(pl.col("source").is_in(others)).select("asset", "time", then="close")
    ratios = (
        rows.join(there, on=["asset", "time"])
        .group_by("asset")
        .agg(ratio=(pl.col("close") / pl.col("then")).median(), common=pl.col("then").count())
    )
    wrong = ratios.filter(
        (pl.col("common") >= _COMMON_BARS) & ((pl.col("ratio") >= rules.unit) | (pl.col("ratio") * rules.unit <= 1))
    )["asset"].to_list()
    marked = pl.col("asset").is_in(wrong)
    return rows.filter(~marked), rows.filter(marked).with_columns(rule=pl.lit("unit-mismatch"))


def _described(rows: pl.DataFrame, facts: Sequence[AssetFacts]) -> list[AssetFacts]:
    """Return the facts of a batch's assets, and bare ids of those without."""
    named = {each.id for each in facts}
    bare = [AssetFacts(each) for each in rows["asset"].unique(maintain_order=True).to_list() if each not in named]
    return [*facts, *bare]
