"""How long an archive of prices takes to write and to read, how large it is, and how much memory reading takes."""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

from usufruct.connectors.prices import Interval, PriceArchive, SourceFacts, SyntheticMarket, synthesize
from usufruct.connectors.prices.bars import BAR_SCHEMA, MOMENT, start_of
from usufruct.connectors.prices.registry import AssetFacts

RESULTS = Path("build/bench-prices.json")
_DAY = 86_400_000_000


def rows_of(market: SyntheticMarket) -> Iterator[pl.DataFrame]:
    """Yield the closes, volumes and caps of a market year by year; each was learnt when its day was over."""
    panel = synthesize(market)
    ids = pl.Series([each.id for each in panel.assets])
    begin = int(start_of(market.first_day).timestamp()) * 1_000_000
    for first in range(0, market.days, 365):
        part = slice(first, first + 365)
        row, column = np.nonzero(np.isfinite(panel.close[part]))
        times = pl.Series(begin + (row + first) * _DAY)
        values = {name: getattr(panel, name)[part][row, column] for name in ("close", "volume", "market_cap")}
        yield (
            pl.DataFrame(values)
            .select(
                asset=ids.gather(column),
                time=times.cast(MOMENT),
                known_at=(times + _DAY).cast(MOMENT),
                source=pl.lit("bench"),
                **{name: pl.lit(None, dtype=pl.Float64()) for name in ("open", "high", "low", "supply")},
                **{name: pl.col(name) for name in values},
            )
            .select(BAR_SCHEMA.keys())
        )


def write(folder: Path, market: SyntheticMarket) -> tuple[int, float]:
    """Write a market; return the rows and the seconds."""
    archive, rows, seconds = PriceArchive(folder), 0, 0.0
    for year in rows_of(market):
        began = time.perf_counter()
        with archive.writing() as writer:
            writer.source(SourceFacts("bench", synthetic=True))
            writer.describe([AssetFacts(each) for each in year["asset"].unique().to_list()], start_of(market.first_day))
            rows += writer.append(Interval.DAY, year).new
        seconds += time.perf_counter() - began
    return rows, seconds


def read(folder: Path) -> dict[str, float]:
    """Return seconds and memory of reading a whole archive, and one asset; to be called in a process of its own."""
    archive = PriceArchive(folder)
    began = time.perf_counter()
    panel = archive.panel()
    whole = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    dense = 3 * panel.close.nbytes / 1024**2
    began = time.perf_counter()
    archive.panel(ids=[panel.assets[0].id])
    one = time.perf_counter() - began
    return {"read_seconds": whole, "read_one_seconds": one, "read_peak_mib": peak, "panel_mib": dense}


def main() -> None:
    """Measure, print a table and write the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assets", type=int, default=1_000)
    parser.add_argument("--days", type=int, default=3_650)
    parser.add_argument("--read", type=Path, help="only read this archive, and print what it took")
    options = parser.parse_args()
    if options.read:
        print(json.dumps(read(options.read)))
        return
    with tempfile.TemporaryDirectory() as folder:
        rows, seconds = write(Path(folder), SyntheticMarket(assets=options.assets, days=options.days))
        size = sum(each.stat().st_size for each in Path(folder).rglob("*.parquet"))
        command = [sys.executable, "-m", "bench.prices", "--read", folder]
        found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    found = {"rows": rows, "write_seconds": seconds, "bytes_a_row": size / rows, **found}
    RESULTS.parent.mkdir(exist_ok=True)
    listed = [
        {"metric": name, "subject": "usufruct", "value": value, "unit": "", "n": 1} for name, value in found.items()
    ]
    RESULTS.write_text(json.dumps(listed, indent=2))
    for name, value in found.items():
        print(f"{name:<18} {value:>14,.2f}")


if __name__ == "__main__":
    main()
