"""News as tables of a snapshot: the newest headlines, those of each asset, and each asset's sentiment by weeks."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
import orjson

from usufruct.analytics.rows import grade_number
from usufruct.analytics.sentiment import compound_scores
from usufruct.analytics.snapshot import NO_ASSET, RowTable, utc_text
from usufruct.connectors.news import NewsItem, safe_link
from usufruct.connectors.prices import Asset

HEADLINES: Final = "headlines"
ASSET_NEWS: Final = "asset-news"
ASSET_SENTIMENT: Final = "asset-sentiment"
NEWS_DAYS: Final = 90
"""Days before the last one with prices whose news are read."""
SHOWN_HEADLINES: Final = 6
SHOWN_OF_ASSET: Final = 8
"""Headlines of an asset that are listed; its sentiment counts all."""

_Row = dict[str, Any]


def news_tables(items: Sequence[NewsItem], assets: Sequence[Asset]) -> dict[str, RowTable]:
    """Return the tables of news about assets; an item counts for every asset that it names.

    Headlines are listed by the time at which they were published, each text once. Sentiment counts an item in the
    week in which it was learnt, so that a late item changes no earlier week.
    """
    columns = {each.id: column for column, each in enumerate(assets)}
    newest = sorted(items, key=lambda each: (each.published_at, each.id), reverse=True)
    named = [each for each in newest if any(name in columns for name in each.assets)]
    latest = _distinct(newest, SHOWN_HEADLINES)
    scored = list({each.id: each for each in (*named, *latest)}.values())
    scores = compound_scores(each.title for each in scored)
    grades = {each.id: 50.0 + 50.0 * score for each, score in zip(scored, scores, strict=True)}
    of_asset: dict[int, list[NewsItem]] = defaultdict(list)
    for item in named:
        for column in sorted(columns[name] for name in item.assets if name in columns):
            of_asset[column].append(item)

    def row(item: NewsItem, column: int) -> tuple[int, int, _Row]:
        known = [name for name in item.assets if name in columns]
        return int(item.published_at.timestamp()), column, _headline(item, known, grades[item.id])

    return {
        HEADLINES: _table(row(each, NO_ASSET) for each in latest),
        ASSET_NEWS: _table(
            row(each, column) for column in sorted(of_asset) for each in _distinct(of_asset[column], SHOWN_OF_ASSET)
        ),
        ASSET_SENTIMENT: _table((0, column, _sentiment(of_asset[column], grades)) for column in sorted(of_asset)),
    }


def _distinct(items: Iterable[NewsItem], most: int) -> list[NewsItem]:
    """Return the first items, each headline once: agencies' texts come by many feeds."""
    chosen: dict[str, NewsItem] = {}
    for item in items:
        if len(chosen) == most:
            break
        chosen.setdefault(item.title.casefold(), item)
    return list(chosen.values())


def _headline(item: NewsItem, assets: Sequence[str], grade: float) -> _Row:
    return {
        "AT": utc_text(int(item.published_at.timestamp())),
        "SOURCE": item.source,
        "TITLE": item.title,
        "LINK": safe_link(item.link),
        "SENTIMENT": grade_number(grade),
        "ASSETS": list(assets),
    }


def _sentiment(items: Sequence[NewsItem], grades: Mapping[str, float]) -> _Row:
    """Return the mean grade of all items, and of those of each week from Monday; weeks without an item are null."""
    weeks: dict[datetime, list[float]] = defaultdict(list)
    for item in items:
        weeks[_monday(item.known_at)].append(grades[item.id])
    first, last = min(weeks), max(weeks)
    days = [first + timedelta(weeks=number) for number in range((last - first).days // 7 + 1)]
    everything = [grades[each.id] for each in items]
    return {
        "GRADE": grade_number(float(np.mean(everything))),
        "ITEMS": len(everything),
        "WEEKS": [[f"{day:%Y-%m-%d}", _mean(weeks.get(day, ())), len(weeks.get(day, ()))] for day in days],
    }


def _mean(grades: Sequence[float]) -> float | None:
    return grade_number(float(np.mean(grades))) if grades else None


def _monday(moment: datetime) -> datetime:
    """Return the start of the week of a moment, UTC."""
    day = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day - timedelta(days=day.weekday())


def _table(found: Iterable[tuple[int, int, _Row]]) -> RowTable:
    rows = list(found)
    return RowTable(
        np.array([at for at, _, _ in rows], dtype=np.int64),
        np.array([column for _, column, _ in rows], dtype=np.int64),
        [orjson.dumps(row) for _, _, row in rows],
    )
