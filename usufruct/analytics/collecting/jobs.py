"""The worker's jobs, one for each source: a source that is away is a job that fails, and the others go on."""

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from usufruct.analytics.collecting.price_fetch import PriceFetch, price_fetches
from usufruct.analytics.collecting.source_list import NewsEntry, SourceList, read_sources
from usufruct.analytics.folder_turn import FolderTurn
from usufruct.config import Config
from usufruct.connectors.exchanges import UnlistedSymbol
from usufruct.connectors.news import AssetNames, Feed, NewsArchive, fetch_feeds, read_names
from usufruct.connectors.prices import PriceArchive
from usufruct.core import Clock, UsufructError
from usufruct.core.diagnostics import Finding, bad, good
from usufruct.core.jobs import Job
from usufruct.http import Reach

_LOOK_SECONDS: Final = 60.0
_NEWS_SECONDS: Final = 900.0
_LONGEST_PAUSE: Final = 900.0
_FINISH_SECONDS: Final = 1.0

T = TypeVar("T")

_log = logging.getLogger(__name__)


class WorkerEnds(Exception):
    """The worker is about to end: a fetch stops after its batch."""


@dataclass(slots=True)
class SourceTurn:
    """One worker asks the sources, one at a time: an archive has one writer."""

    folder: FolderTurn
    one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)


class PriceJob:
    """Fetches one source when it is due."""

    def __init__(self, fetch: PriceFetch, turn: SourceTurn) -> None:
        self._fetch = fetch
        self._turn = turn
        self._ends = False
        self._unlisted: UnlistedSymbol | None = None

    async def step(self) -> None:
        """Fetch, if a bar has ended since the last time, and it is this process's turn.

        Raises:
            UnlistedSymbol: when the exchange does not trade a symbol, until the next fetch; the others were read.
            UsufructError: as the source does.
        """
        if not self._turn.folder.take():
            return
        async with self._turn.one_at_a_time:
            if self._fetch.is_due:
                await self._run()
        if self._unlisted is not None:
            raise self._unlisted

    async def _run(self) -> None:
        self._unlisted = None
        with suppress(WorkerEnds):
            try:
                report = await in_thread(partial(self._fetch.run, self._check_end))
            except UnlistedSymbol as error:
                self._unlisted = error
            else:
                added = report.added
                _log.info("%s: %d new bars, %d corrected", self._fetch.label, added.new, added.corrected)

    async def close(self) -> None:
        """Let a fetch that runs stop, and another worker fetch."""
        self._ends = True
        self._turn.folder.give_back()

    def _check_end(self, done: int, total: int) -> None:
        if self._ends:
            raise WorkerEnds


class NewsJob:
    """Fetches one feed."""

    def __init__(
        self, name: str, entry: NewsEntry, sources: SourceList, config: Config, turn: SourceTurn, clock: Clock
    ) -> None:
        self._feed = Feed(name, entry.url)
        self._names = sources.path(entry.names)
        self._reach = Reach.PRIVATE if config.allows_private_servers else Reach.PUBLIC
        self._archive = NewsArchive(config.data.folder / "news")
        self._turn = turn
        self._clock = clock

    async def step(self) -> None:
        """Fetch the feed, and add what is new; raises InvalidNews, NewsUnavailable."""
        if not self._turn.folder.take():
            return
        (found,) = await fetch_feeds([self._feed], self._clock, reach=self._reach)
        if found.error is not None:
            raise found.error
        names = AssetNames([]) if self._names is None else await asyncio.to_thread(read_names, self._names)
        async with self._turn.one_at_a_time:
            added = await asyncio.to_thread(self._archive.add, names.tag(found.news.items))
        if added.new:
            _log.info("%s: %d new items", self._feed.name, added.new)

    async def close(self) -> None:
        """Let another worker fetch."""
        self._turn.folder.give_back()


def build_source_jobs(config: Config, archive: Path, clock: Clock) -> list[Job]:
    """Return the jobs of `markets.sources`; a list that cannot be read is a job that fails with the reason."""
    if not config.markets.sources:
        return []
    try:
        sources = read_sources(Path(config.markets.sources))
    except UsufructError as error:
        return [Job("sources", partial(_fail, error), _LOOK_SECONDS)]
    turn = SourceTurn(FolderTurn(archive.with_name("sources")))
    return [*_price_jobs(sources, config, archive, turn, clock), *_news_jobs(sources, config, turn, clock)]


def check_sources(config: Config, archive: Path, clock: Clock) -> Iterator[Finding]:
    """Check that each source of prices gave its last bars."""
    if not config.markets.sources:
        return
    try:
        sources = read_sources(Path(config.markets.sources))
    except UsufructError as error:
        yield bad("sources", error.message, "correct the file, and start the worker again")
        return
    for fetch in price_fetches(sources, config, PriceArchive(archive), clock):
        last = fetch.complete_at
        text = f"{fetch.label} gave its last bars {f'at {last:%Y-%m-%d %H:%M} UTC' if last else 'never'}"
        if fetch.is_silent:
            job = _job_name(fetch)
            yield bad("sources", text, f"look at the worker's job {job}, and run `usufruct prices update` to see why")
        else:
            yield good("sources", text)


async def in_thread(function: Callable[[], T]) -> T:
    """Run what blocks in a thread that no end of the process waits for: what it does may be cut at any moment."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(settled: Callable[[], None]) -> None:
        if not done.done():
            settled()

    def run() -> None:
        try:
            result = function()
        except BaseException as error:
            told = partial(done.set_exception, error)
        else:
            told = partial(done.set_result, result)
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, told)

    threading.Thread(target=run, daemon=True).start()
    return await done


def _price_jobs(sources: SourceList, config: Config, archive: Path, turn: SourceTurn, clock: Clock) -> Iterator[Job]:
    for fetch in price_fetches(sources, config, PriceArchive(archive), clock):
        job = PriceJob(fetch, turn)
        name = _job_name(fetch)
        yield Job(name, job.step, _LOOK_SECONDS, job.close, longest=_LONGEST_PAUSE, finish=_FINISH_SECONDS)


def _news_jobs(sources: SourceList, config: Config, turn: SourceTurn, clock: Clock) -> Iterator[Job]:
    for name, entry in sources.news.items():
        job = NewsJob(name, entry, sources, config, turn, clock)
        yield Job(f"news-{name}", job.step, _NEWS_SECONDS, job.close, longest=_LONGEST_PAUSE)


def _job_name(fetch: PriceFetch) -> str:
    return f"prices-{fetch.name}-{fetch.interval.value}"


async def _fail(error: UsufructError) -> None:
    raise error
