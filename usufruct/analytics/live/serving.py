"""Live prices of a configured installation: the jobs of its worker, the feed of its gateways, what `doctor` says."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

from usufruct.analytics.live.feed import LivePriceFeed, StreamLimits
from usufruct.analytics.live.job import live_jobs
from usufruct.analytics.live.model import LiveTable
from usufruct.analytics.live.price_file import LiveReader
from usufruct.config import Config, InvalidSetting, MarketsConfig
from usufruct.connectors.exchanges import SymbolTable, VenueSettings, read_symbols
from usufruct.core import Clock, UsufructError
from usufruct.core.diagnostics import Finding, bad, good
from usufruct.core.jobs import Job
from usufruct.core.setting_texts import read_venues

_FAILING_SECONDS: Final = 60.0
_MOST_NAMED: Final = 5


def live_folder(config: Config) -> Path:
    """Return where live prices are; gateways on other machines need the same folder."""
    return config.data.folder / "live"


def build_live_jobs(config: Config, clock: Clock) -> list[Job]:
    """Return the worker's jobs; none where no venue is configured.

    Where the table of symbols cannot be read or lacks what a venue needs, one job fails with the reason: the worker's
    other jobs, which pay, go on.
    """
    venues = [VenueSettings(name, url=rest, stream_url=stream) for name, (rest, stream) in _venues(config).items()]
    if not venues:
        return []
    setting = config.markets
    at_par = frozenset(filter(None, (each.strip() for each in setting.live_at_par.split(","))))
    blank = LiveTable(0, setting.live_stale_seconds, setting.live_simulated == "yes")
    try:
        return live_jobs(live_folder(config), venues, _symbols(setting), at_par, clock, blank)
    except UsufructError as error:
        return [Job("live-prices", partial(_fail, error), _FAILING_SECONDS)]


def build_feed(config: Config, clock: Clock) -> LivePriceFeed:
    """Return what a gateway answers from."""
    limits = StreamLimits(config.markets.live_streams, config.markets.live_streams_per_network)
    return LivePriceFeed(LiveReader(live_folder(config)), clock, limits)


def check_live(config: Config, clock: Clock) -> Iterator[Finding]:
    """Check that each asset with a live price has one that is not stale."""
    if not _venues(config):
        return
    try:
        _symbols(config.markets)
    except UsufructError as error:
        yield bad("live prices", error.message, "correct `markets.live_symbols`, and start the worker again")
        return
    table = LiveReader(live_folder(config)).current()
    if table is None or not table.medians:
        yield bad("live prices", "no exchange has sent a price yet", "run `usufruct worker`, and look at its log")
        return
    now = clock.now()
    stale = [f"{each.asset} ({each.age(now)} s)" for each in table.medians.values() if table.is_stale(each, now)]
    if stale:
        named = ", ".join(stale[:_MOST_NAMED]) + (", ..." if len(stale) > _MOST_NAMED else "")
        remedy = "look at the worker, its jobs live-prices-VENUE, and whether the exchanges still trade them"
        yield bad("live prices", f"{len(stale)} of {len(table.medians)} are stale: {named}", remedy)
    else:
        yield good("live prices", f"{len(table.medians)} assets")


async def _fail(error: UsufructError) -> None:
    raise error


def _venues(config: Config) -> dict[str, tuple[str, str]]:
    return read_venues(config.markets.live_venues)


def _symbols(setting: MarketsConfig) -> SymbolTable:
    if not setting.live_symbols:
        raise InvalidSetting(
            "markets.live_symbols is empty; set it to a CSV file with the columns venue,symbol,asset: a ticker alone "
            "does not tell which asset it is",
            key="markets.live_symbols",
        )
    return read_symbols(Path(setting.live_symbols))
