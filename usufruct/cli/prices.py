"""Import, fetch, simulate, check and show prices of many assets."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import polars as pl
from typer import Argument, Option, Typer

from usufruct.analytics.collecting import PriceFetch, SourceOptions, price_fetches, read_sources, source_of
from usufruct.cli.support.command import Facts, Rows, parse_duration, runs
from usufruct.cli.support.output import Json, say
from usufruct.cli.support.price_archive import (
    ArchiveOption,
    archive_of,
    filled_archive_of,
    parse_day,
    progress_bar,
)
from usufruct.config import Config, InvalidSetting
from usufruct.connectors.news import NewsArchive, synthetic_items
from usufruct.connectors.prices import (
    AssetChange,
    CheckRules,
    Finding,
    ImportReport,
    Interval,
    PriceArchive,
    PriceFile,
    SyntheticMarket,
    SyntheticSource,
    check,
    ingest,
    read_descriptions,
)
from usufruct.core import Clock, Invalid, UsufructError

app = Typer()

_STANDARD = SyntheticMarket()

AssetArgument = Annotated[str, Argument(metavar="ASSET", help="An id, or a ticker that only one asset has.")]
IntervalOption = Annotated[Interval, Option(help="Length of the bars.")]
DayOption = Annotated[str, Option(metavar="YYYY-MM-DD", help="The first day on which it is so.")]


@app.callback()
def group() -> None:
    """Import, fetch, simulate, check and show prices of many assets."""


@app.command("import")
@runs()
def import_command(
    config: Config,
    file: Annotated[Path, Argument(metavar="FILE", help="A CSV (also .csv.gz) or Parquet file.")],
    source: Annotated[str, Option(help="Name of the source; by default the file's.")] = "",
    column: Annotated[
        list[str] | None, Option(metavar="OURS=THEIRS", help="A column's name in the file, such as close=PriceUSD.")
    ] = None,
    asset: Annotated[str, Option(help="The id, where the file has one asset and no column of ids.")] = "",
    skip: Annotated[list[str] | None, Option(metavar="ASSET", help="Leave this asset out.")] = None,
    interval: IntervalOption = Interval.DAY,
    quote: Annotated[str, Option(help="Currency of the prices. Ratings, indices, pages and `/v2` need USD.")] = "USD",
    attribution: Annotated[str, Option(help="What the licence wants shown with the data.")] = "",
    no_caps: Annotated[
        bool, Option("--no-caps", help="Keep no caps: the licence forbids it, or price x supply is wanted.")
    ] = False,
    known_after: Annotated[
        str, Option(metavar="6h", help="Count bars as known so long after their end, instead of now.")
    ] = "",
    accept: Annotated[list[str] | None, Option(metavar="RULE", help="Keep what this rule would keep out.")] = None,
    archive: ArchiveOption = None,
    as_json: Json = False,
) -> Facts:
    """Import bars of a file; what was imported already is left out, what differs is a correction.

    Columns are found by their usual names. Rows that a rule refuses go to the quarantine: docs/guides/prices.md.

    Example: usufruct prices import prices.csv --column close=PriceUSD --column supply=SplyCur --attribution "Vendor"
    """
    described = PriceFile(
        file,
        name=source,
        interval=interval,
        columns=_mapping(column or []),
        asset=asset,
        quote=quote.upper(),
        attribution=attribution,
        keeps_caps=not no_caps,
        skipped=frozenset(skip or []),
    )
    rules = CheckRules(accepted=frozenset(accept or []))
    lag = timedelta(seconds=parse_duration(known_after, "--known-after")) if known_after else None
    into = archive_of(config, archive)
    with progress_bar(f"importing {file.name}", as_json=as_json) as progress:
        report = ingest(into, described, rules=rules, known_after=lag, progress=progress)
    _say_findings(report.findings, as_json=as_json)
    return _import_facts(into, report, as_json=as_json)


@app.command()
@runs()
def fetch(
    config: Config,
    source: Annotated[
        str, Argument(metavar="SOURCE", help="An exchange by ccxt's name, coingecko, coinmetrics, median, or chain.")
    ],
    table: Annotated[
        Path | None, Option(metavar="FILE.csv", help="Which asset each symbol or vendor's id is: see the guide.")
    ] = None,
    first: Annotated[str | None, Option(metavar="YYYY-MM-DD", help="By default a year ago.")] = None,
    venue: Annotated[
        list[str] | None, Option(metavar="EXCHANGE", help="Of a median: an exchange in the archive.")
    ] = None,
    at_par: Annotated[list[str] | None, Option(metavar="USDT", help="Count this currency as a dollar.")] = None,
    url: Annotated[str, Option(help="Address in place of the source's own, such as a proxy's.")] = "",
    interval: IntervalOption = Interval.DAY,
    no_caps: Annotated[bool, Option("--no-caps", help="Keep no caps: the licence forbids it.")] = False,
    synthetic: Annotated[
        bool, Option("--synthetic", help="The exchange's prices are simulated, as a sandbox's are.")
    ] = False,
    known_after: Annotated[
        str, Option(metavar="6h", help="Count bars as known so long after their end, instead of now.")
    ] = "",
    archive: ArchiveOption = None,
    as_json: Json = False,
) -> Facts:
    """Fetch bars from an exchange or vendor; goes on where the last fetch stopped.

    Keys of vendors are `markets.coingecko_key` and `markets.coinmetrics_key` of the configuration.

    Example: usufruct prices fetch kraken --table symbols.csv --first 2020-01-01
    """
    into, year_ago = archive_of(config, archive), _now().date() - timedelta(days=364)
    chosen = SourceOptions(
        table,
        parse_day(first, "--first") or year_ago,
        interval,
        venue or (),
        at_par or (),
        url,
        no_caps,
        synthetic,
    )
    found = source_of(source, chosen, config, into)
    lag = timedelta(seconds=parse_duration(known_after, "--known-after")) if known_after else None
    with progress_bar(f"fetching {source}", as_json=as_json) as progress:
        report = ingest(into, found, known_after=lag, progress=progress)
    _say_findings(report.findings, as_json=as_json)
    return _import_facts(into, report, as_json=as_json)


@app.command()
@runs()
def update(
    config: Config,
    all_sources: Annotated[bool, Option("--all", help="Ask every source, also one that gave its last bars.")] = False,
    as_json: Json = False,
) -> Rows:
    """Fetch what is new from the sources of `markets.sources`, as the worker does; one that fails stops no other.

    Example: usufruct prices update --json
    """
    if not config.markets.sources:
        message = "markets.sources is empty; set it to a list of sources, as docs/guides/prices.md shows"
        raise InvalidSetting(message, key="markets.sources")
    sources, into = read_sources(Path(config.markets.sources)), archive_of(config, None)
    rows: list[dict[str, Any]] = []
    for each in price_fetches(sources, config, into, Clock()):
        if all_sources or each.is_due:
            with progress_bar(f"fetching {each.label}", as_json=as_json) as progress:
                rows.append(_updated(each, progress))
    columns = ["source", "bars", "new", "corrected", "refused", "error"]
    return Rows(rows, columns, "every source gave its last bars", failed=any(each["error"] for each in rows))


@app.command()
@runs()
def synthesize(
    config: Config,
    seed: Annotated[int, Option(help="Of all chance: the same seed gives the same prices.")] = _STANDARD.seed,
    assets: Annotated[int, Option(help="How many assets.")] = _STANDARD.assets,
    first_day: Annotated[str, Option(metavar="YYYY-MM-DD", help="The first day.")] = str(_STANDARD.first_day),
    days: Annotated[int, Option(help="How many days.")] = _STANDARD.days,
    interval: IntervalOption = Interval.DAY,
    archive: ArchiveOption = None,
    as_json: Json = False,
) -> Facts:
    """Simulate a market, with births, collapses, de-pegs and regimes, into an archive that is labelled synthetic.

    Its headlines go to the archive of news, where no other archive of prices is named.

    Example: usufruct prices synthesize --seed 7 --archive ./prices
    """
    begin = parse_day(first_day, "--first-day")
    assert begin is not None
    market = SyntheticMarket(seed, assets, begin, days)
    if market.day(days) > _now().date():
        raise Invalid(
            f"the market would end on {market.day(days - 1)}, in the future; give an earlier --first-day or fewer "
            "--days",
            code="invalid_market",
        )
    into = archive_of(config, archive)
    with progress_bar("simulating", as_json=as_json) as progress:
        report = ingest(into, SyntheticSource(market, interval), progress=progress)
    if archive is None:
        NewsArchive(config.data.folder / "news").add(synthetic_items(market))
    return _import_facts(into, report, as_json=as_json)


@app.command()
@runs()
def show(
    config: Config,
    asset: Annotated[str, Argument(metavar="[ASSET]", help="An id, or a ticker that only one asset has.")] = "",
    first: Annotated[str | None, Option(metavar="YYYY-MM-DD", help="By default 14 days before the last.")] = None,
    last: Annotated[str | None, Option(metavar="YYYY-MM-DD", help="By default the last day there is.")] = None,
    as_of: Annotated[
        str | None, Option(metavar="YYYY-MM-DD", help="Show what was known at the end of this day.")
    ] = None,
    interval: IntervalOption = Interval.DAY,
    versions: Annotated[
        bool, Option("--versions", help="Show every version of each bar, and when it was learnt.")
    ] = False,
    archive: ArchiveOption = None,
    as_json: Json = False,
) -> Facts | Rows:
    """Show what an archive holds; with an asset, its bars.

    Example: usufruct prices show bitcoin --first 2021-11-01 --last 2021-11-30 --as-of 2021-12-31
    """
    there = filled_archive_of(config, archive)
    if not asset:
        return _summary(there)
    known = parse_day(as_of, "--as-of")
    found = there.registry(known).resolve(asset)
    ends = {span.interval: span.last.date() for span in there.spans()}
    until = parse_day(last, "--last") or ends.get(interval) or _now().date()
    since = parse_day(first, "--first") or until - timedelta(days=13)
    if versions:
        every = there.versions(interval, found.id, since, until)
        return _rows(every, [*_SHOWN, "source", "known_at"], as_json=as_json)
    if there.synthetic and not as_json:
        say("simulated prices, not of any real asset")
    return _rows(_bars(there, interval, found.id, since, until, known), _SHOWN, as_json=as_json)


@app.command("check")
@runs()
def check_command(
    config: Config, interval: IntervalOption = Interval.DAY, archive: ArchiveOption = None, as_json: Json = False
) -> Rows:
    """Look over all bars for gaps, spikes, jumps, wrong units, de-pegs, and assets that look renamed.

    Example: usufruct prices check --json
    """
    there = filled_archive_of(config, archive)
    with progress_bar("checking", as_json=as_json) as progress:
        report = check(there, interval, progress=progress)
    nothing = f"{report.bars:,} bars of {report.assets} assets: nothing to report"
    return Rows([_finding(each, as_json=as_json) for each in report.findings], nothing=nothing)


@app.command()
@runs()
def quarantine(
    config: Config,
    rule: Annotated[str, Option(help="Only rows of this rule.")] = "",
    archive: ArchiveOption = None,
    as_json: Json = False,
) -> Rows:
    """List the rows that rules kept out of the bars, as they came.

    Example: usufruct prices quarantine --rule price-spike
    """
    rows = filled_archive_of(config, archive).quarantined()
    rows = rows.filter(pl.col("rule") == rule) if rule else rows
    columns = ["rule", "asset", *_SHOWN, "place"]
    return _rows(rows.sort("rule", "asset", "time"), columns, "the quarantine is empty", as_json=as_json)


@app.command()
@runs()
def assets(
    config: Config,
    category: Annotated[str, Option(help="Only assets of this category, such as stablecoin.")] = "",
    describe: Annotated[
        Path | None, Option(metavar="FILE.csv", help="First learn what this file says: id, symbol, name, categories.")
    ] = None,
    changes: Annotated[bool, Option("--changes", help="List renames, splits and redenominations instead.")] = False,
    archive: ArchiveOption = None,
) -> Rows:
    """List the assets with their numbers, tickers and categories.

    Categories are divided by semicolons; rules need `stablecoin` and `wrapped`.

    Example: usufruct prices assets --describe assets.csv
    """
    there = filled_archive_of(config, archive)
    if describe is not None:
        with there.writing() as writer:
            writer.describe(read_descriptions(describe), _now())
    registry = there.registry()
    if changes:
        listed = [_change(each) for each in registry.changes]
        return Rows(listed, ["kind", "asset", "to", "units", "day"], "no asset changed")
    rows = [
        {
            "number": each.number,
            "id": each.id,
            "symbol": each.symbol,
            "name": each.name,
            "categories": sorted(each.categories),
        }
        for each in sorted(registry.by_id.values(), key=lambda each: each.number)
        if not category or category in each.categories
    ]
    return Rows(rows, ["number", "id", "symbol", "name", "categories"], "no asset is of this category")


@app.command()
@runs()
def rename(
    config: Config,
    old: Annotated[str, Argument(metavar="OLD", help="The id until then.")],
    new: Annotated[str, Argument(metavar="NEW", help="The id from then on.")],
    day: DayOption,
    archive: ArchiveOption = None,
) -> Facts:
    """Record that an asset has another id: bars of OLD from before the day are read as NEW's.

    Example: usufruct prices rename matic-network polygon-ecosystem-token --day 2024-09-04
    """
    there = filled_archive_of(config, archive)
    return _record(there, AssetChange("renamed", old, _required(day), to=new))


@app.command()
@runs()
def redenominate(
    config: Config,
    asset: AssetArgument,
    units: Annotated[float, Option(help="New units for one old one: 10 for a split in ten, 0.001 for 1,000 to one.")],
    day: DayOption,
    archive: ArchiveOption = None,
) -> Facts:
    """Record a split or redenomination: prices from before the day are read in the units of after it.

    Only where the source gives old prices as they were then.

    Example: usufruct prices redenominate lunc --units 0.001 --day 2024-03-01
    """
    there = filled_archive_of(config, archive)
    found = there.registry().resolve(asset)
    return _record(there, AssetChange("redenominated", found.id, _required(day), units=units))


@app.command()
@runs()
def withdraw(
    config: Config,
    asset: AssetArgument,
    time: Annotated[str, Argument(metavar="TIME", help="Start of the bar: 2024-01-31, or 2024-01-31T05:00.")],
    source: Annotated[str, Option(help="Whose bar; by default the only source's.")] = "",
    interval: IntervalOption = Interval.DAY,
    archive: ArchiveOption = None,
) -> Facts:
    """Take a wrong bar back. It stays in the archive, and is read where --as-of is before today.

    Example: usufruct prices withdraw veritaseum 2021-09-02 --source coingecko
    """
    there = filled_archive_of(config, archive)
    found = there.registry().resolve(asset)
    names = [each.name for each in there.sources()]
    if not source and len(names) > 1:
        raise Invalid(f"several sources are there; give --source, one of {', '.join(names)}", code="unknown_source")
    try:
        begin = datetime.fromisoformat(time).replace(tzinfo=UTC)
    except ValueError:
        raise Invalid(f"TIME must be such as 2024-01-31, not {time!r}", code="invalid_day") from None
    with there.writing() as writer:
        writer.withdraw(interval, found.id, begin, source or names[0], _now())
    return {"asset": found.id, "withdrawn": begin.isoformat(), "source": source or names[0]}


@app.command()
@runs()
def prefer(
    config: Config,
    sources: Annotated[list[str], Argument(metavar="SOURCE...", help="The most preferred first.")],
    archive: ArchiveOption = None,
) -> Facts:
    """Choose whose value counts where several sources have one; others fill the gaps.

    Example: usufruct prices prefer kraken coingecko
    """
    there = filled_archive_of(config, archive)
    there.prefer(sources)
    return {"sources": [each.name for each in there.sources()]}


_WHOLE_FROM = 100_000
_SHOWN = ["time", "open", "high", "low", "close", "volume", "market_cap"]


def _now() -> datetime:
    return datetime.fromtimestamp(Clock().now(), UTC)


def _required(day: str) -> date:
    parsed = parse_day(day, "--day")
    assert parsed is not None
    return parsed


def _mapping(columns: list[str]) -> dict[str, str]:
    pairs = {}
    for each in columns:
        ours, equals, theirs = each.partition("=")
        if not (ours and equals and theirs):
            raise Invalid(f"--column must be OURS=THEIRS, such as close=PriceUSD, not {each!r}", code="no_column")
        pairs[ours] = theirs
    return pairs


def _record(archive: PriceArchive, change: AssetChange) -> Facts:
    with archive.writing() as writer:
        writer.change(change, _now())
    return _change(change)


def _change(change: AssetChange) -> dict[str, object]:
    units = f"{change.units:g}" if change.kind == "redenominated" else None
    return {
        "kind": change.kind,
        "asset": change.asset,
        "to": change.to or None,
        "units": units,
        "day": str(change.day),
    }


def _updated(fetch: PriceFetch, progress: Callable[[int, int], None]) -> dict[str, Any]:
    report, error = ImportReport(), ""
    try:
        report = fetch.run(progress)
    except UsufructError as failure:
        error = failure.message
    counts = {"new": report.added.new, "corrected": report.added.corrected, "refused": report.refused}
    return {"source": fetch.name, "bars": fetch.interval.value} | counts | {"error": error}


def _finding(found: Finding, *, as_json: bool) -> dict[str, object]:
    if as_json:
        return {"rule": found.rule, "count": found.count, "examples": list(found.examples)}
    return {"rule": found.rule, "count": f"{found.count:,}", "such_as": "\n".join(found.examples)}


def _say_findings(findings: tuple[Finding, ...], *, as_json: bool) -> None:
    for each in () if as_json else findings:
        say(f"{each.rule}: {each.count:,} bars, such as {each.examples[0] if each.examples else 'repeated ones'}")


_NO_STABLECOIN = (
    "No asset is described as a stablecoin: rules take Tether for an asset whose price moves, and an index that holds "
    "stablecoins when bearish has none. If there are some, run `usufruct prices assets --describe assets.csv` with a "
    "file of id,symbol,name,categories"
)


_DOLLARS_ALONE = "Ratings, indices, pages and `/v2` need prices in USD, and refuse these"


def _warnings(archive: PriceArchive) -> list[str]:
    """Return what indices and ratings of these prices would get wrong, with the remedy."""
    found = [_NO_STABLECOIN] if archive.lacks_stablecoins else []
    if archive.quote != "USD":
        found.append(f"The prices are in {archive.quote}: they can be shown and checked. {_DOLLARS_ALONE}")
    return found


def _import_facts(archive: PriceArchive, report: ImportReport, *, as_json: bool) -> Facts:
    warnings = _warnings(archive)
    for each in () if as_json else warnings:
        say(each)
    facts: dict[str, Any] = {
        "read": report.read,
        "new": report.added.new,
        "corrected": report.added.corrected,
        "unchanged": report.added.unchanged,
        "refused": report.refused,
        "cleared": report.cleared,
        "archive": str(archive.folder),
        "synthetic": archive.synthetic,
    }
    if as_json:
        found = [_finding(each, as_json=True) for each in report.findings]
        return facts | {"findings": found, "warnings": warnings}
    return {name: f"{each:,}" if type(each) is int else each for name, each in facts.items()}


def _summary(archive: PriceArchive) -> Facts:
    registry, rows = archive.registry(), archive.manifest().rows
    facts: dict[str, object] = {
        "archive": str(archive.folder),
        "synthetic": archive.synthetic,
        "sources": [
            f"{each.name} ({each.attribution})" if each.attribution else each.name for each in archive.sources()
        ],
        "assets": len(registry.by_id),
        "changes": len(registry.changes),
        "quarantined": rows.get("quarantine", 0),
    }
    for span in archive.spans():
        facts |= {
            f"bars_{span.interval.value}": span.rows,
            f"first_{span.interval.value}": span.first.isoformat()[:16],
            f"last_{span.interval.value}": span.last.isoformat()[:16],
        }
    return facts


def _bars(
    archive: PriceArchive, interval: Interval, asset: str, first: date, last: date, as_of: date | None
) -> pl.DataFrame:
    """Return an asset's bars as readers of the archive get them: renames, splits and preference applied."""
    bars = archive.bars(interval, first, last, as_of=as_of, ids=[asset])
    columns = {name: getattr(bars, name)[:, 0] for name in ("open", "high", "low", "close", "volume")}
    times = [bars.time(row) for row in range(len(bars.close))]
    rows = pl.DataFrame({"time": times} | columns, nan_to_null=True)
    if interval is Interval.DAY:
        caps = archive.panel(first, last, as_of=as_of, ids=[asset]).market_cap[:, 0]
        rows = rows.with_columns(market_cap=pl.Series(caps, nan_to_null=True))
    else:
        rows = rows.with_columns(market_cap=pl.lit(None, dtype=pl.Float64()))
    return rows.filter(pl.col("close").is_not_null())


def _rows(
    rows: pl.DataFrame, columns: list[str], nothing: str = "no bars in these days", *, as_json: bool = False
) -> Rows:
    """Return rows as JSON has them, or as people read them: no more digits than matter, days without an hour."""
    shown = rows.select(columns).with_columns(pl.col(pl.Datetime).dt.strftime("%Y-%m-%dT%H:%MZ"))
    listed = list(shown.iter_rows(named=True))
    return Rows(
        listed if as_json else [{name: _short(each) for name, each in row.items()} for row in listed], columns, nothing
    )


def _short(value: object) -> object:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= _WHOLE_FROM else f"{value:.6g}"
    return value.removesuffix("T00:00Z") if isinstance(value, str) else value
