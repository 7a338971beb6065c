"""The sources of prices by name: vendors, exchanges, the median of exchanges, and supplies of a chain."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from usufruct.analytics.collecting.token_supply import CHAIN, TokenSupplies, read_tokens
from usufruct.config import Config, MarketsConfig
from usufruct.connectors.exchanges import ExchangeBars, MedianBars, VenueSettings, read_symbols
from usufruct.connectors.prices import Interval, PriceArchive, Source
from usufruct.connectors.vendors import CoinGecko, CoinMetrics, read_ids
from usufruct.core import Clock, Invalid

MEDIAN = "median"
VENDORS = ("coingecko", "coinmetrics")
_COLUMNS = dict.fromkeys(VENDORS, "source,id,asset") | {CHAIN: "chain,token,asset,excluded"}


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """What is said about a source, on the command line or in a list; `clock` tells which bars have ended."""

    table: Path | None
    first: date
    interval: Interval
    venues: Sequence[str] = ()
    at_par: Sequence[str] = ()
    url: str = ""
    no_caps: bool = False
    synthetic: bool = False
    clock: Clock = field(default_factory=Clock)


def source_of(name: str, options: SourceOptions, config: Config, archive: PriceArchive) -> Source:
    """Return the source of a name.

    Raises:
        Invalid: when it needs a table or venues that were not given, or has no such bars.
    """
    if name == MEDIAN:
        return MedianBars(archive, tuple(options.venues), options.interval)
    if options.table is None:
        columns = _COLUMNS.get(name, "venue,symbol,asset,from,until,units")
        raise Invalid(
            f"{name} needs --table FILE.csv with the columns {columns}: a ticker alone does not tell which asset it is",
            code="no_table",
        )
    if name == CHAIN:
        if options.interval is not Interval.DAY:
            raise Invalid("supplies are read by days; leave --interval out", code="venue_lacks")
        return TokenSupplies(
            read_tokens(options.table), options.first, options.url or config.chain.rpc_url, options.clock
        )
    if name in VENDORS:
        return _vendor(name, options, options.table, config.markets)
    return ExchangeBars(
        VenueSettings(name, url=options.url),
        read_symbols(options.table),
        options.first,
        options.interval,
        frozenset(options.at_par),
        options.synthetic,
        options.clock,
    )


def _vendor(name: str, options: SourceOptions, table: Path, settings: MarketsConfig) -> Source:
    if options.interval is not Interval.DAY:
        raise Invalid(f"{name} is read by days; leave --interval out", code="venue_lacks")
    ids, caps = read_ids(table, name), not options.no_caps
    if name == "coingecko":
        key, plan = settings.coingecko_key.reveal(), settings.coingecko_plan
        return CoinGecko(ids, options.first, key, plan, options.url, caps, clock=options.clock)
    key = settings.coinmetrics_key.reveal()
    return CoinMetrics(ids, options.first, key, options.url, caps, clock=options.clock)
