"""The archive of news: months of items as Parquet; a changed item is a new row with the moment it was learnt."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from fcntl import LOCK_EX, LOCK_NB, flock
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import polars as pl
from polars.exceptions import PolarsError

from usufruct.connectors.news.model import NewsItem
from usufruct.core import Conflict
from usufruct.core.files import replace_file

_MOMENT: Final = pl.Datetime("us", "UTC")
_SCHEMA: Final[dict[str, Any]] = {
    "id": pl.String(),
    "source": pl.String(),
    "title": pl.String(),
    "link": pl.String(),
    "summary": pl.String(),
    "published_at": _MOMENT,
    "known_at": _MOMENT,
    "assets": pl.List(pl.String()),
}
_SAID: Final = ("title", "link", "summary", "published_at", "assets")


@dataclass(frozen=True, slots=True)
class AddedNews:
    """How many items were new, how many changed what was known, and how many said nothing new."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0


class NewsArchive:
    """Items in a folder, a file for each month in which they were learnt. One process adds at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, items: Sequence[NewsItem]) -> AddedNews:
        """Add items; those that say what is known already are left out.

        Raises:
            Conflict: when another process is adding.
        """
        with self._alone():
            newest = {each.id: each for each in self._all()}
            counts = {"new": 0, "changed": 0, "unchanged": 0}
            fresh: dict[str, list[NewsItem]] = {}
            for each in sorted(items, key=lambda each: each.known_at):
                old = newest.get(each.id)
                kind = "new" if old is None else "unchanged" if _same(old, each) else "changed"
                counts[kind] += 1
                if kind != "unchanged":
                    newest[each.id] = each
                    fresh.setdefault(f"{each.known_at:%Y-%m}", []).append(each)
            for month, rows in fresh.items():
                self._write(month, rows)
        return AddedNews(**counts)

    def items(
        self, first: date, last: date, *, as_of: datetime | None = None, asset: str = "", limit: int | None = None
    ) -> list[NewsItem]:
        """Return items published from one day to another, the newest first, as they were known at a moment."""
        begin = datetime(first.year, first.month, first.day, tzinfo=UTC)
        end = datetime(last.year, last.month, last.day, tzinfo=UTC) + timedelta(days=1)
        versions: dict[str, NewsItem] = {}
        for each in self._all(as_of):
            versions[each.id] = each
        found = [
            each
            for each in versions.values()
            if begin <= each.published_at < end and (not asset or asset in each.assets)
        ]
        found.sort(key=lambda each: (each.published_at, each.id), reverse=True)
        return found[:limit]

    def _all(self, as_of: datetime | None = None) -> Iterator[NewsItem]:
        """Yield every version of every item, in the order in which they were learnt."""
        for path in sorted(self.folder.glob("????-??.parquet")):
            if as_of is not None and path.stem > f"{as_of.astimezone(UTC):%Y-%m}":
                return
            for row in self._read(path).sort("known_at", maintain_order=True).iter_rows(named=True):
                if as_of is None or row["known_at"] <= as_of:
                    yield NewsItem(**row | {"assets": tuple(row["assets"])})

    def _read(self, path: Path) -> pl.DataFrame:
        try:
            return pl.read_parquet(path)
        except FileNotFoundError:
            return pl.DataFrame(schema=_SCHEMA)
        except PolarsError as error:
            raise Conflict(
                f"{path} is damaged ({str(error).splitlines()[0]}); restore a backup", code="archive_damaged"
            ) from error

    def _write(self, month: str, items: Sequence[NewsItem]) -> None:
        path = self.folder / f"{month}.parquet"
        rows = pl.DataFrame([asdict(each) | {"assets": list(each.assets)} for each in items], schema=_SCHEMA)
        content = BytesIO()
        pl.concat([self._read(path), rows]).write_parquet(content, compression="zstd")
        replace_file(path, content.getvalue())

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("ab") as lock:
            try:
                flock(lock, LOCK_EX | LOCK_NB)
            except OSError:
                raise Conflict(
                    f"another process adds to the archive {self.folder}; wait until it has ended", code="archive_busy"
                ) from None
            yield


def _same(one: NewsItem, other: NewsItem) -> bool:
    return all(getattr(one, name) == getattr(other, name) for name in _SAID)
