"""Files of prices: columns by name or mapping, times in many forms, and what is wrong named with its line."""

import gzip
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from usufruct.connectors.prices import Batch, PriceFile
from usufruct.core import Invalid, NotFound

RIGHT = "id,date,price,volume\nbitcoin,2024-01-01,42000.5,\nbitcoin,2024-01-02,43000,9e9\n"


def read(path: Path, content: str | bytes, **options: object) -> Batch:
    """Write a file and return its only batch."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    [batch] = PriceFile(path, **options).batches(None)  # type: ignore[arg-type]
    return batch


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "prices.csv"


def test_columns_are_found_by_their_usual_names(path: Path):
    rows = read(path, RIGHT).rows
    assert rows["asset"].to_list() == ["bitcoin"] * 2
    assert rows["time"].to_list() == [datetime(2024, 1, day, tzinfo=UTC) for day in (1, 2)]
    assert rows["close"].to_list() == [42000.5, 43000.0]
    assert rows["volume"].to_list() == [None, 9e9]
    assert rows["place"].to_list() == ["line 2", "line 3"]


def test_columns_are_mapped_and_one_asset_needs_none(path: Path):
    content = "When,Last,Cap\n2024-01-01,1.5,30\n"
    columns = {"time": "When", "close": "Last", "market_cap": "Cap"}
    rows = read(path, content, columns=columns, asset="usd-coin").rows
    assert rows.select("asset", "close", "market_cap").row(0) == ("usd-coin", 1.5, 30.0)


@pytest.mark.parametrize(
    "text",
    [
        "2024-01-01",
        "2024-01-01T00:00:00Z",
        "2024-01-01 00:00:00 UTC",
        "2024-01-01T00:00:00.000+00:00",
        "2024-01-01T00:00",
        "1704067200",
        "1704067200000",
    ],
)
def test_a_time_is_read_in_the_forms_that_exports_have(path: Path, text: str):
    assert read(path, f"asset,time,close\nbtc,{text},1\n").rows["time"][0] == datetime(2024, 1, 1, tzinfo=UTC)


def test_what_cannot_be_read_is_refused_with_its_line_and_value(path: Path):
    content = "asset,time,close\nbtc,01/02/2024,1\nbtc,2024-01-02,1,\nbtc,2024-01-03,12 USD\n,2024-01-04,1\nbtc,,1\n"
    batch = read(path, content.replace(",1,\n", ",1\n"))
    assert batch.rows["place"].to_list() == ["line 3"]
    assert batch.refused["rule"].to_list() == ["unreadable"] * 4
    places = sorted(batch.refused["place"].to_list())
    assert places == ["line 2: time 01/02/2024", "line 4: close 12 USD", "line 5: no asset", "line 6: time is missing"]


def test_symbols_names_and_categories_describe_the_assets(path: Path):
    content = "id,symbol,name,categories,date,price\nusdc,usdc,USD Coin,Stablecoin; Centralised ,2024-01-01,1\n"
    [facts] = read(path, content).assets
    assert (facts.id, facts.symbol, facts.name) == ("usdc", "usdc", "USD Coin")
    assert facts.categories == {"stablecoin", "centralised"}


def test_a_gzipped_file_is_read(tmp_path: Path):
    batch = read(tmp_path / "prices.csv.gz", gzip.compress(RIGHT.encode()))
    assert len(batch.rows) == 2


@pytest.mark.parametrize("zoned", [True, False])
def test_a_parquet_file_is_read(tmp_path: Path, zoned: bool):
    days = pl.Series("date", [date(2024, 1, 1), date(2024, 1, 2)])
    times = days.cast(pl.Datetime("ns", "UTC")) if zoned else days
    path = tmp_path / "prices.parquet"
    pl.DataFrame({"date": times, "asset": ["a", "b"], "PriceUSD": [1, 2]}).write_parquet(path)
    [batch] = PriceFile(path).batches(None)
    assert batch.rows["time"].to_list() == [datetime(2024, 1, day, tzinfo=UTC) for day in (1, 2)]
    assert batch.rows["close"].to_list() == [1.0, 2.0]
    assert batch.rows["place"].to_list() == ["row 1", "row 2"]


@pytest.mark.parametrize(
    ("content", "options", "problem"),
    [
        ("", {}, "it is empty|empty"),
        ("a,b\n1,2,3\n", {}, "line 2 has 3 fields, the first line 2"),
        (b"asset,time,close\nbtc,2024-01-01,1\nb\xfftc,2024-01-02,1\n", {}, "line 3 is not UTF-8"),
        ("asset,close\nbtc,1\n", {}, "no column is time; there are asset, close. Say which one with --column time=N"),
        ("time,close\n2024-01-01,1\n", {}, "no column is asset; .* or give --asset ID"),
        ("asset,time,rank\nbtc,2024-01-01,1\n", {}, "no column is close, market_cap or supply"),
        (RIGHT, {"columns": {"close": "last"}}, "there is no column for close=last; there are id, date, price, volume"),
        (RIGHT, {"columns": {"kurs": "price"}}, "'kurs' is not a column of prices; there are asset, time, open"),
    ],
)
def test_a_file_that_cannot_be_used_is_an_error_with_a_remedy(
    path: Path, content: str | bytes, options: dict[str, object], problem: str
):
    with pytest.raises(Invalid, match=problem):
        read(path, content, **options)


def test_a_parquet_file_that_is_none_is_named(tmp_path: Path):
    path = tmp_path / "prices.parquet"
    path.write_text("no")
    with pytest.raises(Invalid, match=r"prices\.parquet is not readable"):
        list(PriceFile(path).batches(None))
    with pytest.raises(NotFound, match=r"there is no file .*other\.csv"):
        list(PriceFile(tmp_path / "other.csv").batches(None))


def test_a_file_is_continued_where_it_stopped_and_begun_again_when_it_changes(path: Path):
    read(path, RIGHT)
    source = PriceFile(path)
    [first] = source.batches(None)
    assert list(source.batches(first.position)) == []
    path.write_text(RIGHT + "bitcoin,2024-01-03,44000,1\n")
    [again] = source.batches(first.position)
    assert len(again.rows) == 3
    skipping = PriceFile(path, skipped=frozenset({"bitcoin"}))
    assert list(skipping.batches(None)) == []
