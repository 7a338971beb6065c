"""The archive of prices: bars of assets as partitioned Parquet, with the moment at which each value was learnt."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from usufruct.connectors.prices.bars import BAR_SCHEMA, KEY, MOMENT, PRICES, VALUES, Bars, Interval, start_of
from usufruct.connectors.prices.dense import SUPPLY_DAYS, Grid, SupplyCarrier, fill, follow_renames, redenominate
from usufruct.connectors.prices.panel import STABLECOIN, Asset, Matrix, Panel
from usufruct.connectors.prices.registry import (
    ASSETS,
    CHANGE_SCHEMA,
    CHANGES,
    AssetChange,
    AssetFacts,
    Registry,
)
from usufruct.connectors.prices.segments import Manifest, Segments, Transaction
from usufruct.core import Conflict, Invalid, NotFound

QUARANTINE = "quarantine"
DOLLAR = "USD"
TRADED_DAYS = 30
"""An exchange without a bar of an asset for so long does not trade it any more."""
_QUARANTINE_SCHEMA: dict[str, Any] = BAR_SCHEMA | {"rule": pl.String(), "place": pl.String()}


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """What an archive keeps about a source.

    `attribution`: who must be named where its data is shown. `synthetic`: its prices are simulated. `exchange`: assets
    that it has bars of are traded there.
    """

    name: str
    attribution: str = ""
    synthetic: bool = False
    exchange: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """The bars of one interval: how many rows are stored, and from when to when."""

    interval: Interval
    rows: int
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class Added:
    """How many bars were new, how many corrected what was known, and how many said nothing new."""

    new: int = 0
    corrected: int = 0
    unchanged: int = 0

    def __add__(self, other: "Added") -> "Added":
        return Added(self.new + other.new, self.corrected + other.corrected, self.unchanged + other.unchanged)


class PriceArchive:
    """Bars, assets and changes in a folder. Rows are only added: a correction is a new row with a later `known_at`.

    `as_of` of the reading methods is a moment or the end of a day: what was learnt later is not seen. One archive holds
    either real prices or simulated ones. One process writes at a time; readers are never stopped.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._segments = Segments(folder)

    def manifest(self) -> Manifest:
        """Return what the archive holds now."""
        return self._segments.manifest()

    @property
    def exists(self) -> bool:
        """Whether anything was written."""
        return self.manifest().sequence > 0

    @property
    def synthetic(self) -> bool:
        """Whether the prices are simulated."""
        return any(each.synthetic for each in self.sources())

    def sources(self) -> tuple[SourceFacts, ...]:
        """Return the sources, the most preferred first: it is the one whose value counts where several have one."""
        return tuple(SourceFacts(**each) for each in self.manifest().notes.get("sources", ()))

    @property
    def quote(self) -> str:
        """The currency of the prices."""
        return str(self.manifest().notes.get("quote", "USD"))

    @property
    def attribution(self) -> tuple[str, ...]:
        """What the sources' licences want shown with their data, each text once."""
        return tuple(dict.fromkeys(each.attribution for each in self.sources() if each.attribution))

    @property
    def lacks_stablecoins(self) -> bool:
        """Whether real prices have no stablecoin: rules then take one for an asset whose price moves."""
        known = self.registry().by_id.values()
        return bool(known) and not self.synthetic and not any(STABLECOIN in each.categories for each in known)

    def exchanges_of_assets(self) -> dict[str, tuple[str, ...]]:
        """Return the exchanges that have a daily bar of an asset in the archive's last `TRADED_DAYS`, by asset id."""
        names, span = [each.name for each in self.sources() if each.exchange], self._span(Interval.DAY)
        if span is None or not names:
            return {}
        wanted = pl.col("source").is_in(names) & pl.col("close").is_not_null()
        first = span.last - timedelta(days=TRADED_DAYS - 1)
        columns, renames = ("asset", "source", "time"), self.registry().renames
        found: dict[str, set[str]] = {}
        for _, rows in self._rows(Interval.DAY, first, _after(span.last.date()), wanted, columns, renames):
            for asset, source in rows.select("asset", "source").unique().iter_rows():
                found.setdefault(asset, set()).add(source)
        return {asset: tuple(sorted(sources)) for asset, sources in found.items()}

    def prefer(self, names: Sequence[str]) -> None:
        """Put these sources first, in this order.

        Raises:
            Invalid: when the archive does not have one of them.
        """
        known = {each.name: each for each in self.sources()}
        if missing := [name for name in names if name not in known]:
            raise Invalid(f"{missing[0]!r} is not a source; there are {', '.join(known)}", code="unknown_source")
        ordered = [known[name] for name in dict.fromkeys((*names, *known))]
        with self._segments.transaction() as transaction:
            transaction.note("sources", [_document(each) for each in ordered])

    def registry(self, as_of: date | None = None) -> Registry:
        """Return the assets and their changes, as they were known."""
        read = self._segments.read
        return Registry(read(ASSETS), read(CHANGES), _moment(as_of))

    def spans(self) -> tuple[Span, ...]:
        """Return what bars there are, by interval."""
        return tuple(span for each in Interval if (span := self._span(each)) is not None)

    @contextmanager
    def writing(self) -> Iterator["ArchiveWriter"]:
        """Add to the archive; what is added inside becomes visible at the end, in one step, or not at all.

        Raises:
            Conflict: when another process is writing.
        """
        with self._segments.transaction() as transaction:
            yield ArchiveWriter(self._segments, transaction, self.registry())

    def compact(self, *, fewest: int = 2) -> int:
        """Merge the files of each partition that has `fewest` or more into one; no version of a bar is lost."""
        merged = 0
        for name, files in self.manifest().partitions.items():
            if len(files) >= fewest:
                with self._segments.transaction() as transaction:
                    rows = self._segments.read(name)
                    assert rows is not None
                    if "time" in rows.columns:
                        rows = rows.sort("asset", "time", "source", "known_at", maintain_order=True)
                    transaction.rewrite(name, rows)
                merged += 1
        return merged

    def versions(self, interval: Interval, asset: str, first: date, last: date) -> pl.DataFrame:
        """Return all that was ever learnt about an asset's bars of some days, by time, source and moment learnt."""
        found = [rows for _, rows in self._rows(interval, start_of(first), _after(last), pl.col("asset") == asset)]
        empty = pl.DataFrame(schema=BAR_SCHEMA)
        return pl.concat([empty, *found]).sort("time", "source", "known_at", maintain_order=True)

    def latest(
        self, interval: Interval, first: datetime, last: datetime, *, assets: Sequence[str] | None = None
    ) -> pl.DataFrame:
        """Return the newest version of each source's bars from one moment to another, withdrawn ones left out."""
        wanted = pl.lit(value=True) if assets is None else pl.col("asset").is_in(list(assets))
        after = last + timedelta(microseconds=1)
        found = [rows for _, rows in self._rows(interval, first, after, wanted)]
        rows = pl.concat([pl.DataFrame(schema=BAR_SCHEMA), *found]).sort("known_at", maintain_order=True)
        newest = rows.unique(KEY, keep="last").filter(pl.any_horizontal(pl.col(VALUES).is_not_null()))
        return newest.sort("source", "asset", "time")

    def quarantined(self) -> pl.DataFrame:
        """Return the rows that rules kept out, with the rule and the place in the source."""
        rows = self._segments.read(QUARANTINE)
        return pl.DataFrame(schema=_QUARANTINE_SCHEMA) if rows is None else rows

    def panel(
        self,
        first: date | None = None,
        last: date | None = None,
        *,
        as_of: date | None = None,
        ids: Sequence[str] | None = None,
    ) -> Panel:
        """Return the daily values from one day to another, by default all there are.

        A cap that no source gives is price x supply. Prices before a split are in the units of after it.

        Raises:
            NotFound: when the archive has no daily bars.
            Invalid: when the days are the wrong way round, or an id is unknown.
        """
        grid, assets, registry = self._grid(Interval.DAY, first, last, as_of, ids)
        longer = grid.earlier(SUPPLY_DAYS)  # a supply from before the first day counts on it
        whole = {name: longer.empty() for name in ("close", "market_cap", "volume")}
        carrier = SupplyCarrier(len(assets))
        for rows, values in self._filled(longer, registry, as_of, (*whole, "supply")):
            carrier.carry(rows.start, values["supply"])
            np.copyto(values["market_cap"], values["close"] * values["supply"], where=np.isnan(values["market_cap"]))
            for name, matrix in whole.items():
                matrix[rows] = values[name]
        whole = {name: matrix[SUPPLY_DAYS:] for name, matrix in whole.items()}
        return Panel(
            grid.first.date(),
            assets,
            **whole,
            quote=self.quote,
            synthetic=self.synthetic,
            source=self._label(),
            attribution=self.attribution,
        )

    def dollar_panel(self, as_of: date | None = None) -> Panel:
        """Return all daily values, which have to be in US dollars: what rates, serves or computes indices reads this.

        `as_of`: only what was known at the end of this day.

        Raises:
            Conflict: when the prices are in another currency.
            NotFound: when the archive has no daily bars.
        """
        self.check_dollars()
        return self.panel(as_of=as_of)

    def check_dollars(self) -> None:
        """Check that the prices are in US dollars.

        Raises:
            Conflict: when they are in another currency.
        """
        if self.quote.upper() != DOLLAR:
            raise Conflict(
                f"the prices in {self.folder} are in {self.quote}, and ratings, indices, pages and `/v2` are in US "
                f"dollars; move that folder away, convert the prices, and import them with `--quote {DOLLAR}`",
                code="not_in_dollars",
            )

    def bars(
        self,
        interval: Interval,
        first: date | None = None,
        last: date | None = None,
        *,
        as_of: date | None = None,
        ids: Sequence[str] | None = None,
    ) -> Bars:
        """Return open, high, low, close and volume of some days; `ids` keeps hourly ones of many assets small.

        Raises:
            NotFound: when the archive has no bars of the interval.
            Invalid: when the days are the wrong way round, or an id is unknown.
        """
        grid, assets, registry = self._grid(interval, first, last, as_of, ids)
        whole = {name: grid.empty() for name in (*PRICES, "volume")}
        for rows, values in self._filled(grid, registry, as_of, tuple(whole)):
            for name, matrix in whole.items():
                matrix[rows] = values[name]
        return Bars(
            interval, grid.first, assets, **whole, quote=self.quote, synthetic=self.synthetic, source=self._label()
        )

    def supply(self, panel: Panel, *, as_of: date | None = None) -> Matrix:
        """Return the supply of each day and asset of a panel, carried over days without a report."""
        registry = self.registry(as_of)
        grid = Grid(Interval.DAY, start_of(panel.first_day), panel.days, [each.id for each in panel.assets])
        longer, carrier = grid.earlier(SUPPLY_DAYS), SupplyCarrier(len(panel.assets))
        whole = longer.empty()
        for rows, values in self._filled(longer, registry, as_of, ("supply",)):
            carrier.carry(rows.start, values["supply"])
            whole[rows] = values["supply"]
        return whole[SUPPLY_DAYS:]

    def _label(self) -> str:
        return ", ".join(each.name for each in self.sources())

    def _span(self, interval: Interval) -> Span | None:
        manifest = self.manifest()
        names = manifest.names(interval.table)
        times = [
            self._segments.read(name, lambda rows: rows.select(a=pl.col("time").min(), b=pl.col("time").max()))
            for name in {*names[:1], *names[-1:]}
        ]
        ends = [moment for frame in times if frame is not None for moment in frame.row(0)]
        count = sum(manifest.rows[name] for name in names)
        return Span(interval, count, min(ends), max(ends)) if ends else None

    def _grid(
        self, interval: Interval, first: date | None, last: date | None, as_of: date | None, ids: Sequence[str] | None
    ) -> tuple[Grid, tuple[Asset, ...], Registry]:
        span = self._span(interval)
        if span is None:
            raise NotFound(
                f"the archive {self.folder} has no {interval.value} bars; import some with `usufruct prices import`",
                code="no_bars",
            )
        begin, end = first or span.first.date(), last or span.last.date()
        if begin > end:
            raise Invalid(f"the first day {begin} is after the last day {end}", code="day_out_of_range")
        registry = self.registry(as_of)
        replaced = {each.asset for each in registry.renames} - {each.to for each in registry.renames}
        wanted = [each for each in registry.by_id if each not in replaced] if ids is None else list(ids)
        assets = tuple(registry.asset(each) for each in wanted)
        steps = (_after(end) - start_of(begin)) // interval.step
        return Grid(interval, start_of(begin), steps, [each.id for each in assets]), assets, registry

    def _filled(
        self, grid: Grid, registry: Registry, as_of: date | None, fields: Sequence[str]
    ) -> Iterator[tuple[slice, dict[str, Matrix]]]:
        """Yield the rows of the grid part by part, with their values; one partition is in memory at a time."""
        preference = [each.name for each in self.sources()]
        until = _moment(as_of)
        known = pl.lit(value=True) if until is None else pl.col("known_at") <= until
        columns = ["asset", "time", "source", "known_at", *dict.fromkeys((*fields, "close"))]
        end = grid.first + grid.rows * grid.interval.step
        ids = {*grid.ids, *(each.asset for each in registry.renames)}
        if len(ids) < len(registry.by_id):
            known &= pl.col("asset").is_in(sorted(ids))
        for name, rows in self._rows(grid.interval, grid.first, end, known, columns, registry.renames):
            begin, after = _bounds(name, grid.interval)
            begin, after = max(begin, grid.first), min(after, end)
            part = replace(grid, first=begin, rows=(after - begin) // grid.interval.step)
            values = fill(part, rows, fields, preference)
            redenominate(part, values, registry.redenominations)
            offset = (begin - grid.first) // grid.interval.step
            yield slice(offset, offset + part.rows), values

    def _rows(
        self,
        interval: Interval,
        first: datetime,
        after: datetime,
        condition: pl.Expr,
        columns: Sequence[str] = tuple(BAR_SCHEMA),
        renames: Sequence[AssetChange] = (),
    ) -> Iterator[tuple[str, pl.DataFrame]]:
        wanted = (pl.col("time") >= first) & (pl.col("time") < after) & condition

        def query(rows: pl.LazyFrame) -> pl.LazyFrame:
            return follow_renames(rows.filter(wanted).select(columns), renames)

        for name in self.manifest().names(interval.table):
            begin, end = _bounds(name, interval)
            if begin < after and end > first:
                rows = self._segments.read(name, query)
                if rows is not None:
                    yield name, rows


class ArchiveWriter:
    """Adds rows within one transaction of an archive."""

    def __init__(self, segments: Segments, transaction: Transaction, registry: Registry) -> None:
        self._segments = segments
        self._transaction = transaction
        self._registry = registry

    def describe(self, facts: Sequence[AssetFacts], known_at: datetime) -> None:
        """Register assets and what is new about them."""
        rows = self._registry.new_rows(facts, known_at)
        self._transaction.append(ASSETS, rows)
        self._registry = self._registry.learnt(rows)

    def change(self, change: AssetChange, known_at: datetime) -> None:
        """Record a change of id, a split or a redenomination.

        Raises:
            Invalid: when the asset is unknown.
        """
        for each in (change.asset, *([change.to] if change.to else [])):
            self._registry.asset(each)
        row = {
            "kind": change.kind,
            "asset": change.asset,
            "to": change.to,
            "units": change.units,
            "day": change.day,
            "known_at": known_at,
        }
        self._transaction.append(CHANGES, pl.DataFrame([row], schema=CHANGE_SCHEMA))

    def source(self, facts: SourceFacts, quote: str = "USD") -> None:
        """Name the source of what follows.

        Raises:
            Conflict: when it is simulated and the archive is not, or the reverse; or its prices are in another quote.
        """
        notes = self._transaction.manifest.notes
        known = [SourceFacts(**each) for each in notes.get("sources", ())]
        if any(each.synthetic != facts.synthetic for each in known):
            kinds = ("real prices", "simulated prices")
            raise Conflict(
                f"the archive holds {kinds[not facts.synthetic]} and {facts.name} has {kinds[facts.synthetic]}; "
                "choose another folder",
                code="mixed_archive",
            )
        if notes.get("quote", quote) != quote:
            raise Conflict(
                f"the archive's prices are in {notes['quote']} and those of {facts.name} in {quote}; choose another "
                "folder",
                code="mixed_archive",
            )
        others = [each for each in known if each.name != facts.name]
        earlier = next((each.attribution for each in known if each.name == facts.name), "")
        facts = replace(facts, attribution=facts.attribution or earlier)  # its earlier rows stay, and so their licence
        place = next((index for index, each in enumerate(known) if each.name == facts.name), len(known))
        others.insert(place, facts)
        self._transaction.note("quote", quote)
        self._transaction.note("sources", [_document(each) for each in others])

    def note(self, name: str, value: Any) -> None:
        """Keep a small value beside the rows, such as where an import goes on; None removes it."""
        self._transaction.note(name, value)

    def quarantine(self, rows: pl.DataFrame) -> None:
        """Keep rows that a rule refused out of the bars, with the rule and their place in the source; each once."""
        rows = rows.select(_QUARANTINE_SCHEMA.keys())
        same = ["asset", "time", "source", "rule", *VALUES]
        there = self._segments.read(QUARANTINE)
        if there is not None:
            rows = rows.join(there, on=same, how="anti", nulls_equal=True)
        self._transaction.append(QUARANTINE, rows)

    def append(self, interval: Interval, rows: pl.DataFrame) -> Added:
        """Add bars; those that say what was known already are left out.

        `rows` have the columns of `BAR_SCHEMA`, and one row for each asset, time and source.
        """
        added = Added()
        parts = rows.with_columns(part=pl.col("time").dt.strftime(interval.partition_format))
        for (part,), new in parts.partition_by("part", as_dict=True, include_key=False).items():
            name = f"{interval.table}/{part}"
            counted, fresh = self._compare(name, new.select(BAR_SCHEMA.keys()))
            self._transaction.append(name, fresh.sort("asset", "time", "source"))
            added += counted
        return added

    def withdraw(self, interval: Interval, asset: str, time: datetime, source: str, known_at: datetime) -> None:
        """Take a bar back: a row without values, which readers see from `known_at` on.

        Raises:
            Invalid: when the source does not have the bar.
        """
        name = f"{interval.table}/{time.strftime(interval.partition_format)}"
        wanted = (pl.col("asset") == asset) & (pl.col("time") == time) & (pl.col("source") == source)
        present = self._segments.read(name, lambda rows: rows.filter(wanted))
        if present is None or present.is_empty():
            raise Invalid(f"{source} has no bar of {asset} at {time:%Y-%m-%d %H:%M}", code="unknown_bar")
        blank = present.tail(1).with_columns(
            *(pl.lit(None, dtype=pl.Float64()).alias(each) for each in VALUES), known_at=pl.lit(known_at, dtype=MOMENT)
        )
        self._transaction.append(name, blank.select(BAR_SCHEMA.keys()))

    def _compare(self, name: str, new: pl.DataFrame) -> tuple[Added, pl.DataFrame]:
        low, high = new["time"].min(), new["time"].max()
        present = self._segments.read(name, lambda rows: rows.filter(pl.col("time").is_between(low, high)))
        if present is None or present.is_empty():
            return Added(new=len(new)), new
        latest = present.sort("known_at", maintain_order=True).unique(KEY, keep="last")
        joined = new.join(latest, on=KEY, how="left", suffix="_then", nulls_equal=False)
        same = pl.all_horizontal(pl.col(each).eq_missing(pl.col(f"{each}_then")) for each in VALUES)
        known = pl.col("known_at_then").is_not_null()
        repeated = joined.select(known & same & (pl.col("known_at_then") <= pl.col("known_at"))).to_series()
        corrected = int(joined.select(known).to_series().sum()) - int(repeated.sum())
        fresh = joined.filter(~repeated).select(BAR_SCHEMA.keys())
        return Added(len(fresh) - corrected, corrected, int(repeated.sum())), fresh


def _document(facts: SourceFacts) -> dict[str, Any]:
    return asdict(facts)


def _moment(as_of: date | None) -> datetime | None:
    """Return the last moment whose knowledge counts: a day is meant with its end."""
    if as_of is None or isinstance(as_of, datetime):
        return as_of
    return _after(as_of) - timedelta(microseconds=1)


def _after(day: date) -> datetime:
    return start_of(day) + timedelta(days=1)


def _bounds(partition: str, interval: Interval) -> tuple[datetime, datetime]:
    """Return when the bars of a partition begin, and when those after it do."""
    name = partition.rpartition("/")[2]
    begin = datetime.strptime(name, interval.partition_format).replace(tzinfo=UTC)
    if interval is Interval.DAY:
        return begin, begin.replace(year=begin.year + 1)
    return begin, (begin + timedelta(days=31)).replace(day=1)
