"""Prices and trades as they happen, from the stream of an exchange; a cut stream is opened again."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from usufruct.connectors.exchanges.errors import VenueRateLimited, VenueUnavailable
from usufruct.connectors.exchanges.symbol_table import SymbolTable, TradedSymbol
from usufruct.connectors.exchanges.venue import Ticker, Trade, Venue

_REMEMBERED: Final = 10_000


@dataclass(frozen=True, slots=True)
class LivePrice:
    """The price of one asset at a venue, in `quote`; its consumer judges how old it may be by `at`.

    `volume`: of 24 hours, in `quote`; 0: not known.
    """

    venue: str
    asset: str
    price: float
    volume: float
    quote: str
    at: datetime


@dataclass(frozen=True, slots=True)
class LiveTrade:
    """A trade of `amount` assets at `price` each, in `quote`. `caught_up`: it happened while the stream was cut."""

    venue: str
    asset: str
    id: str
    price: float
    amount: float
    quote: str
    at: datetime
    caught_up: bool = False


async def live_prices(venue: Venue, symbols: Sequence[str], table: SymbolTable) -> AsyncIterator[LivePrice]:
    """Yield the prices of symbols as they change; of a reader that is slow, only the newest of each is kept.

    Raises:
        UnmappedAsset: when the table does not tell what a symbol is.
        VenueUnavailable: when the stream cannot be opened again for as many tries as the pacing allows.
    """
    newest: dict[str, Ticker] = {}
    arrived = asyncio.Event()
    followers = [asyncio.ensure_future(_follow(venue, each, newest, arrived)) for each in symbols]
    for follower in followers:
        follower.add_done_callback(lambda _: arrived.set())
    try:
        while True:
            await arrived.wait()
            arrived.clear()
            while newest:
                symbol = next(iter(newest))
                yield _price(venue, newest.pop(symbol), table)
            for follower in followers:
                if follower.done():
                    follower.result()  # it only ends by its error
    finally:
        for follower in followers:
            follower.cancel()
        await asyncio.gather(*followers, return_exceptions=True)


async def live_trades(venue: Venue, symbol: str, table: SymbolTable) -> AsyncIterator[LiveTrade]:
    """Yield the trades of a symbol, each once; those that happened while the stream was cut are fetched.

    Raises:
        UnmappedAsset: when the table does not tell what the symbol is.
        VenueUnavailable: when the stream cannot be opened again for as many tries as the pacing allows.
    """
    seen = _Seen()
    tried, cut = 0, False
    while True:
        try:
            found = await venue.next_trades(symbol)
        except VenueUnavailable as error:
            tried += 1
            await _rest(venue, tried, error)
            cut = True
            continue
        tried = 0
        if cut and seen.newest is not None:
            for trade in await venue.trades(symbol, seen.newest):
                if seen.first_time(trade):
                    yield _trade(venue, trade, table, caught_up=True)
        cut = False
        for trade in found:
            if seen.first_time(trade):
                yield _trade(venue, trade, table)


class _Seen:
    """Which trades were handed on."""

    def __init__(self) -> None:
        self._order: deque[str] = deque()
        self._ids: set[str] = set()
        self.newest: datetime | None = None

    def first_time(self, trade: Trade) -> bool:
        """Tell whether a trade is new, and remember it."""
        if trade.id in self._ids:
            return False
        self._ids.add(trade.id)
        self._order.append(trade.id)
        if len(self._order) > _REMEMBERED:
            self._ids.discard(self._order.popleft())
        self.newest = trade.at if self.newest is None else max(self.newest, trade.at)
        return True


async def _follow(venue: Venue, symbol: str, newest: dict[str, Ticker], arrived: asyncio.Event) -> None:
    tried = 0
    while True:
        try:
            ticker = await venue.next_ticker(symbol)
        except VenueUnavailable as error:
            tried += 1
            await _rest(venue, tried, error)
            continue
        tried = 0
        if ticker is not None:
            newest[symbol] = ticker
            arrived.set()


async def _rest(venue: Venue, tried: int, error: VenueUnavailable) -> None:
    """Wait before the stream is opened again; give up after as many tries as the pacing allows."""
    if tried >= venue.pacing.tries:
        raise error
    pause = venue.pacing.pause(tried - 1)
    if isinstance(error, VenueRateLimited):
        with suppress(TypeError, ValueError):
            pause = max(pause, min(float(error.details["retry_after"] or 0), venue.pacing.longest_wait))
    await venue.pacing.sleep(pause)


def _price(venue: Venue, ticker: Ticker, table: SymbolTable) -> LivePrice:
    traded = _traded(venue, ticker.symbol, table, ticker.at)
    return LivePrice(
        venue.settings.label, traded.asset, ticker.price / traded.units, ticker.volume, traded.quote, ticker.at
    )


def _trade(venue: Venue, trade: Trade, table: SymbolTable, *, caught_up: bool = False) -> LiveTrade:
    traded = _traded(venue, trade.symbol, table, trade.at)
    return LiveTrade(
        venue.settings.label,
        traded.asset,
        trade.id,
        trade.price / traded.units,
        trade.amount * traded.units,
        traded.quote,
        trade.at,
        caught_up,
    )


def _traded(venue: Venue, symbol: str, table: SymbolTable, at: datetime) -> TradedSymbol:
    return table.asset_of(venue.settings.label, symbol, at)
