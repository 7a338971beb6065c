"""The news of a day: what was learnt on it, headlines about the largest assets first, and sources that fell silent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from usufruct.connectors.news import NewsArchive, NewsItem

SHOWN: Final = 8
_NEW_DAYS: Final = 2
"""An item that was published longer ago when it was learnt is left out: archives are imported too."""
SILENT_DAYS: Final = 3
_FORGOTTEN_DAYS: Final = 31


@dataclass(frozen=True, slots=True)
class DayNews:
    """The items that were learnt on a day, and the last day of each source that brought nothing for days."""

    items: Sequence[NewsItem] = ()
    silent: Mapping[str, date] | None = None


def read_day_news(archive: NewsArchive, day: date) -> DayNews:
    """Read what was known of news at the end of a day."""
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    end = start + timedelta(days=1)
    last_moment = end - timedelta(microseconds=1)
    known = archive.items(day - timedelta(days=_FORGOTTEN_DAYS), day, as_of=last_moment)
    fresh = [
        each for each in known if each.known_at >= start and each.published_at >= start - timedelta(days=_NEW_DAYS - 1)
    ]
    learnt: dict[str, datetime] = {}
    for each in known:
        learnt[each.source] = max(learnt.get(each.source, each.known_at), each.known_at)
    silent = {name: last.date() for name, last in sorted(learnt.items()) if last < end - timedelta(days=SILENT_DAYS)}
    return DayNews(fresh, silent)


def choose_news(items: Sequence[NewsItem], ranks: Mapping[str, int]) -> list[NewsItem]:
    """Return up to `SHOWN` items: those that name the largest asset first, then the newest; each headline once.

    `ranks`: of assets by id, 1 is the largest.
    """
    unranked = len(ranks) + 1

    def place(item: NewsItem) -> int:
        return min((ranks.get(each, unranked) for each in item.assets), default=unranked)

    newest_first = sorted(items, key=lambda each: (each.published_at, each.id), reverse=True)
    chosen: dict[str, NewsItem] = {}
    for item in sorted(newest_first, key=place):
        chosen.setdefault(item.title.casefold(), item)
    return list(chosen.values())[:SHOWN]
