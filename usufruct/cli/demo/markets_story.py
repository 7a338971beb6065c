"""The markets chapter: a simulated market, its ratings, an index over it, and the API that serves them."""

import asyncio
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import orjson

from usufruct.app import Installation
from usufruct.cli.demo.outcome import PHONE, demand
from usufruct.cli.demo.served_offers import ServedOffers
from usufruct.cli.support.instance_lock import Publish
from usufruct.cli.support.page_links import show_page_links
from usufruct.cli.support.progress import Progress
from usufruct.connectors.news import NewsArchive, synthetic_items
from usufruct.connectors.prices import Panel, PriceArchive, SyntheticMarket, SyntheticSource, ingest
from usufruct.core import Clock
from usufruct.core.files import replace_file
from usufruct.core.jobs import run_jobs
from usufruct.indices import (
    Report,
    load_rulebook,
    make_report,
    percent,
    record_hash,
    report_bytes,
    report_page,
    run_index,
    shipped,
)
from usufruct_client import AsyncMarkets
from usufruct_client.index_data_documents import ListedIndex
from usufruct_client.market_data_documents import AssetRow

INDEX = "global-100"
DAYS = 1_500
"""Of the simulated market: the index's regime needs some years of prices."""
_NEWS_DAYS = 120
"""So many of the last days have headlines."""
_BEST = 5
_ASKED_DAYS = 7


@dataclass
class MarketsOutcome:
    """What one run of the chapter did. `replayed`: the index computed again gave the same record, to the byte."""

    assets: int = 0
    bars: int = 0
    synthetic: bool = True
    best_rated: list[dict[str, Any]] = field(default_factory=list)
    index: dict[str, Any] = field(default_factory=dict)
    replayed: bool = False
    indices: list[dict[str, Any]] = field(default_factory=list)
    api: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0

    def as_json(self) -> dict[str, object]:
        """Return it as a JSON object."""
        return {**vars(self), "seconds": round(self.seconds, 1)}


class MarketsStory:
    """One run of the chapter; `kept`: the folder of the installation stays."""

    def __init__(self, progress: Progress, installation: Installation, publish: Publish, *, kept: bool) -> None:
        self._kept = kept
        self._progress = progress
        self._say = progress.say
        self._installation = installation
        self._served = ServedOffers(installation, publish)
        self._archive = PriceArchive(installation.config.data.folder / "prices")
        self._key = ""
        self.outcome = MarketsOutcome()

    # 2

    async def simulate(self) -> None:
        """Import a simulated market that ended yesterday into the archive of prices."""
        self._progress.step("A market, simulated")
        today = datetime.fromtimestamp(Clock().now(), UTC).date()
        market = SyntheticMarket(first_day=today - timedelta(days=DAYS), days=DAYS)
        with self._progress.working(f"{market.assets} assets over {DAYS:,} days: births, collapses, de-pegs, regimes"):
            report = await asyncio.to_thread(ingest, self._archive, SyntheticSource(market))
            headlines = await asyncio.to_thread(synthetic_items, market, today - timedelta(days=_NEWS_DAYS))
            await asyncio.to_thread(NewsArchive(self._archive.folder.with_name("news")).add, headlines)
        self.outcome.assets, self.outcome.bars = market.assets, report.added.new
        bars = f"{report.added.new:,} daily bars, as Parquet with the moment each was learnt"
        self._say(f"{bars}, and {len(headlines)} headlines.")
        self._say("Your own: usufruct prices import FILE, or usufruct prices fetch EXCHANGE")

    # 3

    async def rate(self) -> None:
        """Let the worker's jobs rate every asset on every day, and compute the shipped indices."""
        self._progress.step("Ratings by a published formula")
        jobs = {job.name: job for job in self._installation.jobs()}
        with self._progress.working("grades, signals, correlations, levels and reports of all assets"):
            await jobs["ratings"].step()
        with self._progress.working(f"{len(shipped())} shipped indices"):
            await jobs["indices"].step()
        self._say("No later price changes an earlier grade, by a byte: docs/protocol/ratings.md")

    # 4

    async def backtest(self) -> None:
        """Backtest an index that holds the largest 100 assets in good times and stablecoins in bad ones, twice."""
        self._progress.step("An index over it")
        panel = await asyncio.to_thread(self._archive.panel)
        began = Clock().monotonic()
        with self._progress.working(f"{INDEX}: weekly, after costs, with both bounds of what delistings cost"):
            report = await asyncio.to_thread(make_report, load_rulebook(INDEX), panel)
        again = await asyncio.to_thread(run_index, load_rulebook(INDEX), panel)
        document = report.as_document()
        self.outcome.replayed = record_hash(again) == document["record_hash"]
        demand(self.outcome.replayed, "the index computed again gave another record")
        folder = self._installation.config.data.folder
        replace_file(folder / "index.html", report_page(report).encode())
        replace_file(folder / "index.json", report_bytes(report))
        document["milliseconds"] = round((Clock().monotonic() - began) * 1_000)
        self.outcome.index = document
        self._show_index(report, panel, folder)

    def _show_index(self, report: Report, panel: Panel, folder: Path) -> None:
        document = self.outcome.index
        net, held = document["net"], document["market_held"]
        rows = [
            ("total return", percent(net["total_return"]), percent(held["total_return"])),
            ("largest fall", percent(net["max_drawdown"]), percent(held["max_drawdown"])),
        ]
        self._progress.table("After costs", ("", INDEX, "the market, held"), rows)
        changes, count = report.switches, len(report.log)
        self._say(f"{count} rebalances, each with its reasons; {changes} changes between bull and bear.")
        self._say(f"Computed again it is the same, to the byte: {document['record_hash'][:16]}...")
        kept = f"The report: {folder / 'index.html'}"
        self._say(kept if self._kept else "Keep its report, with charts: usufruct demo markets --folder DIR")
        self._say("The prices are simulated. This is no advice.")

    # 5

    async def serve(self) -> None:
        """Serve ratings at `/v2`, make a free key, and call it as clients do."""
        self._progress.step("The same over HTTP, for clients that exist already")
        with self._progress.working("starting the gateway"):
            await self._served.serve()
        async with AsyncMarkets(self._served.url) as markets:
            self._key = (await markets.create_key("demo")).key
        async with AsyncMarkets(self._served.url, self._key) as markets:
            best = sorted(await markets.tm_grade(), key=lambda each: -(each.tm_grade or 0.0))[:_BEST]
            names = ("TOKEN_SYMBOL", "TM_GRADE", "TM_GRADE_SIGNAL")
            self.outcome.best_rated = [{name: row[name] for name in names} for row in map(AssetRow.as_json, best)]
            shown = [(each.token_symbol, f"{each.tm_grade:.1f}", each.tm_grade_signal) for each in best]
            self._progress.table("Best rated", ("asset", "grade", "signal"), shown)
            await self._show_indices(markets)
            symbol = best[0].token_symbol
            client, found = await self._call(markets, symbol)
        demand(all(found.values()), f"{client} got no data: { {name: bool(each) for name, each in found.items()} }")
        counts = {name: len(each) for name, each in found.items() if name != "answer"}
        self.outcome.api = {"url": self._api, "client": client, "rows": counts, "answer": found["answer"]}
        self._say(f"{client}, with its base URL set, asked about {symbol}:")
        self._say(str(found["answer"]).partition("\n")[0])

    async def _show_indices(self, markets: AsyncMarkets) -> None:
        """Read the indices that the worker computed."""
        listed = await markets.indices()
        demand(bool(listed), "/v2/indices is empty")
        names = ("SLUG", "PRICE", "1M", "ALL_TIME", "COINS", "REGIME")
        self.outcome.indices = [{name: row[name] for name in names} for row in map(ListedIndex.as_json, listed)]
        shown = [
            (each.slug, f"{each.month_change or 0:+.1f} %", f"{each.all_time or 0:+.1f} %", f"{each.coins}")
            for each in listed
        ]
        self._progress.table(f"{self._api}/indices", ("index", "month", "since its start", "assets"), shown)

    async def _call(self, markets: AsyncMarkets, symbol: str) -> tuple[str, Mapping[str, Any]]:
        """Call by PyPI's `tmai-api` where it is installed, or else by our own client."""
        last = datetime.fromtimestamp(Clock().now(), UTC).date()
        first = last - timedelta(days=_ASKED_DAYS)
        if find_spec("tmai_api") is not None:
            return "tmai-api (PyPI)", await _stock_client(self._api, symbol, (str(first), str(last)), self._key)
        return "usufruct-client (pip install tmai-api for the stock client)", {
            "tokens": await markets.tokens(symbol=symbol),
            "trader_grades": await markets.trader_grades(symbol=symbol, start=first, end=last),
            "trading_signals": await markets.trading_signals(symbol=symbol, start=first, end=last),
            "answer": await markets.ask(f"How is {symbol}?"),
        }

    @property
    def _api(self) -> str:
        return self._served.url.removesuffix("/v1") + "/v2"

    async def stay(self) -> None:
        """Serve until Ctrl-C, for an agent in another terminal."""
        url = self._served.url.removesuffix("/v1")
        self._say(f"Pages: {url}/markets and {url}/indices/{INDEX}")
        show_page_links(self._progress, self._served.url, advice=PHONE, play_money=True)
        self._say(f"It keeps running; Ctrl-C ends it. An agent: python examples/trading_agent.py {url} {self._key}")
        await run_jobs(self._installation.jobs())

    async def stop_gateway(self) -> None:
        """Stop the gateway if it runs."""
        if killed := await self._served.stop():
            self._say(f"the gateway {killed}")


async def _stock_client(url: str, symbol: str, days: tuple[str, str], key: str) -> Mapping[str, Any]:
    call = ("-m", "usufruct.cli.demo.stock_client", url, symbol, *days)
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, *call, stdin=pipe, stdout=pipe, stderr=pipe)
    said, errors = await process.communicate(key.encode())
    demand(process.returncode == 0, f"the client failed: {errors.decode()[-500:]}")
    found: Mapping[str, Any] = orjson.loads(said)
    return found
