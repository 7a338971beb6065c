"""A snapshot's tables: pages hold what a plain filter of all rows holds, from memory and from files alike."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.fake_clock import FakeClock
from tests.support.market_archive import simulated_inputs
from usufruct.analytics.mapped_files import FRESH_SECONDS, NoMarketData
from usufruct.analytics.snapshot import Condition, RowTable, Selection, SeriesTable, Snapshot
from usufruct.analytics.snapshot_build import build_snapshot
from usufruct.analytics.snapshot_files import SnapshotReader, read_snapshot, write_snapshot
from usufruct.connectors.news import NewsItem

NOW = int(datetime(2026, 1, 2, tzinfo=UTC).timestamp())


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    inputs = simulated_inputs(datetime(2026, 1, 1, tzinfo=UTC))
    at = datetime(2025, 12, 31, tzinfo=UTC)
    item = NewsItem("1", "wire", "A win", "", "", at, at, (inputs.panel.assets[0].id,))
    return build_snapshot(replace(inputs, news=(item,)), NOW)


selections = st.fixed_dictionaries(
    {
        "columns": st.none() | st.lists(st.integers(0, 5), unique=True, max_size=6).map(sorted),
        "first": st.none() | st.integers(-5, 200),
        "end": st.none() | st.integers(-5, 200),
        "limit": st.integers(1, 40),
        "skip": st.integers(0, 60),
    }
)


def chosen(given_: dict) -> Selection:
    columns = given_["columns"]
    first, end = (None if each is None else 1_000 + 10 * each + 3 for each in (given_["first"], given_["end"]))
    return Selection(
        None if columns is None else np.array(columns, dtype=np.int64), first, end, (), given_["limit"], given_["skip"]
    )


@settings(max_examples=60)
@given(selections, st.integers(0, 999), st.booleans())
def test_a_page_of_a_series_is_a_filter_of_all_rows(options: dict, seed: int, least: bool):
    random = np.random.default_rng(seed)
    values = np.where(random.random((150, 6)) < 0.3, np.nan, random.integers(0, 9, (150, 6)).astype(float))
    table = SeriesTable(1_000, 10, "v", {"v": values, "w": values * 2})
    selection = chosen(options)
    conditions = (Condition("w", least=8.0),) if least else ()
    selection = Selection(
        selection.columns, selection.first, selection.end, conditions, selection.limit, selection.skip
    )
    everything = [
        (row, column)
        for row in range(150)[::-1]
        for column in range(6)
        if not np.isnan(values[row, column])
        and (options["columns"] is None or column in options["columns"])
        and (selection.first is None or 1_000 + 10 * row >= selection.first)
        and (selection.end is None or 1_000 + 10 * row < selection.end)
        and (not least or values[row, column] >= 4)
    ][selection.skip :]

    def pages() -> list[tuple[int, int]]:
        """Follow the positions from page to page."""
        found: list[tuple[int, int]] = []
        after, skip = None, selection.skip
        for _ in itertools.count():
            wanted = Selection(
                selection.columns, selection.first, selection.end, conditions, selection.limit, skip, after
            )
            page = table.page(wanted, lambda at, column, v: {"p": [(at - 1_000) // 10, column], "v": float(v["v"])})
            for row in map(orjson.loads, page.rows):
                assert row["v"] == values[tuple(row["p"])]
                found.append(tuple(row["p"]))
            assert len(page.rows) == selection.limit or page.last is None
            if page.last is None:
                return found
            after, skip = page.last, 0
        raise AssertionError

    assert pages() == everything


@settings(max_examples=60)
@given(selections, st.integers(0, 999), st.booleans())
def test_a_page_of_rows_is_a_filter_of_all_rows(options: dict, seed: int, single: bool):
    random = np.random.default_rng(seed)
    columns = random.permutation(6) if single else random.integers(0, 6, 90)
    times = np.sort(random.integers(950, 3_000, len(columns)))[::-1]
    table = RowTable(times, columns, [b"%d" % each for each in range(len(columns))])
    selection = chosen(options)
    expected = [
        index
        for index, (at, column) in enumerate(zip(times, columns, strict=True))
        if (options["columns"] is None or column in options["columns"])
        and (selection.first is None or at >= selection.first)
        and (selection.end is None or at < selection.end)
    ][selection.skip :]
    found: list[int] = []
    after, skip = None, selection.skip
    while True:
        page = table.page(
            Selection(selection.columns, selection.first, selection.end, (), selection.limit, skip, after)
        )
        found += map(int, page.rows)
        if page.last is None:
            break
        after, skip = page.last, 0
    assert found == expected


def everything_of(snapshot: Snapshot) -> dict[str, object]:
    whole = Selection(limit=200)
    found: dict[str, object] = {name: list(table.page(whole).rows) for name, table in snapshot.rows.items()}
    for name, table in snapshot.series.items():
        rows = table.page(
            whole, lambda at, column, values: {"at": at, "c": column} | {k: float(v) for k, v in values.items()}
        ).rows
        found[name] = list(rows)
    return found


def test_what_is_read_is_what_was_written(snapshot: Snapshot, tmp_path: Path):
    write_snapshot(tmp_path, snapshot)
    read = read_snapshot(tmp_path)
    for name in (
        "id",
        "computed_at",
        "first_day",
        "last_day",
        "last_hour",
        "synthetic",
        "source",
        "assets",
        "briefing",
    ):
        assert getattr(read, name) == getattr(snapshot, name), name
    assert list(read.digests) == list(snapshot.digests)
    np.testing.assert_array_equal(read.market_caps, snapshot.market_caps)
    ours = everything_of(snapshot)
    assert everything_of(read) == ours
    assert all(ours[name] for name in ours if name not in ("technology-grade-history", "moonshot-tokens active")), [
        name for name in ours if not ours[name]
    ]


def test_a_reader_takes_a_newer_snapshot_and_the_old_ones_go(snapshot: Snapshot, tmp_path: Path):
    clock = FakeClock()
    reader = SnapshotReader(tmp_path, clock)
    with pytest.raises(NoMarketData, match="runs a worker"):
        reader.current()
    write_snapshot(tmp_path, snapshot)
    first = reader.current()
    assert first.id == snapshot.id
    names = []
    for number in range(3):
        later = build_like(snapshot, f"later-{number}")
        write_snapshot(tmp_path, later)
        names.append(later.id)
    assert reader.current() is first
    clock.advance(FRESH_SECONDS + 1)
    assert reader.current().id == names[-1]
    assert {each.name for each in tmp_path.iterdir() if each.is_dir()} == set(names[-2:])
    assert everything_of(first), "what was mapped is still there after its files were removed"


def build_like(snapshot: Snapshot, name: str) -> Snapshot:
    return Snapshot(**{each: getattr(snapshot, each) for each in snapshot.__slots__} | {"id": name})
