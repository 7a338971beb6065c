"""Bars of the volume-weighted median over the venues of an archive, as a source of the same archive."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from usufruct.connectors.exchanges.median import OutlierRule, Refusal, VenueMedian, weighted_median
from usufruct.connectors.prices import (
    BATCH_SCHEMA,
    REFUSED_SCHEMA,
    Batch,
    Interval,
    PriceArchive,
    SourceFacts,
    SourceRule,
)
from usufruct.core import Invalid

_FIELDS: Final = ("open", "high", "low", "close", "volume")
_FIXED_AGAIN: Final = 7
"""So many of the last bars are fixed once more by the next import: a venue may be late."""

Pairs = frozenset[tuple[str, str]]
Cube = NDArray[np.float64]
"""Times, assets, venues."""


@dataclass(frozen=True, slots=True)
class MedianBars:
    """Closes of several venues as one price; a bar of which no price can be fixed is absent.

    Open, high and low are the medians of the same venues with the same weights; volume is their sum. Where the venues
    disagree, the bar is refused by the rule `venues-disagree`.
    """

    archive: PriceArchive
    venues: tuple[str, ...]
    interval: Interval = Interval.DAY
    rule: OutlierRule = field(default_factory=OutlierRule)
    name: str = "median"

    def __post_init__(self) -> None:
        known = {each.name for each in self.archive.sources()}
        if missing := [each for each in self.venues if each not in known]:
            raise Invalid(
                f"the archive has no source {missing[0]!r}; fetch it first, or leave it out", code="unknown_source"
            )
        if len(set(self.venues)) < self.rule.fewest or self.name in self.venues:
            raise Invalid(
                f"{', '.join(self.venues) or 'no venue'}: name {self.rule.fewest} venues or more, without {self.name}",
                code="too_few_venues",
            )

    @property
    def facts(self) -> SourceFacts:
        """Name, the venues, and whether their prices are simulated."""
        attribution = f"Volume-weighted median of {', '.join(self.venues)}"
        return SourceFacts(self.name, attribution, self.archive.synthetic)

    @property
    def quote(self) -> str:
        """The currency of the archive."""
        return self.archive.quote

    @property
    def keeps_caps(self) -> bool:
        """A median has no caps."""
        return False

    def batches(self, position: Any) -> Iterator[Batch]:
        """Yield the fixed bars partition after partition; all again where venues or rule were others."""
        span = next((each for each in self.archive.spans() if each.interval is self.interval), None)
        if span is None:
            return
        begin, excluded = span.first, Pairs()
        if position and position["venues"] == list(self.venues) and position["rule"] == str(self.rule):
            begin = datetime.fromisoformat(position["next"])
            excluded = frozenset((asset, venue) for asset, venue in position["excluded"])
        starts = list(_stretches(begin, span.last, self.interval))
        for number, (first, last) in enumerate(starts, 1):
            rows = self.archive.latest(self.interval, first, last)
            rows = rows.filter(pl.col("source").is_in(self.venues) & pl.col("close").is_not_null())
            if not rows.is_empty():
                fixed = _fix(rows, self.venues, self.rule, excluded)
                excluded = fixed.excluded
                place = {"next": fixed.again.isoformat(), "excluded": sorted(map(list, fixed.excluded_then))}
                place |= {"venues": list(self.venues), "rule": str(self.rule)}
                yield Batch(fixed.rows, place, number, len(starts), refused=fixed.refused)


@dataclass(frozen=True, slots=True, eq=False)
class _Fixed:
    """Bars of a stretch of time, and which venues are left out at its end, and at the moment `again`."""

    rows: pl.DataFrame
    refused: pl.DataFrame
    excluded: Pairs
    again: datetime
    excluded_then: Pairs


def _fix(rows: pl.DataFrame, venues: tuple[str, ...], rule: OutlierRule, excluded: Pairs) -> _Fixed:
    times: list[datetime] = rows["time"].unique().sort().to_list()
    assets: list[str] = rows["asset"].unique().sort().to_list()
    cubes = _cubes(rows, times, assets, venues)
    median = VenueMedian(len(assets), len(venues), rule)
    median.excluded = np.array([[(asset, venue) in excluded for venue in venues] for asset in assets], dtype=np.bool_)
    elsewhere = frozenset(pair for pair in excluded if pair[0] not in set(assets))
    accepted = np.zeros(cubes["close"].shape, dtype=np.bool_)
    close, refusal = np.full(accepted.shape[:2], np.nan), np.zeros(accepted.shape[:2], dtype=np.int8)
    before: deque[tuple[datetime, Pairs]] = deque(maxlen=_FIXED_AGAIN)
    for row, time in enumerate(times):
        before.append((time, _pairs(median.excluded, assets, venues) | elsewhere))
        fixing = median.fix(cubes["close"][row], cubes["volume"][row])
        accepted[row] = np.isfinite(cubes["close"][row]) & ~fixing.excluded
        close[row], refusal[row] = fixing.price, fixing.refusal
    again, then = before[0]
    kept = _kept(times, assets, cubes, accepted, close)
    refused = _refused(times, assets, refusal == Refusal.VENUES_DISAGREE)
    return _Fixed(kept, refused, _pairs(median.excluded, assets, venues) | elsewhere, again, then)


def _kept(times: list[datetime], assets: list[str], cubes: dict[str, Cube], accepted: Any, close: Any) -> pl.DataFrame:
    """Return the bars that have a price."""
    flat = accepted.reshape(-1, accepted.shape[2])
    volume = cubes["volume"].reshape(flat.shape)
    values = {"close": close.reshape(-1)}
    for name in ("open", "high", "low"):
        each = cubes[name].reshape(flat.shape)
        median = weighted_median(np.nan_to_num(each), volume, flat)
        values[name] = np.where((flat & ~np.isfinite(each)).any(axis=1), np.nan, median)
    values["volume"] = np.where(flat, np.nan_to_num(volume), 0.0).sum(axis=1)
    there = np.flatnonzero(np.isfinite(values["close"]))
    columns = {name: pl.Series(each[there]).fill_nan(None) for name, each in values.items()}
    columns["asset"] = pl.Series([assets[index % len(assets)] for index in there], dtype=pl.String())
    columns["time"] = pl.Series([times[index // len(assets)] for index in there], dtype=BATCH_SCHEMA["time"])
    return _complete(pl.DataFrame(columns), BATCH_SCHEMA)


def _refused(times: list[datetime], assets: list[str], where: Any) -> pl.DataFrame:
    rows = [
        {"asset": assets[column], "time": times[row], "rule": SourceRule.VENUES_DISAGREE, "place": "median"}
        for row, column in np.argwhere(where)
    ]
    schema = {name: REFUSED_SCHEMA[name] for name in ("asset", "time", "rule", "place")}
    return _complete(pl.DataFrame(rows, schema=schema), REFUSED_SCHEMA)


def _complete(rows: pl.DataFrame, schema: dict[str, Any]) -> pl.DataFrame:
    blank = [pl.lit(None, dtype=kind).alias(name) for name, kind in schema.items() if name not in rows.columns]
    return rows.with_columns(blank).select(schema.keys())


def _cubes(rows: pl.DataFrame, times: list[datetime], assets: list[str], venues: tuple[str, ...]) -> dict[str, Cube]:
    """Return each value as times x assets x venues, NaN where a venue has none."""
    rows = rows.unique(["time", "asset", "source"], keep="last")
    places = []
    for name, order in (("time", times), ("asset", assets), ("source", list(venues))):
        numbers = pl.DataFrame({name: pl.Series(order, dtype=rows.schema[name]), "n": range(len(order))})
        places.append(rows.select(name).join(numbers, on=name, how="left", maintain_order="left")["n"].to_numpy())
    found = {}
    for name in _FIELDS:
        found[name] = cube = np.full((len(times), len(assets), len(venues)), np.nan)
        cube[tuple(places)] = rows[name].to_numpy()
    return found


def _pairs(excluded: Any, assets: list[str], venues: tuple[str, ...]) -> Pairs:
    return frozenset((assets[row], venues[column]) for row, column in np.argwhere(excluded))


def _stretches(first: datetime, last: datetime, interval: Interval) -> Iterator[tuple[datetime, datetime]]:
    """Yield the parts of a span: years of days, months of hours."""
    begin = first
    while begin <= last:
        if interval is Interval.DAY:
            after = datetime(begin.year + 1, 1, 1, tzinfo=UTC)
        else:
            after = (begin.replace(day=1, hour=0) + timedelta(days=31)).replace(day=1)
        yield begin, min(last, after - interval.step)
        begin = after
