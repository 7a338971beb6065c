"""Prices from a CSV or Parquet file: columns by their usual names or a mapping, errors with line numbers."""

import csv
import gzip
import hashlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import polars as pl
from polars.exceptions import PolarsError

from usufruct.connectors.prices.archive import SourceFacts
from usufruct.connectors.prices.bars import MOMENT, VALUES, Interval
from usufruct.connectors.prices.registry import AssetFacts
from usufruct.connectors.prices.source import BATCH_SCHEMA, REFUSED_SCHEMA, Batch
from usufruct.core import Invalid, NotFound

USUAL_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "asset": ("asset", "asset_id", "id", "coin", "coin_id"),
    "time": ("time", "date", "day", "timestamp", "datetime", "snapped_at"),
    "open": ("open",),
    "high": ("high",),
    "low": ("low",),
    "close": ("close", "price", "priceusd", "price_usd"),
    "volume": ("volume", "volume_usd", "total_volume", "quote_volume"),
    "market_cap": ("market_cap", "marketcap", "cap", "capmrktcurusd", "market_cap_usd"),
    "supply": ("supply", "circulating_supply", "splycur"),
    "known_at": ("known_at",),
    "symbol": ("symbol", "ticker"),
    "name": ("name",),
    "categories": ("categories", "category"),
}
"""Names under which columns are found without a mapping, in any case of letters."""

_LINE = "__line"
_ROWS_OF_A_BATCH = 200_000
_NOTHING = ("", "-", "null", "none", "nan", "na", "n/a")
_TIMES = ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M")
_MILLISECONDS_FROM = 100_000_000_000


@dataclass(frozen=True, slots=True)
class PriceFile:
    """A CSV or Parquet file of bars as a source.

    `columns` names the file's column for ours, such as {"close": "PriceUSD"}; `asset` is the id where a file has one
    asset and no column of ids; `name` is the source's, by default the file's; `skipped` assets are left out.
    """

    path: Path
    name: str = ""
    interval: Interval = Interval.DAY
    columns: Mapping[str, str] = field(default_factory=dict)
    asset: str = ""
    quote: str = "USD"
    attribution: str = ""
    keeps_caps: bool = True
    skipped: frozenset[str] = frozenset()

    @property
    def facts(self) -> SourceFacts:
        """Name and attribution."""
        return SourceFacts(self.name or self.path.name.partition(".")[0], self.attribution)

    def batches(self, position: Any) -> Iterator[Batch]:
        """Yield the file's rows by groups of assets; a file that was imported whole has nothing after its position.

        Raises:
            NotFound: when there is no file.
            Invalid: when it is not readable, or lacks a column.
        """
        digest = self._digest()
        begin = position["batches"] if position and position["file"] == digest else 0
        rows, is_text = _open(self.path)
        rows = self._renamed(rows)
        groups = _groups(rows, self.skipped)
        for index, group in enumerate(groups):
            if index >= begin:
                found = rows.filter(pl.col("asset").is_in(group)).collect()
                kept, refused = _converted(found, "line" if is_text else "row")
                place = {"file": digest, "batches": index + 1}
                yield Batch(kept, place, index + 1, len(groups), _facts(found), refused)

    def _digest(self) -> str:
        if not self.path.is_file():
            raise NotFound(f"there is no file {self.path}; name a CSV or Parquet file", code="no_file")
        hashed = hashlib.sha256(repr((sorted(self.columns.items()), self.asset, sorted(self.skipped))).encode())
        with self.path.open("rb") as file:
            while part := file.read(1 << 20):
                hashed.update(part)
        return hashed.hexdigest()

    def _renamed(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """Give the columns our names.

        Raises:
            Invalid: when there is no column of times, of ids, or of any value; or a mapped one does not exist.
        """
        there = [each for each in rows.collect_schema().names() if each != _LINE]
        if missing := [f"{ours}={theirs}" for ours, theirs in self.columns.items() if theirs not in there]:
            raise Invalid(
                f"{self.path}: there is no column for {missing[0]}; there are {', '.join(there)}", code="no_column"
            )
        if unknown := sorted(self.columns.keys() - USUAL_NAMES.keys()):
            raise Invalid(
                f"{unknown[0]!r} is not a column of prices; there are {', '.join(USUAL_NAMES)}", code="no_column"
            )
        lower = {name.lower(): name for name in reversed(there)}
        usual = {ours: lower[name] for ours, names in USUAL_NAMES.items() for name in reversed(names) if name in lower}
        chosen = usual | dict(self.columns)
        selected = [pl.col(_LINE), *(pl.col(theirs).alias(ours) for ours, theirs in chosen.items())]
        if self.asset:
            chosen["asset"] = self.asset
            selected = [each for each in selected if each.meta.output_name() != "asset"]
            selected.append(pl.lit(self.asset).alias("asset"))
        for needed, names in (("asset", ["asset"]), ("time", ["time"]), ("close, market_cap or supply", VALUES)):
            if not any(name in chosen for name in names):
                raise Invalid(
                    f"{self.path}: no column is {needed}; there are {', '.join(there)}. Say which one with --column "
                    f"{names[0]}=NAME" + (" or give --asset ID" if needed == "asset" else ""),
                    code="no_column",
                )
        return rows.select(selected).with_columns(pl.col("asset").cast(pl.String()).fill_null(""))


def _open(path: Path) -> tuple[pl.LazyFrame, bool]:
    """Return a file's rows with their line (or row) number; whether it is text. A CSV file is read whole."""
    try:
        if path.suffix == ".parquet":
            rows = pl.scan_parquet(path, row_index_name=_LINE, row_index_offset=1)
            rows.collect_schema()
            return rows, False
        return pl.read_csv(path, infer_schema=False, row_index_name=_LINE, row_index_offset=2).lazy(), True
    except PolarsError as error:
        reason = _bad_line(path) if path.suffix != ".parquet" else ""
        raise Invalid(
            f"{path} is not readable: {reason or str(error).splitlines()[0]}", code="unreadable_file"
        ) from error


def _bad_line(path: Path) -> str:
    """Return what is wrong with the first line of a CSV file that has too many fields or is not UTF-8."""
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    try:
        reader = csv.reader(io.StringIO(content.decode(), newline=""))
        header = next(reader, [])
        for row in reader:
            if len(row) > len(header):
                return f"line {reader.line_num} has {len(row)} fields, the first line {len(header)}"
    except UnicodeDecodeError as error:
        return f"line {content.count(bytes([10]), 0, error.start) + 1} is not UTF-8"
    except csv.Error as error:
        return f"line {reader.line_num + 1}: {error}"
    return "" if header else "it is empty"


def _groups(rows: pl.LazyFrame, skipped: frozenset[str]) -> list[list[str]]:
    counts = rows.group_by("asset").len().sort("asset").collect()
    groups: list[list[str]] = []
    filled = _ROWS_OF_A_BATCH
    for asset, count in counts.iter_rows():
        if asset not in skipped:
            if filled >= _ROWS_OF_A_BATCH:
                groups.append([])
                filled = 0
            groups[-1].append(asset)
            filled += count
    return groups


def _converted(found: pl.DataFrame, word: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows as our types, and those with a value that is not of its type."""
    place = pl.concat_str(pl.lit(f"{word} "), pl.col(_LINE).cast(pl.String()))
    typed = {
        "time": _moments(found, "time"),
        "known_at": _moments(found, "known_at"),
        **{name: _numbers(found, name) for name in VALUES},
    }
    rows = found.select(
        "asset",
        *(each.alias(name) for name, each in typed.items()),
        *(_given(found, name).alias(f"{name}_given") for name in typed),
        source=pl.lit(None, dtype=pl.String()),
        place=place,
    )
    wrong = {name: pl.col(name).is_null() & pl.col(f"{name}_given").is_not_null() for name in typed}
    wrong["time"] = pl.col("time").is_null()
    words = [
        pl.when(each).then(pl.format(f": {name} {{}}", pl.col(f"{name}_given").fill_null("is missing")))
        for name, each in wrong.items()
    ]
    rows = rows.with_columns(problem=pl.coalesce(*words, pl.when(pl.col("asset") == "").then(pl.lit(": no asset"))))
    refused = rows.filter(pl.col("problem").is_not_null()).with_columns(
        rule=pl.lit("unreadable"),
        place=pl.concat_str("place", "problem"),
    )
    return rows.filter(pl.col("problem").is_null()).select(BATCH_SCHEMA.keys()), refused.select(REFUSED_SCHEMA.keys())


def _given(found: pl.DataFrame, name: str) -> pl.Expr:
    """Return what the file says, as text; null where it says that there is nothing."""
    if name not in found.columns:
        return pl.lit(None, dtype=pl.String())
    text = pl.col(name).cast(pl.String()).str.strip_chars()
    return pl.when(~text.str.to_lowercase().is_in(_NOTHING)).then(text)


def _numbers(found: pl.DataFrame, name: str) -> pl.Expr:
    return _given(found, name).cast(pl.Float64(), strict=False) if _is_text(found, name) else _typed(found, name)


def _typed(found: pl.DataFrame, name: str) -> pl.Expr:
    return pl.col(name).cast(pl.Float64(), strict=False) if name in found.columns else pl.lit(None, dtype=pl.Float64())


def _moments(found: pl.DataFrame, name: str) -> pl.Expr:
    """Return times: days, ISO 8601 (UTC where it says no zone), seconds or milliseconds since 1970."""
    if name not in found.columns:
        return pl.lit(None, dtype=MOMENT)
    kind = found.schema[name]
    if kind == pl.Date or isinstance(kind, pl.Datetime):
        zoned = isinstance(kind, pl.Datetime) and kind.time_zone is not None
        column = pl.col(name).cast(pl.Datetime("us", "UTC" if zoned else None))
        return column if zoned else column.dt.replace_time_zone("UTC")
    text = _given(found, name).str.strip_suffix(" UTC").str.replace("Z$", "").str.replace(r"\+00:?00$", "")
    number = text.cast(pl.Int64(), strict=False)
    millis = pl.when(number >= _MILLISECONDS_FROM).then(number).otherwise(number * 1_000)
    from_number = pl.from_epoch(millis, time_unit="ms").cast(pl.Datetime("us"))
    formats = [text.str.to_datetime(each, time_unit="us", strict=False) for each in _TIMES]
    return pl.coalesce(*formats, from_number).dt.replace_time_zone("UTC")


def _is_text(found: pl.DataFrame, name: str) -> bool:
    return name in found.columns and found.schema[name] == pl.String


def _facts(found: pl.DataFrame) -> tuple[AssetFacts, ...]:
    """Return what the file says about its assets, from its last rows."""
    names = [name for name in ("symbol", "name", "categories") if name in found.columns]
    if not names:
        return ()
    last = found.group_by("asset", maintain_order=True).agg(pl.col(names).drop_nulls().last())
    return tuple(
        AssetFacts(
            row["asset"], row.get("symbol") or "", row.get("name") or "", categories_of(row.get("categories") or "")
        )
        for row in last.iter_rows(named=True)
        if row["asset"]
    )


def categories_of(text: str) -> frozenset[str]:
    """Return the words of a list such as "layer-1; Stablecoin", in lower case."""
    return frozenset(word for each in text.replace("|", ";").split(";") if (word := each.strip().lower()))


def read_descriptions(path: Path) -> tuple[AssetFacts, ...]:
    """Read a CSV or Parquet file of assets: id, and symbol, name, categories as far as they are known.

    Raises:
        NotFound: when there is no file.
        Invalid: when it is not readable, or has no column of ids.
    """
    if not path.is_file():
        raise NotFound(f"there is no file {path}; name a CSV or Parquet file", code="no_file")
    rows, _ = _open(path)
    lower = {name.lower(): name for name in rows.collect_schema().names()}
    ids = next((lower[name] for name in USUAL_NAMES["asset"] if name in lower), None)
    if ids is None:
        raise Invalid(f"{path}: no column is id; there are {', '.join(lower)}", code="no_column")
    found = rows.select(
        pl.col(ids).cast(pl.String()).alias("asset"),
        *(
            pl.col(lower[theirs]).cast(pl.String()).alias(ours)
            for ours in ("symbol", "name", "categories")
            for theirs in [name for name in USUAL_NAMES[ours] if name in lower][:1]
        ),
    )
    return _facts(found.filter(pl.col("asset").is_not_null()).collect())
