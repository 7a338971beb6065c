"""The median of an archive's venues, imported into the same archive."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from usufruct.connectors.exchanges import MedianBars, OutlierRule
from usufruct.connectors.prices import BAR_SCHEMA, Interval, PriceArchive, SourceFacts, ingest
from usufruct.core import Invalid

START = datetime(2023, 12, 20, tzinfo=UTC)  # so that a year ends in between
LEARNT = datetime(2024, 6, 1, tzinfo=UTC)
VENUES = ("one", "two", "three")


@pytest.fixture
def archive(tmp_path):
    return PriceArchive(tmp_path / "archive")


def write(archive, venue, prices, *, first=0, volume=1.0):
    rows = [
        {
            "asset": "coin",
            "time": START + timedelta(days=first + day),
            **dict.fromkeys(("open", "close"), price),
            "high": price * 1.1,
            "low": price * 0.9,
            "volume": volume,
            "market_cap": None,
            "supply": None,
            "source": venue,
            "known_at": LEARNT,
        }
        for day, price in enumerate(prices)
        if price is not None
    ]
    with archive.writing() as writer:
        writer.source(SourceFacts(venue))
        writer.append(Interval.DAY, pl.DataFrame(rows, schema=BAR_SCHEMA))


def median(archive, asset="coin"):
    rows = archive.versions(Interval.DAY, asset, START.date(), (START + timedelta(days=60)).date())
    return rows.filter(pl.col("source") == "median").unique("time", keep="last", maintain_order=True).sort("time")


def test_a_venue_that_is_off_is_left_out_across_years_and_imports(archive):
    honest = 100.0 + np.arange(30)
    off = [price * (1.5 if 10 <= day < 20 else 1.0) for day, price in enumerate(honest)]
    for venue, prices in (("one", honest), ("two", honest * 1.0001), ("three", off)):
        write(archive, venue, prices[:15].tolist() if hasattr(prices, "tolist") else prices[:15])
    ingest(archive, MedianBars(archive, VENUES))
    for venue, prices in (("one", honest), ("two", honest * 1.0001), ("three", off)):
        write(archive, venue, list(prices[15:]), first=15)
    report = ingest(archive, MedianBars(archive, VENUES))
    assert (report.added.new, report.added.corrected) == (15, 0), "those fixed again are the same"
    rows = median(archive)
    assert rows["close"].to_list() == pytest.approx(honest, rel=1e-3)
    assert rows["volume"].to_list() == [2.0 if 10 <= day < 20 else 3.0 for day in range(30)]
    assert (rows["high"] / rows["close"]).to_list() == pytest.approx([1.1] * 30, rel=1e-3)


def test_venues_that_disagree_give_no_bar(archive):
    write(archive, "one", [100.0, 100.0, 100.0])
    write(archive, "two", [101.0, 150.0, None])
    report = ingest(archive, MedianBars(archive, ("one", "two")))
    assert median(archive)["close"].to_list() == [100.5]
    assert report.refused == 1
    assert archive.quarantined().select("asset", "rule", "source").rows() == [("coin", "venues-disagree", "median")]


def test_a_late_venue_is_taken_in(archive):
    write(archive, "one", [100.0] * 10)
    write(archive, "two", [100.0] * 8)
    ingest(archive, MedianBars(archive, ("one", "two")))
    assert len(median(archive)) == 8
    write(archive, "two", [100.0] * 2, first=8)
    ingest(archive, MedianBars(archive, ("one", "two")))
    assert len(median(archive)) == 10


def test_another_rule_fixes_all_again(archive):
    write(archive, "one", [100.0] * 30, volume=1.0)
    write(archive, "two", [103.0] * 30, volume=3.0)
    ingest(archive, MedianBars(archive, ("one", "two")))
    assert median(archive).is_empty(), "3 % apart"
    ingest(archive, MedianBars(archive, ("one", "two"), rule=OutlierRule(disagreement=0.05)))
    assert median(archive)["close"].to_list() == [103.0] * 30


def test_what_cannot_be_fixed_is_refused(archive):
    write(archive, "one", [100.0])
    with pytest.raises(Invalid, match="the archive has no source 'two'; fetch it first"):
        MedianBars(archive, ("one", "two"))
    with pytest.raises(Invalid, match="name 2 venues or more"):
        MedianBars(archive, ("one",))
