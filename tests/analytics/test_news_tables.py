"""News of assets: hostile titles stay text, a late item changes no earlier week, an asset without news says so."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from tests.analytics.conftest import NOW
from tests.support.market_page_world import PagesWorld, market_page_world
from usufruct.analytics.news_tables import (
    ASSET_NEWS,
    ASSET_SENTIMENT,
    HEADLINES,
    SHOWN_HEADLINES,
    SHOWN_OF_ASSET,
    news_tables,
)
from usufruct.analytics.snapshot import NO_ASSET, RowTable, Snapshot
from usufruct.analytics.snapshot_files import write_snapshot
from usufruct.connectors.news import NewsItem

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script> \"great\" 'win' <b onclick=x> for holders"


@pytest.fixture
async def world(sqlite_url: str, snapshot: Snapshot, tmp_path: Path) -> AsyncIterator[PagesWorld]:
    async with market_page_world(sqlite_url, snapshot, tmp_path, NOW) as found:
        yield found


def item(name: str, title: str, days: float, *assets: str, link: str = "", late: float = 0.0) -> NewsItem:
    at = MONDAY + timedelta(days=days)
    return NewsItem(name, "wire<i>", title, link, "", at, at + timedelta(days=late), assets)


def rows_of(table: RowTable, column: int) -> list[dict]:
    pairs = zip(table.columns.tolist(), table.rows, strict=True)
    return [orjson.loads(row) for at, row in pairs if at == column]


def told(snapshot: Snapshot, *items: NewsItem) -> Snapshot:
    return replace(snapshot, id="told", rows={**snapshot.rows, **news_tables(items, snapshot.assets)})


def test_the_sentiment_of_an_asset_counts_all_its_items_week_by_week(snapshot: Snapshot):
    one, other = snapshot.assets[0].id, snapshot.assets[1].id
    items = [
        item("1", "A wonderful win for holders", 0, one),
        item("2", "A terrible fraud", 6.9, one, other),
        item("3", "What to know this week", 15, one, "not-an-asset-here"),
        item("4", "A terrible fraud elsewhere", 15, "not-an-asset-here"),
    ]
    tables = news_tables(items, snapshot.assets)
    [found] = rows_of(tables[ASSET_SENTIMENT], 0)
    shown = {row["TITLE"]: row["SENTIMENT"] for row in rows_of(tables[ASSET_NEWS], 0)}
    assert shown["A wonderful win for holders"] > 60 > 40 > shown["A terrible fraud"]
    assert found["ITEMS"] == 3
    assert found["GRADE"] == pytest.approx(sum(shown.values()) / 3, abs=0.01)
    assert [(day, count) for day, _, count in found["WEEKS"]] == [
        ("2026-01-05", 2),
        ("2026-01-12", 0),
        ("2026-01-19", 1),
    ]
    assert found["WEEKS"][1][1] is None, "a week without an item has no sentiment"
    assert rows_of(tables[ASSET_SENTIMENT], 1)[0]["ITEMS"] == 1
    assert rows_of(tables[ASSET_SENTIMENT], 2) == []
    assert [row["ASSETS"] for row in rows_of(tables[HEADLINES], NO_ASSET)] == [[], [one], [one, other], [one]]


def test_a_late_item_changes_no_earlier_week(snapshot: Snapshot):
    one = snapshot.assets[0].id
    early = [item("1", "A wonderful win for holders", 0, one)]
    late = item("2", "A terrible fraud", 0.5, one, late=8)
    before, after = (
        rows_of(news_tables(items, snapshot.assets)[ASSET_SENTIMENT], 0)[0]["WEEKS"]
        for items in (early, [*early, late])
    )
    assert after[: len(before)] == before
    assert after[-1][0] == "2026-01-12"


def test_lists_are_short_and_have_each_headline_once(snapshot: Snapshot):
    one = snapshot.assets[0].id
    items = [item(str(at), f"Headline {at // 2}", at / 10, one) for at in range(40)]
    tables = news_tables(items, snapshot.assets)
    titles = [row["TITLE"] for row in rows_of(tables[ASSET_NEWS], 0)]
    assert titles == [f"Headline {at}" for at in range(19, 19 - SHOWN_OF_ASSET, -1)]
    assert len(rows_of(tables[HEADLINES], NO_ASSET)) == SHOWN_HEADLINES
    assert rows_of(tables[ASSET_SENTIMENT], 0)[0]["ITEMS"] == 40


async def test_a_page_shows_what_others_wrote_as_text_with_its_source(world: PagesWorld, snapshot: Snapshot):
    one, other = snapshot.assets[0], snapshot.assets[1]
    path = f"/markets/{one.id}"
    for language, words in (("en", "No headline known"), ("de", "Keine Meldung bekannt")):
        assert words in await world.page(path, language)
    assert "No headline of the last 90 days is known" in await world.page("/markets")
    assert (await world.json(f"/markets/assets/{one.id}"))["sentiment"] == {
        "days": 90, "grade": None, "items": 0, "weeks": []
    }  # fmt: skip
    items = (
        item("1", HOSTILE, 0, one.id, link="https://news.example.org/1?a=1&b=2"),
        item("2", "A terrible fraud", 8, one.id, other.id, link="javascript:alert(document.domain)"),
    )
    write_snapshot(world.folder, told(snapshot, *items))
    world.clock.advance(10)
    facts = await world.json(f"/markets/assets/{one.id}")
    assert [(each["title"], each["link"]) for each in facts["news"]] == [
        ("A terrible fraud", ""),
        (HOSTILE, items[0].link),
    ]
    assert facts["news"][0]["assets"] == [{"id": each.id, "symbol": each.symbol} for each in (one, other)]
    assert facts["news"][0]["at"] == "2026-01-13T00:00:00.000Z"
    assert facts["sentiment"]["items"] == 2
    assert [each["items"] for each in facts["sentiment"]["weeks"]] == [1, 1]
    assert (await world.json("/markets"))["headlines"] == facts["news"]
    for shown in (path, "/markets"):
        text = (await world.client.get(shown, headers={"accept": "text/html"})).text
        assert "<script>alert" not in text
        assert "<b onclick" not in text
        assert "wire<i>" not in text
        assert "javascript:" not in text
        assert '<a href="https://news.example.org/1?a=1&amp;b=2" rel="nofollow noopener noreferrer">' in text
        assert f'href="/markets/{other.id}"' in text
    english, german = await world.page(path), await world.page(path, "de")
    assert "The mean of 2 headlines of the last 90 days." in english
    assert "Others wrote these headlines." in english
    assert "Andere haben diese Meldungen geschrieben." in german
    assert "wire&lt;i&gt;, 13 Jan 2026" in english


async def test_a_snapshot_of_an_earlier_version_has_no_news(world: PagesWorld, snapshot: Snapshot):
    old = {name: table for name, table in snapshot.rows.items() if name not in (HEADLINES, ASSET_NEWS, ASSET_SENTIMENT)}
    write_snapshot(world.folder, replace(snapshot, id="old", rows=old))
    world.clock.advance(10)
    assert "No headline known" in await world.page(f"/markets/{snapshot.assets[0].id}")
    assert (await world.json("/markets"))["headlines"] == []
