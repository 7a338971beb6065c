"""The archive: what was written is read, as it was known; in one step or not at all."""

import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.price_rows import LEARNT, START, bar, bars
from usufruct.connectors.prices import (
    AssetChange,
    AssetFacts,
    Interval,
    PriceArchive,
    SourceFacts,
)
from usufruct.connectors.prices.archive import Added
from usufruct.connectors.prices.segments import Manifest, Segments
from usufruct.core import Conflict, Invalid, NotFound

FIRST = START.date()


def write(archive: PriceArchive, *rows: dict[str, Any], sources: Sequence[str] = ("exchange",)) -> Added:
    """Write bars and describe their assets."""
    with archive.writing() as writer:
        for name in sources:
            writer.source(SourceFacts(name))
        writer.describe([AssetFacts(each) for each in dict.fromkeys(row["asset"] for row in rows)], LEARNT)
        return writer.append(Interval.DAY, bars(*rows))


def closes(archive: PriceArchive, asset: str, **options: Any) -> list[float | None]:
    column = archive.panel(ids=[asset], **options).close[:, 0]
    return [None if np.isnan(each) else float(each) for each in column]


@pytest.fixture
def archive(tmp_path: Path) -> PriceArchive:
    return PriceArchive(tmp_path / "prices")


def test_what_was_written_is_read(archive: PriceArchive):
    first, second = bar("btc", 0, 10.0, volume=5.0, market_cap=100.0), bar("eth", 2, 3.0)
    assert write(archive, first, second) == Added(new=2)
    panel = archive.panel()
    assert (panel.first_day, panel.days, [each.id for each in panel.assets]) == (FIRST, 3, ["btc", "eth"])
    assert panel.close[0].tolist()[0] == 10.0
    assert np.isnan(panel.close[1]).all()
    assert panel.close[2, 1] == 3.0
    assert (panel.volume[0, 0], panel.market_cap[0, 0]) == (5.0, 100.0)
    assert not panel.synthetic
    assert panel.source == "exchange"


def test_years_are_partitions_and_a_range_reads_over_them(archive: PriceArchive):
    write(archive, *(bar("btc", row, float(row + 2)) for row in (-1, 0, 366)))
    assert archive.manifest().names("bars/interval=1d") == [f"bars/interval=1d/year={y}" for y in (2023, 2024, 2025)]
    panel = archive.panel(date(2023, 12, 30), date(2024, 1, 2))
    assert np.nan_to_num(panel.close[:, 0]).tolist() == [0.0, 1.0, 2.0, 0.0]


def test_a_correction_is_seen_from_when_it_was_learnt(archive: PriceArchive):
    write(archive, bar("btc", 0, 10.0), bar("btc", 1, 11.0))
    later = LEARNT + timedelta(days=10)
    assert write(archive, bar("btc", 0, 9.0, known_at=later), bar("btc", 1, 11.0, known_at=later)) == Added(0, 1, 1)
    assert closes(archive, "btc") == [9.0, 11.0]
    assert closes(archive, "btc", as_of=LEARNT) == [10.0, 11.0]
    assert closes(archive, "btc", as_of=(LEARNT + timedelta(days=9)).date()) == [10.0, 11.0]
    assert closes(archive, "btc", as_of=later.date()) == [9.0, 11.0]
    assert closes(archive, "btc", as_of=LEARNT - timedelta(seconds=1)) == [None, None]
    assert archive.versions(Interval.DAY, "btc", FIRST, FIRST)["close"].to_list() == [10.0, 9.0]


def test_a_bar_is_withdrawn_by_a_row_without_values(archive: PriceArchive):
    write(archive, bar("btc", 0, 10.0), bar("btc", 1, 1e9))
    write(archive, bar("btc", 1, None, known_at=LEARNT + timedelta(days=1)))
    assert closes(archive, "btc") == [10.0, None]
    assert closes(archive, "btc", as_of=LEARNT) == [10.0, 1e9]


def test_the_preferred_source_counts_and_others_fill_its_gaps(archive: PriceArchive):
    rows = [bar("btc", 0, 10.0), bar("btc", 1, 11.0, source="vendor"), bar("btc", 0, 9.0, source="vendor")]
    write(archive, *rows, bar("btc", 2, 12.0, volume=7.0), sources=("exchange", "vendor"))
    assert closes(archive, "btc") == [10.0, 11.0, 12.0]
    archive.prefer(["vendor"])
    assert closes(archive, "btc") == [9.0, 11.0, 12.0]
    assert archive.panel().source == "vendor, exchange"
    with pytest.raises(Invalid, match="'nasdaq' is not a source; there are vendor, exchange"):
        archive.prefer(["nasdaq"])


def test_a_cap_that_is_absent_is_price_times_supply(archive: PriceArchive):
    rows = [bar("btc", 0, 10.0), bar("btc", 1, 11.0, market_cap=5.0), bar("btc", 30, 2.0), bar("btc", 31, 2.0)]
    supply = bar("btc", 0, None, source="chain", supply=4.0)
    write(archive, *rows, supply, sources=("exchange", "chain"))
    caps = archive.panel().market_cap[:, 0]
    assert caps[[0, 1, 30]].tolist() == [40.0, 5.0, 8.0]
    assert np.isnan(caps[31]), "a supply counts for 30 days"
    later = archive.panel(FIRST + timedelta(days=30))
    assert later.market_cap[0, 0] == 8.0, "also where it was reported before the first day"
    assert archive.supply(later)[0, 0] == 4.0


def test_a_renamed_asset_has_one_history_and_keeps_its_number(archive: PriceArchive):
    write(archive, bar("matic", 0, 1.0), bar("matic", 1, 1.1), bar("matic", 3, 77.0), bar("pol", 2, 1.2))
    write(archive, bar("pol", 1, 55.0))
    with archive.writing() as writer:
        writer.change(AssetChange("renamed", "matic", FIRST + timedelta(days=2), to="pol"), LEARNT)
    panel = archive.panel()
    assert [each.id for each in panel.assets] == ["pol"]
    assert panel.assets[0].number == 1
    assert closes(archive, "pol") == [1.0, 1.1, 1.2, None]
    assert closes(archive, "matic") == [None, None, None, 77.0], "an id that is used for another coin later"
    assert closes(archive, "pol", as_of=LEARNT - timedelta(days=1)) == [None] * 4
    assert closes(archive, "pol")[1] == 1.1, "the new id was another coin's until then"
    write(archive, bar("sol", 0, 5.0))
    assert archive.registry().by_id["sol"].number == 3, "a number is not given twice"


def test_a_redenomination_brings_the_past_into_todays_units(archive: PriceArchive):
    write(archive, *(bar("pepe", row, close, supply=1000.0 / close) for row, close in enumerate((1.0, 2.0, 2000.0))))
    learnt = LEARNT + timedelta(days=1)
    with archive.writing() as writer:
        writer.change(AssetChange("redenominated", "pepe", FIRST + timedelta(days=2), units=0.001), learnt)
    assert closes(archive, "pepe") == [1000.0, 2000.0, 2000.0]
    assert closes(archive, "pepe", as_of=LEARNT) == [1.0, 2.0, 2000.0]
    panel = archive.panel()
    assert panel.market_cap[:, 0] == pytest.approx([1000.0] * 3)
    assert archive.bars(Interval.DAY).close[0, 0] == 1000.0


def test_hourly_bars_are_kept_by_month(archive: PriceArchive):
    hours = [START + timedelta(hours=hour) for hour in (0, 1, 31 * 24)]
    rows = [bar("btc", 0, float(i), time=hour, open=1.0, high=9.0, low=0.5) for i, hour in enumerate(hours)]
    with archive.writing() as writer:
        writer.source(SourceFacts("exchange"))
        writer.describe([AssetFacts("btc")], LEARNT)
        writer.append(Interval.HOUR, bars(*rows))
    assert len(archive.manifest().names("bars/interval=1h")) == 2
    found = archive.bars(Interval.HOUR, FIRST, FIRST + timedelta(days=31))
    assert found.close.shape == (32 * 24, 1)
    assert found.close[[0, 1, 31 * 24], 0].tolist() == [0.0, 1.0, 2.0]
    assert (found.high[1, 0], found.time(31 * 24)) == (9.0, hours[2])
    with pytest.raises(NotFound, match="no 1d bars"):
        archive.panel()


def test_facts_of_assets_change_and_numbers_do_not(archive: PriceArchive):
    write(archive, bar("btc", 0, 1.0), bar("eth", 0, 1.0))
    later = LEARNT + timedelta(days=1)
    with archive.writing() as writer:
        writer.describe([AssetFacts("eth", "ETH", "Ether", frozenset({"layer-1"})), AssetFacts("btc")], later)
    now, then = archive.registry().by_id["eth"], archive.registry(as_of=LEARNT.date()).by_id["eth"]
    assert (now.number, now.symbol, now.categories) == (2, "ETH", {"layer-1"})
    assert (then.number, then.symbol, then.categories) == (2, "ETH", frozenset())
    assert archive.manifest().rows["assets"] == 3, "what says nothing new is not written"


def test_tickers_find_an_asset_only_where_they_are_unique(archive: PriceArchive):
    with archive.writing() as writer:
        writer.describe([AssetFacts("bitcoin", "BTC"), AssetFacts("a-one", "ONE"), AssetFacts("b-one", "ONE")], LEARNT)
    registry = archive.registry()
    assert registry.resolve("btc").id == "bitcoin"
    assert registry.resolve("a-one").id == "a-one"
    with pytest.raises(Invalid, match="several assets: a-one, b-one"):
        registry.resolve("one")
    with pytest.raises(Invalid, match="'two' is not an asset"):
        registry.resolve("two")


def test_simulated_and_real_prices_do_not_share_an_archive(archive: PriceArchive):
    write(archive, bar("btc", 0, 1.0))
    with pytest.raises(Conflict, match="holds real prices and demo has simulated prices"), archive.writing() as writer:
        writer.source(SourceFacts("demo", synthetic=True))
    with pytest.raises(Conflict, match="in USD and those of bourse in EUR"), archive.writing() as writer:
        writer.source(SourceFacts("bourse"), quote="EUR")


def test_compaction_keeps_every_version(archive: PriceArchive):
    for step in range(4):
        write(archive, bar("btc", 0, float(step), known_at=LEARNT + timedelta(days=step)), bar("eth", step, 1.0))
    before = [archive.panel(as_of=LEARNT + timedelta(days=step)).digest() for step in range(4)]
    assert archive.compact() > 0
    assert [len(each) for each in archive.manifest().partitions.values()] == [1] * len(archive.manifest().partitions)
    assert [archive.panel(as_of=LEARNT + timedelta(days=step)).digest() for step in range(4)] == before
    assert archive.compact() == 0


def test_one_writes_at_a_time_and_a_failed_change_leaves_nothing(archive: PriceArchive):
    write(archive, bar("btc", 0, 1.0))
    before = archive.panel().digest()
    with archive.writing(), pytest.raises(Conflict, match="another process writes"):
        write(archive, bar("btc", 1, 2.0))

    def fail() -> None:
        with archive.writing() as writer:
            writer.append(Interval.DAY, bars(bar("btc", 1, 2.0)))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert archive.panel().digest() == before


_KILLED = """
import sys
from tests.support.price_rows import LEARNT, bar, bars
from usufruct.connectors.prices import AssetFacts, Interval, PriceArchive, SourceFacts
from pathlib import Path

with PriceArchive(Path(sys.argv[1])).writing() as writer:
    writer.source(SourceFacts("exchange"))
    writer.describe([AssetFacts("btc"), AssetFacts("eth")], LEARNT)
    writer.append(Interval.DAY, bars(bar("btc", 0, 99.0), bar("eth", 400, 99.0)))
    print("written", flush=True)
    sys.stdin.read()
"""


def test_a_writer_that_is_killed_leaves_the_archive_as_it_was(archive: PriceArchive):
    write(archive, bar("btc", 0, 1.0))
    before = archive.panel().digest()
    command = [sys.executable, "-c", _KILLED, str(archive.folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path(__file__).parents[3]) as it:
        assert it.stdout is not None
        assert it.stdout.readline() == b"written\n"
        assert len(list(archive.folder.rglob("year=2025/*.parquet"))) == 1, "the file is on the disk already"
        it.send_signal(signal.SIGKILL)
    assert archive.panel().digest() == before
    write(archive, bar("btc", 1, 2.0))
    assert not list(archive.folder.rglob("year=2025/*.parquet"))
    assert closes(archive, "btc") == [1.0, 2.0]


def test_a_reader_goes_on_while_a_compaction_replaces_files(archive: PriceArchive):
    """The manifest that a reader has may name files that are gone: it reads the new one."""
    for row in range(3):
        write(archive, bar("btc", row, 1.0 + row))
    answers = [archive.manifest()]
    archive.compact()
    answers.append(archive.manifest())

    class Behind(Segments):
        def manifest(self) -> Manifest:
            return answers.pop(0)

    rows = Behind(archive.folder).read("bars/interval=1d/year=2024")
    assert rows is not None
    assert sorted(rows["close"].to_list()) == [1.0, 2.0, 3.0]


def test_damage_is_named(archive: PriceArchive):
    write(archive, bar("btc", 0, 1.0))
    [path] = archive.folder.rglob("year=2024/*.parquet")
    path.write_bytes(b"PAR1" + bytes(100))
    with pytest.raises(Conflict, match=r"year=2024 is damaged .*restore a backup"):
        archive.panel()
    manifest = archive.folder / "manifest.json"
    manifest.write_text(json.dumps({"format": 99}))
    with pytest.raises(Conflict, match="format 99, this version reads 1"):
        archive.panel()
    manifest.write_text("{")
    with pytest.raises(Conflict, match="not readable"):
        archive.panel()


def test_days_and_ids_that_are_wrong_are_named(archive: PriceArchive):
    with pytest.raises(NotFound, match="usufruct prices import"):
        archive.panel()
    write(archive, bar("btc", 0, 1.0))
    with pytest.raises(Invalid, match="first day 2024-02-01 is after the last day 2024-01-01"):
        archive.panel(date(2024, 2, 1), date(2024, 1, 1))
    with pytest.raises(Invalid, match="'doge' is not an asset"):
        archive.panel(ids=["doge"])
    with pytest.raises(Invalid, match="units must be a number over 0"):
        AssetChange("redenominated", "btc", FIRST, units=0.0)
    with pytest.raises(Invalid, match="renamed to another id"):
        AssetChange("renamed", "btc", FIRST, to="btc")


LEARNINGS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b"]),
        st.integers(0, 3),
        st.sampled_from(["exchange", "vendor"]),
        st.integers(0, 3),
        st.one_of(st.none(), st.integers(1, 9)),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=12, deadline=None)
@given(LEARNINGS, st.integers(0, 3), st.booleans())
def test_reading_equals_a_slow_model(tmp_path_factory: Any, learnings: list[Any], as_of: int, compacted: bool):
    """Each learning is a write of its own: the newest row of each source counts, then the preferred source."""
    archive = PriceArchive(tmp_path_factory.mktemp("model"))
    for asset, row, source, known, close in learnings:
        values = {"source": source, "known_at": LEARNT + timedelta(days=known)}
        write(archive, bar(asset, row, close, **values), sources=("exchange", "vendor"))
    if compacted:
        archive.compact()
    kept: dict[tuple[str, str, int], list[tuple[int, float | None]]] = {}
    for asset, row, source, known, close in learnings:
        history = kept.setdefault((source, asset, row), [])
        if not history or history[-1][0] > known or history[-1][1] != close:  # else it says what was known already
            history.append((known, close))
            history.sort(key=itemgetter(0))
    expected: dict[tuple[str, int], float] = {}
    for preferred in ("vendor", "exchange"):
        for (source, asset, row), history in kept.items():
            seen = [close for known, close in history if known <= as_of]
            if source == preferred and seen and seen[-1] is not None:
                expected[asset, row] = seen[-1]
    panel = archive.panel(FIRST, FIRST + timedelta(days=3), as_of=LEARNT + timedelta(days=as_of))
    found = {
        (asset.id, row): panel.close[row, column]
        for column, asset in enumerate(panel.assets)
        for row in range(4)
        if np.isfinite(panel.close[row, column])
    }
    assert found == expected


def test_moments_are_kept_in_utc(archive: PriceArchive):
    write(archive, bar("btc", 0, 1.0))
    rows = archive.versions(Interval.DAY, "btc", FIRST, FIRST)
    assert rows["time"].to_list() == [datetime(2024, 1, 1, tzinfo=UTC)]
    assert rows.schema["known_at"] == pl.Datetime("us", "UTC")


def test_an_asset_is_traded_where_an_exchange_has_had_bars_of_late(tmp_path):
    archive = PriceArchive(tmp_path)
    assert archive.exchanges_of_assets() == {}
    rows = [bar("one", day, 1.0, source=source) for day in (350, 399) for source in ("kraken", "coinbase", "vendor")]
    rows += [bar("two", 350, 1.0, source="kraken"), bar("two", 399, 1.0, source="vendor")]
    rows += [bar("old", 371, 1.0, source="coinbase"), bar("three", 399, None, supply=5.0, source="kraken")]
    with archive.writing() as writer:
        for name in ("kraken", "coinbase", "vendor"):
            writer.source(SourceFacts(name, exchange=name != "vendor"))
        writer.describe([AssetFacts(each) for each in ("one", "two", "three", "old", "new")], LEARNT)
        writer.append(Interval.DAY, bars(*rows))
        writer.change(AssetChange("renamed", "old", date(2025, 1, 10), to="new"), LEARNT)
    assert archive.exchanges_of_assets() == {"one": ("coinbase", "kraken"), "new": ("coinbase",)}
