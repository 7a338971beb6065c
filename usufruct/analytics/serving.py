"""What needs numbers: the routes of a gateway, and the job of a worker. `component` loads this where it is used."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np

from usufruct.accounts import Sessions
from usufruct.accounts.notifications import Notifications
from usufruct.analytics.alert_api import alert_routes
from usufruct.analytics.alert_measures import LivePrices
from usufruct.analytics.alert_pages import alert_pages
from usufruct.analytics.alerts import MarketAlerts
from usufruct.analytics.api import MarketTables, market_routes
from usufruct.analytics.api_answer import MarketApi
from usufruct.analytics.api_keys import MarketKeys
from usufruct.analytics.call_sales import CallSales
from usufruct.analytics.collecting import build_source_jobs, check_sources
from usufruct.analytics.explanation import Explanation, explain
from usufruct.analytics.key_api import key_routes
from usufruct.analytics.key_pages import key_pages
from usufruct.analytics.learned import LearnedModel, LightGbmMissing, ModelRefused, NoModel, current_model, read_model
from usufruct.analytics.live import build_feed, build_live_jobs, check_live, live_routes
from usufruct.analytics.mapped_files import NoMarketData
from usufruct.analytics.news_tables import NEWS_DAYS
from usufruct.analytics.pages import CurrentFigures, market_pages
from usufruct.analytics.questions import largest_reports
from usufruct.analytics.sentiment import KINDS, Headline, Kind
from usufruct.analytics.snapshot import HOURLY_DAYS, Snapshot
from usufruct.analytics.snapshot_build import MarketInputs, build_snapshot
from usufruct.analytics.snapshot_files import SnapshotReader, read_snapshot, write_snapshot
from usufruct.analytics.writing import Wording, build_report_jobs, check_writer
from usufruct.config import Config
from usufruct.connectors.news import NewsArchive, NewsItem
from usufruct.connectors.prices import STABLECOIN, Interval, PriceArchive
from usufruct.core import Clock, Conflict, Unavailable
from usufruct.core.components import Context
from usufruct.core.diagnostics import Finding, bad, good
from usufruct.core.jobs import Job
from usufruct.store import Database
from usufruct.web import RawRoute, Route
from usufruct.web.ui import PageRoute, Pages

_PEGGED_DAYS: Final = 30
_PEGGED_WITHIN: Final = 0.01
"""An asset whose closes are so near to 1 for so long is likely to be a stablecoin."""
_NAMED: Final = 3

_log = logging.getLogger(__name__)


def archive_folder(config: Config) -> Path:
    """Return where the archive of prices is."""
    return config.data.folder / "prices"


def snapshot_folder(config: Config) -> Path:
    """Return where computed snapshots are; gateways on other machines need the same folder."""
    return config.data.folder / "ratings"


def learned_folder(config: Config) -> Path:
    """Return where the model of learned signals is kept."""
    return config.data.folder / "learned"


class RatingsJob:
    """Computes a snapshot whenever the archive, the news or the model of learned signals has changed."""

    def __init__(self, archive: Path, snapshots: Path, clock: Clock) -> None:
        self._archive = PriceArchive(archive)
        self._news = NewsArchive(archive.with_name("news"))
        self._learned = archive.with_name("learned")
        self._snapshots = snapshots
        self._clock = clock
        self._done: tuple[int, float, str] = (0, 0.0, "")

    async def step(self) -> None:
        """Compute and write a snapshot, if there is something new.

        Raises:
            NoMarketData: when there are no daily prices.
        """
        changed = [path.stat().st_mtime for path in self._news.folder.glob("*.parquet")]
        state = (self._archive.manifest().sequence, max(changed, default=0.0), current_model(self._learned))
        if not state[0]:
            raise NoMarketData(f"{self._archive.folder} has no prices; import some with `usufruct prices import FILE`")
        if state == self._done:
            return
        await asyncio.to_thread(self._compute)
        self._done = state

    def _compute(self) -> None:
        inputs = read_inputs(self._archive, self._news)
        model = usable_model(self._learned, synthetic=inputs.panel.synthetic)
        snapshot = build_snapshot(inputs, self._clock.now(), model)
        write_snapshot(self._snapshots, snapshot)
        _log.info("rated %d assets until %s", len(snapshot.assets), snapshot.last_day)


def usable_model(folder: Path, *, synthetic: bool) -> LearnedModel | None:
    """Return the model for prices that are simulated or not; None without one, or where it is refused (logged)."""
    try:
        return _checked_model(folder, synthetic=synthetic)
    except NoModel:
        return None
    except (ModelRefused, LightGbmMissing) as error:
        _log.warning("no learned signals: %s", error.message)
        return None


def read_inputs(archive: PriceArchive, news: NewsArchive | None = None) -> MarketInputs:
    """Read what a snapshot is made of; news of `NEWS_DAYS` until the last day with prices, and after it.

    A last day or hour that has prices of few assets is left out: they are still coming in.

    Raises:
        NoMarketData: when the archive has no daily prices.
        Conflict: when they are not in US dollars.
    """
    spans = {each.interval: each for each in archive.spans()}
    if Interval.DAY not in spans:
        raise NoMarketData(f"{archive.folder} has no daily prices; import some with `usufruct prices import FILE`")
    panel = archive.dollar_panel()
    panel = panel.between(panel.first_day, panel.last_complete_day)
    daily = archive.bars(Interval.DAY, panel.first_day, panel.last_day)
    items = () if news is None else read_news(news, panel.last_day)
    texts = headlines_of(items)
    hours = spans.get(Interval.HOUR)
    traded = archive.exchanges_of_assets()
    if hours is None:
        return MarketInputs(panel, daily, headlines=texts, news=items, exchanges=traded)
    last = hours.last.date()
    first = max(hours.first.date(), last.fromordinal(last.toordinal() - HOURLY_DAYS + 1))
    hourly = archive.bars(Interval.HOUR, first, last).complete()
    return MarketInputs(panel, daily, hourly, texts, items, traded)


def read_news(news: NewsArchive, last: date) -> tuple[NewsItem, ...]:
    """Return the items of `NEWS_DAYS` until the last day with prices, and of a week after it, the newest first."""
    return tuple(news.items(date.fromordinal(last.toordinal() - NEWS_DAYS), date.fromordinal(last.toordinal() + 7)))


def headlines_of(items: Sequence[NewsItem]) -> tuple[Headline, ...]:
    """Return titles at the times when they were learnt: what came late is not put into an hour of before."""
    return tuple(Headline(int(each.known_at.timestamp()), _kind_of(each.source), each.title) for each in items)


def _kind_of(source: str) -> Kind:
    return next((kind for kind in KINDS if kind in source.lower()), "news")


def compute_snapshot(config: Config, now: int) -> Snapshot:
    """Rate all assets of the configured archive, and make the result what gateways answer from.

    Raises:
        NoMarketData: when the archive has no daily prices.
    """
    folder = archive_folder(config)
    inputs = read_inputs(PriceArchive(folder), NewsArchive(folder.with_name("news")))
    snapshot = build_snapshot(inputs, now, usable_model(learned_folder(config), synthetic=inputs.panel.synthetic))
    write_snapshot(snapshot_folder(config), snapshot)
    return snapshot


def current_snapshot(config: Config) -> Snapshot:
    """Return what gateways answer from; raises NoMarketData."""
    return read_snapshot(snapshot_folder(config))


def explain_grade(config: Config, name: str, day: date | None = None) -> Explanation:
    """Explain the grades of an asset, by id or ticker, from the archive.

    Raises:
        Invalid: for an unknown asset, a ticker that several have, or a day outside of the archive.
        NotFound: when the asset is not graded on the day, or there are no prices.
    """
    archive = PriceArchive(archive_folder(config))
    return explain(archive.dollar_panel(), archive.registry().resolve(name), day)


def build_tables(context: Context) -> MarketTables:
    """Return the tables that a gateway answers from."""
    clock = context.get(Clock)
    return MarketTables(SnapshotReader(snapshot_folder(context.get(Config)), clock), clock)


def build_routes(context: Context) -> list[RawRoute | Route]:
    """Return the routes of market data, and its pages."""
    tables, keys, sessions, pages = (
        build_tables(context),
        context.get(MarketKeys),
        context.get(Sessions),
        context.get(Pages),
    )
    api, wording = MarketApi(keys, context.get(CallSales)), context.get(Wording)
    feed = build_feed(context.get(Config), context.get(Clock))
    return [
        *market_routes(tables, api, keys, sessions, wording),
        *market_pages(CurrentFigures(tables), pages, feed, wording),
        *live_routes(feed),
        *key_pages(keys, sessions, pages),
        *key_routes(keys, sessions),
    ]


def build_alerts(context: Context) -> MarketAlerts:
    """Return the alerts on what `/v2` answers from, and on live prices."""
    tables, feed = build_tables(context), build_feed(context.get(Config), context.get(Clock))

    def live() -> LivePrices | None:
        return None if feed.newest is None else LivePrices(feed.newest, feed.now)

    return MarketAlerts(context.get(Database), context.get(Notifications), lambda: tables.snapshot, live=live)


def build_alert_routes(context: Context) -> list[PageRoute]:
    """Return the routes of alerts, and their page."""
    alerts, sessions = build_alerts(context), context.get(Sessions)
    figures = CurrentFigures(build_tables(context))
    return [*alert_routes(alerts, sessions), *alert_pages(alerts, figures, sessions, context.get(Pages))]


def build_job(context: Context) -> RatingsJob:
    """Return what the worker computes."""
    config = context.get(Config)
    return RatingsJob(archive_folder(config), snapshot_folder(config), context.get(Clock))


def build_sources(context: Context) -> list[Job]:
    """Return the jobs that fetch prices and news; none where no list of sources is configured."""
    config = context.get(Config)
    return build_source_jobs(config, archive_folder(config), context.get(Clock))


def build_streams(context: Context) -> list[Job]:
    """Return the jobs that follow exchanges; none where none is configured."""
    return build_live_jobs(context.get(Config), context.get(Clock))


def build_reports(context: Context) -> list[Job]:
    """Return the job that has a model word reports; none where none is configured."""
    tables = build_tables(context)

    def figures(most: int) -> list[str]:
        try:
            return largest_reports(tables.snapshot, most)
        except NoMarketData:
            return []

    return build_report_jobs(context, figures)


async def check_freshness(context: Context) -> AsyncIterator[Finding]:
    """Check that ratings are there and not stale, and so live prices and sources, where there are any."""
    config = context.get(Config)
    for finding in check_sources(config, archive_folder(config), context.get(Clock)):
        yield finding
    for finding in check_live(config, context.get(Clock)):
        yield finding
    try:
        PriceArchive(archive_folder(context.get(Config))).check_dollars()
    except Conflict as error:
        yield bad("prices", error.message, "")
        return
    try:
        state = build_tables(context).state()
    except Unavailable as error:
        yield bad("ratings", error.message, "import prices, and run `usufruct worker`")
        return
    text = f"the last bar is from {state.as_of}{', simulated' if state.synthetic else ''}"
    if state.stale:
        yield bad("ratings", f"{text}, and newer ones should be there", "look at the sources of prices and the worker")
    else:
        yield good("ratings", text)
    pegged = check_stablecoins(build_tables(context).snapshot)
    if pegged is not None:
        yield pegged
    async for finding in check_writer(context):
        yield finding
    learned = check_model(learned_folder(context.get(Config)), synthetic=state.synthetic)
    if learned is not None:
        yield learned


def check_stablecoins(snapshot: Snapshot) -> Finding | None:
    """Return what is wrong where real prices have no stablecoin, and some asset looks like one; None otherwise."""
    if snapshot.synthetic or any(STABLECOIN in each.categories for each in snapshot.assets):
        return None
    close = np.asarray(snapshot.series["daily-ohlcv"].fields["close"][-_PEGGED_DAYS:], dtype=np.float64)
    known = np.where(close > 0, close, 1.0)
    likely = (np.abs(known - 1.0) <= _PEGGED_WITHIN).all(axis=0) & (close[-1] > 0)
    names = [snapshot.assets[column].id for column in np.flatnonzero(likely)]
    if not names:
        return None
    shown = f"{', '.join(names[:_NAMED])}{' and others' if len(names) > _NAMED else ''}"
    text = f"{shown} cost one dollar each day, and no asset is described as a stablecoin: indices buy them as others"
    return bad("stablecoins", text, "describe them: `usufruct prices assets --describe assets.csv`")


def check_model(folder: Path, *, synthetic: bool) -> Finding | None:
    """Return whether the model of learned signals is used, and since when it knows nothing new; None without one."""
    try:
        model = _checked_model(folder, synthetic=synthetic)
    except NoModel:
        return None
    except (ModelRefused, LightGbmMissing) as error:
        return bad("learned signals", error.message, "train again with `usufruct rating train`")
    return good("learned signals", f"model {model.id}, which learned until {model.fits[-1].learned_until}")


def _checked_model(folder: Path, *, synthetic: bool) -> LearnedModel:
    model = read_model(folder)
    model.check_prices(synthetic=synthetic)
    return model
