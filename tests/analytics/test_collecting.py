"""The worker's fetches: when a source is due, a missed day, a source that is away, and the list that names them."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.answering_server import Answered, AnsweringServer
from tests.support.command_line import Commands
from tests.support.exchange_server import ExchangeServer, Fault, market_of
from tests.support.fake_clock import FakeClock
from usufruct.analytics.collecting import InvalidSources, build_source_jobs, check_sources, read_sources
from usufruct.config import Config, DataConfig, MarketsConfig
from usufruct.connectors.exchanges import UnlistedSymbol, VenueRefused
from usufruct.connectors.news import NewsArchive, NewsUnavailable
from usufruct.connectors.prices import LARGEST, Interval, PriceArchive, SyntheticMarket, synthesize
from usufruct.core import Clock
from usufruct.core.diagnostics import Verdict
from usufruct.core.jobs import Job, JobBoard, run_jobs

PANEL = synthesize(SyntheticMarket(assets=24, days=40))
OTHER = next(each.id for each in PANEL.assets if each.id != LARGEST)
DAY = 86_400
FEED = b"""<rss version="2.0"><channel><title>Wire</title><item><guid>1</guid><title>Layer One gains</title>
<link>https://example.org/1</link><pubDate>Sun, 20 Jan 2019 10:00:00 GMT</pubDate></item></channel></rss>"""
REFUSED = Fault(403, '{"code":-2015,"msg":"Invalid API-key, IP, or permissions for action."}')
SOURCES = """
[prices.binance]
table = "symbols.csv"
first = 2019-01-01
at_par = ["USDT"]
url = "{url}"
synthetic = true
"""


def at(day: int, hour: int = 0, minute: int = 0) -> int:
    """Return a moment of January 2019."""
    return int(datetime(2019, 1, day, hour, minute, tzinfo=UTC).timestamp())


@dataclass
class Town:
    """An exchange, a list of sources that names it, and a worker's jobs."""

    server: ExchangeServer
    folder: Path
    clock: Clock
    made: list[Job] = field(default_factory=list)

    @property
    def config(self) -> Config:
        markets = MarketsConfig(sources=str(self.folder / "sources.toml"))
        return Config(data=DataConfig(folder=self.folder / "data"), markets=markets)

    @property
    def prices(self) -> Path:
        return self.folder / "data" / "prices"

    def write(self, sources: str, symbols: str = f"binance,AAA/USDT,{LARGEST}\n") -> None:
        (self.folder / "sources.toml").write_text(sources.format(url=self.server.url))
        (self.folder / "symbols.csv").write_text("venue,symbol,asset\n" + symbols)

    def jobs(self) -> dict[str, Job]:
        jobs = build_source_jobs(self.config, self.prices, self.clock)
        self.made += jobs
        return {each.name: each for each in jobs}

    def bars(self, interval: Interval = Interval.DAY) -> int:
        archive = PriceArchive(self.prices)
        return sum(span.rows for span in archive.spans() if span.interval is interval)

    def findings(self) -> list[tuple[bool, str]]:
        return [(each.verdict is Verdict.OK, each.says) for each in check_sources(self.config, self.prices, self.clock)]


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    with ExchangeServer(market_of(PANEL, LARGEST, "AAA"), market_of(PANEL, OTHER, "BBB")) as server:
        made = Town(server, tmp_path, FakeClock(at(20, 0, 10)))
        made.write(SOURCES)
        yield made
        for job in made.made:
            if job.close is not None:
                await job.close()


async def test_a_source_is_asked_once_for_each_day_and_for_days_that_were_missed(town: Town):
    [job] = town.jobs().values()
    assert job.name == "prices-binance-1d"
    await job.step()
    assert town.bars() == 19
    asked = len(town.server.requests)
    for _ in range(3):
        await job.step()
    assert len(town.server.requests) == asked, "a source that gave all there is is left alone"
    town.clock.advance(DAY)  # 0:10 of the next day
    await job.step()
    assert len(town.server.requests) == asked, "it is given a while after the end of a day"
    town.clock.advance(600)
    await job.step()
    assert town.bars() == 20
    await job.close()
    town.clock.advance(5 * DAY)
    [later] = town.jobs().values()
    await later.step()
    assert town.bars() == 25
    assert [ok for ok, _ in town.findings()] == [True]


async def test_a_source_without_the_last_bar_is_asked_again_and_is_told_of(town: Town):
    [job] = town.jobs().values()
    await job.step()
    town.server.remove_bars("AAAUSDT", "1d", at(20) * 1_000, 1)
    town.clock.advance(DAY + 600)
    await job.step()
    asked = len(town.server.requests)
    await job.step()
    assert len(town.server.requests) == asked
    town.clock.advance(3_600)
    await job.step()
    assert len(town.server.requests) > asked
    town.clock.advance(DAY)
    assert town.findings() == [(False, "binance 1d gave its last bars at 2019-01-20 00:10 UTC")]


async def test_a_source_that_is_away_stops_no_other_and_goes_on_where_it_was(town: Town):
    town.write(SOURCES.replace("[prices.binance]", '[prices.binance]\nbars = ["1d", "1h"]'))
    days, hours = town.jobs().values()
    await days.step()
    town.clock.advance(DAY + 600)
    town.server.fail("klines", REFUSED)
    with pytest.raises(VenueRefused):
        await days.step()
    await hours.step()
    assert town.bars(Interval.HOUR) == 20 * 24
    assert town.bars() == 19
    await days.step()
    assert town.bars() == 20


async def test_a_symbol_that_ended_is_told_of_and_the_others_are_read(town: Town):
    town.write(SOURCES, f"binance,AAA/USDT,{LARGEST}\nbinance,GONE/USDT,gone\n")
    [job] = town.jobs().values()
    for _ in range(2):
        with pytest.raises(UnlistedSymbol, match="GONE"):
            await job.step()
    assert town.bars() == 19
    asked = len(town.server.requests)
    with pytest.raises(UnlistedSymbol):
        await job.step()
    assert len(town.server.requests) == asked


async def test_one_worker_at_a_time_asks(town: Town):
    [first], [second] = town.jobs().values(), town.jobs().values()
    await first.step()
    asked = len(town.server.requests)
    town.clock.advance(DAY + 600)
    await second.step()
    assert len(town.server.requests) == asked
    assert first.close is not None
    await first.close()
    await second.step()
    assert town.bars() == 20


async def test_a_running_worker_fetches_by_itself_and_ends_at_once(town: Town):
    town.clock = Clock()
    jobs, board = list(town.jobs().values()), JobBoard()
    running = asyncio.create_task(run_jobs(jobs, board))
    async with asyncio.timeout(120):
        while town.bars() < 40:
            await asyncio.sleep(0.05)
    running.cancel()
    async with asyncio.timeout(60):
        with suppress(asyncio.CancelledError):
            await running


async def test_feeds_are_fetched_beside_prices(town: Town):
    down = False

    def answer(asked):
        return Answered(b"", 404) if down else Answered(FEED)

    with AnsweringServer(answer) as feed:
        (town.folder / "names.csv").write_text(f"asset,name,exact\n{LARGEST},Layer One,no\n")
        town.write(f'[news.wire]\nurl = "{feed.url}"\nnames = "names.csv"\n')
        [job] = town.jobs().values()
        assert job.name == "news-wire"
        await job.step()
        down = True
        with pytest.raises(NewsUnavailable, match="HTTP 404"):
            await job.step()
    day = datetime(2019, 1, 20, tzinfo=UTC).date()
    [item] = NewsArchive(town.folder / "data" / "news").items(day, day)
    assert (item.title, item.assets) == ("Layer One gains", (LARGEST,))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[prices.kraken]\n", "prices.kraken.table is missing"),
        ('[prices.kraken]\ntable = "a.csv"\nbar = ["1d"]\n', "'prices.kraken.bar' is not known"),
        ('[prices.kraken]\ntable = "a.csv"\nbars = ["1m"]\n', "prices.kraken.bars.0"),
        ('[prices.median]\nvenues = ["kraken", "kraken"]\n', "two or more exchanges of this list"),
        ('[prices.median]\nvenues = ["kraken", "okx"]\n', "'kraken' is none"),
        ('[news.wire]\nurl = "ftp://example.org"\n', "news.wire.url"),
        ("[news.wire]\n", "news.wire.url is missing"),
        ('folder = "/"\n', "`prices` and `news` alone"),
        ("[prices\n", "not valid TOML"),
    ],
)
async def test_a_wrong_list_is_named_and_stops_no_other_job(town: Town, text: str, said: str):
    (town.folder / "sources.toml").write_text(text)
    with pytest.raises(InvalidSources) as refused:
        read_sources(town.folder / "sources.toml")
    assert said in refused.value.message
    [job] = town.jobs().values()
    with pytest.raises(InvalidSources):
        await job.step()
    [(ok, shown)] = town.findings()
    assert not ok
    assert said in shown


def test_a_list_that_is_missing_is_named(tmp_path: Path):
    with pytest.raises(InvalidSources, match=r"correct `markets\.sources`"):
        read_sources(tmp_path / "sources.toml")


def test_the_command_does_what_the_worker_does(town: Town):
    commands = Commands(
        {
            "USUFRUCT_DATA_FOLDER": str(town.folder / "data"),
            "USUFRUCT_MARKETS_SOURCES": str(town.folder / "sources.toml"),
            "USUFRUCT_CONFIG": str(town.folder / "config.toml"),
        }
    )
    (town.folder / "config.toml").write_text("")
    assert commands.json("prices", "update") == [
        {"source": "binance", "bars": "1d", "new": 40, "corrected": 0, "refused": 0, "error": ""}
    ]
    town.server.fail("klines", REFUSED)
    failed = commands.run("prices", "update", "--all", "--json")
    assert failed.exit_code == 1
    [row] = json.loads(failed.stdout)
    assert "binance refuses" in row["error"]
