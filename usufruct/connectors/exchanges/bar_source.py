"""The bars of an exchange's symbols as a source of the archive: resumed for each where it stopped."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Final

import polars as pl

from usufruct.connectors.exchanges.errors import UnlistedSymbol, VenueUnavailable
from usufruct.connectors.exchanges.symbol_table import DOLLAR, SymbolTable, TradedSymbol, next_day
from usufruct.connectors.exchanges.venue import Candle, CandlePage, Venue, VenueSettings
from usufruct.connectors.prices import (
    BATCH_SCHEMA,
    REFUSED_SCHEMA,
    AssetFacts,
    Batch,
    Interval,
    SourceFacts,
    SourceRule,
)
from usufruct.core import Clock

_ROWS_OF_A_BATCH: Final = 4_000

Rates = dict[datetime, float]


@dataclass(frozen=True, slots=True)
class ExchangeBars:
    """Bars of one exchange in US dollars, from the day `first` or the symbol's own on.

    Prices in another currency, such as USDT, are converted by the close of that currency's own symbol, `USDT/USD`, in
    the same bar; one of `at_par` counts as a dollar. Volume is the base amount times the mean of high, low and close.
    `synthetic`: the exchange is a simulated one. Not to be used inside an event loop: it runs its own.
    """

    settings: VenueSettings
    table: SymbolTable
    first: date
    interval: Interval = Interval.DAY
    at_par: frozenset[str] = frozenset()
    synthetic: bool = False
    clock: Clock = field(default_factory=Clock)

    @property
    def facts(self) -> SourceFacts:
        """The venue's name."""
        name = self.settings.label
        return SourceFacts(name, f"Prices: {name}, read by ccxt", self.synthetic, exchange=True)

    @property
    def quote(self) -> str:
        """The currency that all prices are converted to."""
        return DOLLAR

    @property
    def keeps_caps(self) -> bool:
        """Exchanges report no caps."""
        return False

    def batches(self, position: Any) -> Iterator[Batch]:
        """Yield the bars of each symbol after its position, the last known one again: it may have been corrected.

        Raises:
            UnmappedAsset: when the table has no symbol of the venue.
            UnconvertedQuote: when there is no rate of a symbol's currency; before anything is read.
            VenueUnavailable: when the exchange does not answer; what was read is yielded first.
            UnlistedSymbol: when the exchange does not trade a symbol; after the others were read.
        """
        symbols = self.table.of(self.settings.label)
        routes = {each.quote: self.table.rate_symbol(each, self.at_par) for each in symbols}
        positions: dict[str, str] = dict(position or {})
        unlisted: list[UnlistedSymbol] = []
        with asyncio.Runner() as runner:
            reader = _Reader(runner, Venue(self.settings, self.clock), self.interval, routes)
            try:
                for number, traded in enumerate(symbols, 1):
                    try:
                        for rows, refused, following in self._stretches(reader, traded, positions.get(traded.key)):
                            positions[traded.key] = following.isoformat()
                            named = (_facts(traded),) if not rows.is_empty() else ()
                            yield Batch(rows, dict(positions), number, len(symbols), named, refused)
                    except UnlistedSymbol as error:
                        unlisted.append(error)
            finally:
                runner.run(reader.venue.close())
        if unlisted:
            raise unlisted[0]

    def _stretches(
        self, reader: "_Reader", traded: TradedSymbol, position: str | None
    ) -> Iterator[tuple[pl.DataFrame, pl.DataFrame, datetime]]:
        """Yield rows, refused rows and where to go on, a few thousand bars at a time."""
        begin = _start(max(self.first, traded.first or self.first))
        end = None if traded.last is None else next_day(traded.last)
        first = begin if position is None else max(begin, datetime.fromisoformat(position) - self.interval.step)
        rows: list[dict[str, Any]] = []
        refused: list[dict[str, Any]] = []
        while end is None or first < end:
            try:
                page = reader.page(traded.symbol, first)
                rates = reader.rates(traded.quote, page.candles)
            except VenueUnavailable:
                if rows:
                    yield _frame(rows, BATCH_SCHEMA), _frame(refused, REFUSED_SCHEMA), first
                raise
            self._read(traded, page, end, rates, rows, refused)
            first = page.next
            if page.last or len(rows) >= _ROWS_OF_A_BATCH or (end is not None and first >= end):
                yield _frame(rows, BATCH_SCHEMA), _frame(refused, REFUSED_SCHEMA), first
                rows, refused = [], []
            if page.last:
                return

    def _read(
        self,
        traded: TradedSymbol,
        page: CandlePage,
        end: datetime | None,
        rates: Rates | None,
        rows: list[dict[str, Any]],
        refused: list[dict[str, Any]],
    ) -> None:
        place = f"{self.settings.label} {traded.symbol}"
        for candle in page.candles:
            if end is not None and candle.time >= end:
                continue
            rate = 1.0 if rates is None else rates.get(candle.time)
            if rate is None:
                blank = {"asset": traded.asset, "time": candle.time, "rule": SourceRule.NO_QUOTE_RATE}
                refused.append(blank | {"place": f"{place}: no rate of {traded.quote}"})
            else:
                rows.append(_row(traded, candle, rate) | {"place": place})
        refused += [
            {"asset": traded.asset, "rule": "unreadable", "place": f"{place}: {each}"} for each in page.unreadable
        ]


class _Reader:
    """Asks a venue from code that does not run in an event loop; keeps the rates of currencies."""

    def __init__(self, runner: asyncio.Runner, venue: Venue, interval: Interval, routes: Mapping[str, str]) -> None:
        self.venue = venue
        self._runner = runner
        self._interval = interval
        self._routes = routes
        self._rates: dict[str, Rates] = {}
        self._until: dict[str, datetime] = {}

    def page(self, symbol: str, first: datetime) -> CandlePage:
        """Return a page of bars."""
        return self._runner.run(self.venue.candles(symbol, self._interval, first))

    def rates(self, quote: str, candles: tuple[Candle, ...]) -> Rates | None:
        """Return the price of a currency in dollars for the bars' times; None where it is one."""
        symbol = self._routes[quote]
        if not symbol:
            return None
        known = self._rates.setdefault(symbol, {})
        if not candles:
            return known
        first, last = min(each.time for each in candles), max(each.time for each in candles)
        begin = self._until.get(symbol, first)
        if known and first < min(known):
            known.clear()
            begin = first
        while begin <= last:
            page = self.page(symbol, begin)
            known.update({each.time: each.close for each in page.candles})
            begin = page.next
            if page.last:
                break
        self._until[symbol] = begin
        return known


def _facts(traded: TradedSymbol) -> AssetFacts:
    """Return the ticker of a symbol's asset, where none is known: that of a symbol which is the asset until now."""
    return AssetFacts(traded.asset, "" if traded.last is not None else traded.ticker, fills_gaps=True)


def _row(traded: TradedSymbol, candle: Candle, rate: float) -> dict[str, Any]:
    price = rate / traded.units
    typical = (candle.high + candle.low + candle.close) / 3
    return {
        "asset": traded.asset,
        "time": candle.time,
        "open": candle.open * price,
        "high": candle.high * price,
        "low": candle.low * price,
        "close": candle.close * price,
        "volume": candle.volume * typical * rate,
    }


def _frame(rows: list[dict[str, Any]], schema: Mapping[str, Any]) -> pl.DataFrame:
    return pl.DataFrame([dict.fromkeys(schema) | each for each in rows], schema=dict(schema))


def _start(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
