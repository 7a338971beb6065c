"""The file of live prices: read back as written, versions that only rise, one writer among workers."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from usufruct.analytics.folder_turn import FolderTurn
from usufruct.analytics.live.fixing import FixedPrice
from usufruct.analytics.live.model import LiveMedian, LiveTable
from usufruct.analytics.live.price_file import LiveReader, read_table, updated, write_table

NOW = 1_770_000_000
BLANK = LiveTable(0, 60, synthetic=True)

fixings = st.dictionaries(
    st.sampled_from("abc"),
    st.builds(FixedPrice, st.sampled_from([1.0, 2.0]), st.sampled_from([NOW - 1.0, NOW - 0.5]), st.just(("alpha",))),
)


@given(st.lists(st.tuples(fixings, st.integers(-5, 5))))
def test_a_reader_who_knows_a_version_is_told_what_changed_after_it(steps: list[tuple[dict[str, FixedPrice], int]]):
    table, shown = BLANK, [BLANK]
    for fixed, shift in steps:  # the wall clock may be set back
        table = updated(table, fixed.items(), NOW + shift)
        assert table is shown[-1] or table.version > shown[-1].version
        shown.append(table)
    for before in shown:
        told = {each.asset: each for each in table.news_since(before.version, "abc", NOW)}
        assert dict(before.medians) | told == dict(table.medians)


def test_a_table_is_read_as_it_was_written_and_again_when_it_was_replaced(tmp_path: Path):
    reader = LiveReader(tmp_path)
    assert reader.current() is None
    first = updated(BLANK, [("a", FixedPrice(1.25, NOW - 0.5, ("alpha", "beta")))], NOW)
    write_table(tmp_path, first)
    assert reader.current() == first
    assert reader.current() is reader.current()
    second = updated(first, [("a", FixedPrice(1.5, NOW + 0.5, ("alpha",)))], NOW + 1)
    write_table(tmp_path, second)
    assert reader.current() == second
    (tmp_path / "prices.json").write_bytes(b"")
    assert reader.current() == second, "a power cut may leave an empty file"
    assert read_table(tmp_path) is None


def test_one_worker_at_a_time_follows_the_exchanges(tmp_path: Path):
    one, other = FolderTurn(tmp_path / "live"), FolderTurn(tmp_path / "live")
    assert one.take()
    assert one.take()
    assert not other.take()
    one.give_back()
    assert other.take()
    other.give_back()


def test_an_age_is_never_negative_and_staleness_begins_at_its_bound():
    median = LiveMedian("a", 1.0, NOW + 3.0, ("alpha",), 1)
    assert median.age(NOW) == 0
    assert [BLANK.is_stale(median, NOW + 3 + age) for age in (59, 60)] == [False, True]
