"""The archive of news keeps what was known when."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fcntl import LOCK_EX, flock

import pytest

from usufruct.connectors.news import AddedNews, NewsArchive, NewsItem
from usufruct.core import Conflict

DAY = datetime(2024, 5, 31, 23, tzinfo=UTC)
ONE = NewsItem("1", "wire", "First title", "https://example.org", "Text", DAY, DAY + timedelta(minutes=5), ("bitcoin",))
TWO = replace(ONE, id="2", title="Other", published_at=DAY - timedelta(days=1), assets=())


@pytest.fixture
def archive(tmp_path):
    return NewsArchive(tmp_path / "news")


def found(archive, **values):
    return archive.items(date(2024, 5, 1), date(2024, 6, 30), **values)


def test_a_change_is_a_new_version_and_the_past_stays(archive):
    assert archive.add([ONE, TWO]) == AddedNews(new=2)
    later = replace(ONE, title="Corrected title", known_at=DAY + timedelta(days=2))
    assert archive.add([later, replace(TWO, known_at=later.known_at)]) == AddedNews(changed=1, unchanged=1)
    assert found(archive) == [later, TWO]
    assert found(archive, as_of=DAY + timedelta(days=1)) == [ONE, TWO]
    assert found(archive, as_of=DAY) == []
    assert found(archive, asset="bitcoin") == [later]
    assert found(archive, limit=1) == [later]
    assert archive.items(date(2024, 5, 30), date(2024, 5, 30)) == [TWO]
    assert sorted(path.name for path in archive.folder.glob("*.parquet")) == ["2024-05.parquet", "2024-06.parquet"]


def test_several_versions_in_one_go(archive):
    later = replace(ONE, title="Corrected", known_at=DAY + timedelta(hours=1))
    assert archive.add([later, ONE]) == AddedNews(new=1, changed=1)
    assert found(archive) == [later]


def test_one_process_adds_at_a_time(archive):
    archive.folder.mkdir()
    with (archive.folder / "lock").open("ab") as lock:
        flock(lock, LOCK_EX)
        with pytest.raises(Conflict, match="another process adds to the archive"):
            archive.add([ONE])
    archive.add([ONE])


def test_a_damaged_file_is_named(archive):
    archive.add([ONE])
    (archive.folder / "2024-05.parquet").write_bytes(b"PAR1 no more")
    with pytest.raises(Conflict, match=r"2024-05\.parquet is damaged .*restore a backup"):
        found(archive)
