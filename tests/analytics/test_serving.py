"""The worker's job: it computes when prices or news come in, and only then; headlines count when they were learnt."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import orjson
import pytest
from numpy.typing import NDArray

from tests.support.fake_clock import FakeClock
from tests.support.market_archive import MARKET, simulated_inputs, write_archive
from tests.support.price_rows import LEARNT, bar, bars
from usufruct.analytics.mapped_files import NoMarketData
from usufruct.analytics.serving import RatingsJob, check_stablecoins, headlines_of, read_news
from usufruct.analytics.snapshot import DAY, Selection, SeriesTable, Snapshot
from usufruct.analytics.snapshot_files import read_snapshot
from usufruct.config import MarketsConfig
from usufruct.connectors.news import NewsArchive, NewsItem
from usufruct.connectors.prices import Asset, AssetFacts, Interval, PriceArchive, SourceFacts
from usufruct.core import Conflict
from usufruct.core.diagnostics import Verdict
from usufruct.indices.publication import IndexJob

LAST = datetime(2026, 1, 31, tzinfo=UTC)


def item(name: str, source: str, title: str, known_at: datetime) -> NewsItem:
    return NewsItem(name, source, title, "", "", known_at - timedelta(hours=5), known_at)


async def test_a_snapshot_is_computed_when_something_came_in(tmp_path: Path):
    job = RatingsJob(tmp_path / "prices", tmp_path / "ratings", FakeClock(int(LAST.timestamp())))
    with pytest.raises(NoMarketData, match="usufruct prices import"):
        await job.step()
    write_archive(tmp_path / "prices", simulated_inputs(LAST, replace(MARKET, days=120), 48))
    await job.step()
    first = (tmp_path / "ratings" / "current").stat().st_mtime_ns
    await job.step()
    assert (tmp_path / "ratings" / "current").stat().st_mtime_ns == first
    news = NewsArchive(tmp_path / "news")
    news.folder.mkdir()
    news.add(
        [
            item("1", "Example News", "A wonderful win for holders", LAST + timedelta(hours=33, minutes=5)),
            item("2", "reddit.example", "A terrible fraud", LAST + timedelta(hours=33, minutes=50)),
        ]
    )
    await job.step()
    page = read_snapshot(tmp_path / "ratings").rows["sentiments"].page(Selection(limit=1))
    row = orjson.loads(page.rows[0])
    assert row["DATETIME"] == "2026-02-01T09:00:00.000Z"
    assert (row["NEWS_SENTIMENT_LABEL"], row["REDDIT_SENTIMENT_LABEL"]) == ("Positive", "Negative")
    assert row["TWITTER_SENTIMENT_GRADE"] is None
    assert [each.kind for each in headlines_of(read_news(news, LAST.date()))] == ["reddit", "news"]


async def test_what_is_still_coming_in_is_not_rated(tmp_path: Path):
    inputs = simulated_inputs(LAST, replace(MARKET, days=120), 48)
    assert inputs.hourly is not None
    first = tmp_path / "whole"
    write_archive(first / "prices", inputs)
    await RatingsJob(first / "prices", first / "ratings", FakeClock(int(LAST.timestamp()))).step()
    close, hours = inputs.daily.close.copy(), inputs.hourly.close.copy()
    close[-1, 3:] = hours[-1, 3:] = np.nan  # a fetch of many assets has read three of them
    coming = replace(inputs, daily=replace(inputs.daily, close=close), hourly=replace(inputs.hourly, close=hours))
    write_archive(tmp_path / "prices", coming)
    await RatingsJob(tmp_path / "prices", tmp_path / "ratings", FakeClock(int(LAST.timestamp()))).step()
    whole, rated = read_snapshot(first / "ratings"), read_snapshot(tmp_path / "ratings")
    assert whole.last_day - rated.last_day == 86_400
    assert whole.last_hour - rated.last_hour == 3_600


async def test_prices_in_another_currency_are_not_rated(tmp_path: Path):
    archive = PriceArchive(tmp_path / "prices")
    with archive.writing() as writer:
        writer.source(SourceFacts("vendor"), "EUR")
        writer.describe([AssetFacts("one")], LEARNT)
        writer.append(Interval.DAY, bars(bar("one", 1, 1.5, source="vendor")))
    clock = FakeClock(int(LAST.timestamp()))
    for step in (
        RatingsJob(archive.folder, tmp_path / "ratings", clock).step,
        IndexJob(MarketsConfig(), archive.folder, tmp_path / "indices", no_ratings, clock).step,
    ):
        with pytest.raises(Conflict, match="are in EUR, and ratings, indices, pages and `/v2` are in US dollars"):
            await step()
    assert not (tmp_path / "ratings").exists()
    assert not (tmp_path / "indices").exists()


def no_ratings() -> Snapshot:
    raise NoMarketData("nothing was rated")


def test_real_prices_with_an_undescribed_stablecoin_are_a_finding(snapshot: Snapshot):
    bare = tuple(replace(each, categories=frozenset()) for each in snapshot.assets)
    steady = next(at for at, each in enumerate(snapshot.assets) if each.id == "syn-stablecoin-002")
    close = np.array(snapshot.series["daily-ohlcv"].fields["close"])
    close[:, steady] = 1.001

    def real(assets: tuple[Asset, ...], values: NDArray[np.float64]) -> Snapshot:
        series = {**snapshot.series, "daily-ohlcv": SeriesTable(snapshot.first_day, DAY, "close", {"close": values})}
        return replace(snapshot, synthetic=False, assets=assets, series=series)

    found = check_stablecoins(real(bare, close))
    assert found is not None
    assert found.verdict is Verdict.PROBLEM
    assert "syn-stablecoin-002" in found.says
    assert "usufruct prices assets --describe" in found.remedy
    assert check_stablecoins(real(snapshot.assets, close)) is None, "described"
    assert check_stablecoins(real(bare, close * 2)) is None, "none looks like one"
    assert check_stablecoins(snapshot) is None, "simulated prices describe themselves"
