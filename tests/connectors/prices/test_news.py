"""News in the archive: each text once, corrections beside it, and simulated ones that follow the prices."""

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.support.price_rows import LEARNT, START
from usufruct.connectors.prices import (
    COLLAPSED_CHAIN,
    LARGEST,
    NEWS_SCHEMA,
    PriceArchive,
    SourceFacts,
    SyntheticMarket,
    synthesize,
    synthesize_news,
)
from usufruct.core import Conflict

WIRE = SourceFacts("wire")


def item(number: int, title: str, *assets: str, day: int = 0, known_at: datetime = LEARNT) -> dict[str, Any]:
    return {
        "source": "wire",
        "id": str(number),
        "time": START + timedelta(days=day),
        "kind": "news",
        "title": title,
        "assets": list(assets),
        "known_at": known_at,
    }


def write(archive: PriceArchive, *items: dict[str, Any]) -> int:
    with archive.writing() as writer:
        return writer.news(WIRE, pl.DataFrame(list(items), schema=NEWS_SCHEMA))


@pytest.fixture
def archive(tmp_path: Path) -> PriceArchive:
    return PriceArchive(tmp_path / "prices")


def test_a_text_is_kept_once_and_read_by_day_and_asset(archive: PriceArchive):
    first, second, third = item(1, "a", "btc"), item(2, "b", "eth", "btc", day=31), item(3, "c", day=60)
    assert write(archive, first, second, third, first) == 3
    assert write(archive, second) == 0
    read = archive.news(date(2024, 1, 1), date(2024, 2, 28))
    assert read["title"].to_list() == ["a", "b"]
    assert archive.news(date(2024, 1, 1), date(2024, 12, 31), asset="eth")["id"].to_list() == ["2"]
    assert archive.news(date(2024, 1, 2), date(2024, 1, 31)).is_empty()


def test_a_corrected_text_is_seen_from_when_it_was_learnt(archive: PriceArchive):
    write(archive, item(1, "wrong"))
    later = LEARNT + timedelta(days=2)
    assert write(archive, item(1, "right", known_at=later)) == 1
    day = date(2024, 1, 1)
    assert archive.news(day, day)["title"].to_list() == ["right"]
    assert archive.news(day, day, as_of=LEARNT.date())["title"].to_list() == ["wrong"]
    assert archive.news(day, day, as_of=date(2024, 1, 2)).is_empty()


def test_a_source_of_news_is_not_one_of_prices(archive: PriceArchive):
    write(archive, item(1, "a"))
    assert archive.sources() == ()
    assert archive.news_sources() == (WIRE,)
    with pytest.raises(Conflict, match="simulated prices"), archive.writing() as writer:
        writer.news(SourceFacts("demo", synthetic=True), pl.DataFrame(schema=NEWS_SCHEMA))


def test_simulated_news_follow_the_prices_of_the_day_that_has_passed():
    market = SyntheticMarket(assets=60, days=460)
    news, panel = synthesize_news(market), synthesize(market)
    assert news["id"].n_unique() == len(news)
    assert set(news["kind"].to_list()) == {"news", "reddit", "twitter"}
    assert (news["known_at"] == news["time"]).all()
    moves = panel.close[1:, panel.column[LARGEST]] / panel.close[:-1, panel.column[LARGEST]] - 1
    about = news.filter(pl.col("assets").list.first() == LARGEST)
    assert len(about) == 459
    for row in about.iter_rows(named=True):
        move = moves[(row["time"] - timedelta(hours=25)).date().toordinal() - market.first_day.toordinal() - 1]
        good = any(word in row["title"] for word in ("surges", "gains", "rallies"))
        bad = any(word in row["title"] for word in ("plunges", "losses", "drops"))
        assert (good, bad) == (move >= 0.03, move <= -0.03)
    fall = news.filter(pl.col("title").str.contains("collapses") & pl.col("assets").list.contains(COLLAPSED_CHAIN))
    assert fall["time"].to_list()[0].date() == market.day(301)
