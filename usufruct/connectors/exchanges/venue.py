"""One exchange, by ccxt: bars, tickers and trades, with its rate limits, time-outs and repeated tries."""

import asyncio
import difflib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Self, TypeVar
from urllib.parse import urlsplit

from usufruct.connectors.exchanges.errors import (
    UnknownVenue,
    UnlistedSymbol,
    VenueLacks,
    VenueRateLimited,
    VenueRefused,
    VenueTimedOut,
    VenueUnavailable,
    VenueUnreadable,
)
from usufruct.connectors.exchanges.pacing import Pacing
from usufruct.connectors.prices import Interval
from usufruct.core import Clock, Invalid, UsufructError

T = TypeVar("T")

_SPOT_ONLY: Final[Mapping[str, Any]] = {
    "defaultType": "spot",
    "fetchMarkets": {"types": ["spot"]},  # spares Binance's clients the markets of its futures
    "watchTrades": {"name": "aggTrade"},  # so that the numbers of streamed trades are those of fetched ones
    "watchTradesForSymbols": {"name": "aggTrade"},
}
_UNREADABLE: Final = (KeyError, TypeError, ValueError, AttributeError, IndexError, ArithmeticError)
_LONGEST_QUOTE: Final = 200


@dataclass(frozen=True, slots=True)
class VenueSettings:
    """Which exchange, by ccxt's id, and where it is reached.

    `url` and `stream_url` replace scheme, host and port of ccxt's addresses, and may add a path before theirs; empty:
    the exchange's own. `name` is what the archive calls the venue; empty: the id. `page`: how many bars are asked for
    at once.
    """

    id: str
    name: str = ""
    url: str = ""
    stream_url: str = ""
    page: int = 500
    options: Mapping[str, Any] = field(default_factory=dict)
    pacing: Pacing = field(default_factory=Pacing)

    @property
    def label(self) -> str:
        """The venue's name in tables and in the archive."""
        return self.name or self.id


@dataclass(frozen=True, slots=True)
class Candle:
    """A bar as the exchange reports it: prices in the symbol's quote currency, `volume` in units of its base."""

    time: datetime
    open: float
    high: float
    low: float
    close: float
    volume: float


@dataclass(frozen=True, slots=True)
class CandlePage:
    """A page of closed bars, where the next one begins, and rows that are not bars. `last`: no more are closed yet."""

    candles: tuple[Candle, ...]
    next: datetime
    last: bool
    unreadable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ticker:
    """The last price of a symbol, and its volume of 24 hours in the quote currency (0: not known)."""

    symbol: str
    price: float
    volume: float
    at: datetime


@dataclass(frozen=True, slots=True)
class Trade:
    """A trade: `amount` units of the base at `price`."""

    symbol: str
    id: str
    price: float
    amount: float
    at: datetime


class Venue:
    """A client of one exchange; every method raises an error of `errors`. To be closed, or used by `async with`."""

    def __init__(self, settings: VenueSettings, clock: Clock | None = None) -> None:
        """Build ccxt's client.

        Raises:
            UnknownVenue: when ccxt has no exchange of this id.
            Invalid: when a URL is not one.
        """
        self.settings = settings
        self.pacing = settings.pacing
        self._clock = clock or Clock()
        self._client = _client(settings)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()

    async def symbols(self) -> frozenset[str]:
        """Return the symbols of the spot markets that are traded now."""
        await self._load_markets()
        markets = self._client.markets.values()
        return frozenset(each["symbol"] for each in markets if each.get("spot") and each.get("active") is not False)

    async def candles(self, symbol: str, interval: Interval, first: datetime) -> CandlePage:
        """Return the closed bars from `first` on: one page of them."""
        if interval.value not in (self._client.timeframes or {}):
            raise VenueLacks(f"{self.settings.label} has no bars of {interval.value}; choose another interval or venue")
        since, most = int(first.timestamp() * 1000), self.settings.page
        rows = await self.call(self._client.fetch_ohlcv, symbol, interval.value, since, most)
        return self._page(rows, interval, first)

    async def pages(self, symbol: str, interval: Interval, first: datetime) -> AsyncIterator[CandlePage]:
        """Yield page after page, to the last bar that is closed; begin again at a page's `next`."""
        while True:
            page = await self.candles(symbol, interval, first)
            yield page
            if page.last:
                return
            first = page.next

    async def tickers(self, symbols: Sequence[str]) -> tuple[Ticker, ...]:
        """Return the last prices of symbols; those without one are left out."""
        known = await self.symbols()
        if strange := [each for each in symbols if each not in known]:
            raise self._unlisted(strange[0])
        if self._client.has.get("fetchTickers"):
            found = (await self.call(self._client.fetch_tickers, list(symbols))).values()
        else:
            found = [await self.call(self._client.fetch_ticker, each) for each in symbols]
        return tuple(ticker for each in found if (ticker := self.ticker(each)) is not None)

    async def trades(self, symbol: str, since: datetime | None = None) -> tuple[Trade, ...]:
        """Return trades since a moment, or the newest ones: as many as the exchange gives at once."""
        milliseconds = None if since is None else int(since.timestamp() * 1000)
        found = await self.call(self._client.fetch_trades, symbol, milliseconds)
        return tuple(trade for each in found if (trade := read_trade(each)) is not None)

    async def next_ticker(self, symbol: str) -> Ticker | None:
        """Wait for the next ticker of the exchange's stream, without repeated tries; None where it has no price."""
        return self.ticker(await self._attempt(self._client.watch_ticker, (symbol,), self.pacing.silence))

    async def next_trades(self, symbol: str) -> tuple[Trade, ...]:
        """Wait for the next trades of the exchange's stream, without repeated tries."""
        found = await self._attempt(self._client.watch_trades, (symbol,), self.pacing.silence)
        return tuple(trade for each in found if (trade := read_trade(each)) is not None)

    async def call(self, method: Callable[..., Awaitable[T]], *values: Any) -> T:
        """Call a method of ccxt's client; again after a pause where it failed for now."""
        await self._load_markets()
        return await self._retry(self.pacing.timeout, method, *values)

    async def _load_markets(self) -> None:
        """Read the exchange's list of markets once; ccxt would otherwise read it within the first call's time-out."""
        if not self._client.markets:
            await self._retry(self.pacing.markets_timeout, self._client.load_markets)

    async def _retry(self, seconds: float, method: Callable[..., Awaitable[T]], *values: Any) -> T:
        failure: UsufructError
        for tried in range(self.pacing.tries):
            try:
                return await self._attempt(method, values, seconds)
            except VenueRateLimited as error:
                failure, advised = error, self._advice()
                if advised > self.pacing.longest_wait:
                    break
                pause = max(advised, self.pacing.pause(tried))
            except VenueUnavailable as error:
                failure, pause = error, self.pacing.pause(tried)
            if tried + 1 < self.pacing.tries:
                await self.pacing.sleep(pause)
        raise failure

    async def _attempt(self, method: Callable[..., Awaitable[T]], values: tuple[Any, ...], seconds: float) -> T:
        import ccxt

        label = self.settings.label
        self._client.last_response_headers = None
        try:
            async with asyncio.timeout(seconds):
                return await method(*values)
        except ccxt.BaseError as error:
            raise self._fault(error, values) from None
        except TimeoutError:
            raise VenueTimedOut(f"{label} did not answer within {seconds:g} s; try again later") from None
        except _UNREADABLE as error:
            raise VenueUnreadable(
                f"{label} answered what ccxt cannot read ({type(error).__name__}: {str(error)[:_LONGEST_QUOTE]}); "
                "update ccxt"
            ) from error

    def _fault(self, error: Exception, values: tuple[Any, ...]) -> UsufructError:
        """Return what one of ccxt's errors means."""
        import ccxt

        label, quoted = self.settings.label, " ".join(str(error).split())[:_LONGEST_QUOTE]
        match error:
            case ccxt.BadSymbol():
                return self._unlisted(str(values[0]) if values else "")
            case ccxt.DDoSProtection() | ccxt.RateLimitExceeded():
                seconds = self._advice()
                when = f"after {seconds:g} s" if seconds else "in some minutes"
                return VenueRateLimited(f"{label} wants fewer requests; try again {when}", retry_after=int(seconds))
            case ccxt.RequestTimeout():
                return VenueTimedOut(f"{label} did not answer in time; try again later")
            case ccxt.NotSupported():
                return VenueLacks(f"{label} does not offer this by ccxt ({quoted}); use another venue")
            case ccxt.BadResponse():
                return VenueUnreadable(f"{label} answered what ccxt cannot read: {quoted}; try again later")
            case ccxt.NetworkError() | ccxt.OperationFailed():
                return VenueUnavailable(f"{label} cannot be reached or does not serve now: {quoted}; try again later")
            case _:
                return VenueRefused(f"{label} refuses: {quoted}; see the terms it offers, or use another venue")

    def _unlisted(self, symbol: str) -> UnlistedSymbol:
        label = self.settings.label
        return UnlistedSymbol(
            f"{label} does not trade {symbol!r}; correct the table of symbols, or end its row by until"
        )

    def _advice(self) -> float:
        """Return the seconds of the last answer's `Retry-After`; 0 without one."""
        headers = self._client.last_response_headers or {}
        text = next((str(value) for name, value in headers.items() if name.lower() == "retry-after"), "")
        return float(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0.0

    def _page(self, rows: Sequence[Sequence[Any]], interval: Interval, first: datetime) -> CandlePage:
        now = datetime.fromtimestamp(self._clock.now(), UTC)
        candles, unreadable = [], []
        for row in rows:
            candle = _candle(row)
            if candle is None:
                unreadable.append(str(list(row))[:_LONGEST_QUOTE])
            elif candle.time >= first and candle.time + interval.step <= now:
                candles.append(candle)
        window = first + self.settings.page * interval.step
        following = max(each.time for each in candles) + interval.step if candles else window
        last = following + interval.step > now
        if last and not candles:
            following = first  # a bar that is published late is not passed over
        return CandlePage(tuple(candles), following, last, tuple(unreadable))

    def ticker(self, found: Mapping[str, Any]) -> Ticker | None:
        """Read one of ccxt's tickers; None where it has no price."""
        price = _positive(found.get("last") or found.get("close"))
        if price is None:
            return None
        volume = _positive(found.get("quoteVolume")) or (_positive(found.get("baseVolume")) or 0.0) * price
        stamp = found.get("timestamp")
        at = datetime.fromtimestamp(stamp / 1000 if stamp else self._clock.now(), UTC)
        return Ticker(str(found["symbol"]), price, volume, at)


def read_trade(found: Mapping[str, Any]) -> Trade | None:
    """Read one of ccxt's trades; None where it has no price, amount or time."""
    price, amount, stamp = _positive(found.get("price")), _positive(found.get("amount")), found.get("timestamp")
    if price is None or amount is None or not stamp:
        return None
    id_ = str(found.get("id") or f"{stamp} {price} {amount}")
    return Trade(str(found["symbol"]), id_, price, amount, datetime.fromtimestamp(stamp / 1000, UTC))


def _client(settings: VenueSettings) -> Any:
    import ccxt.pro

    streaming = settings.id in ccxt.pro.exchanges
    if not streaming and settings.id not in ccxt.async_support.exchanges:
        near = difflib.get_close_matches(settings.id, ccxt.async_support.exchanges, 3) or ccxt.pro.exchanges[:3]
        raise UnknownVenue(f"ccxt has no exchange {settings.id!r}; did you mean {' or '.join(near)}?")
    client = getattr(ccxt.pro if streaming else ccxt.async_support, settings.id)(
        {
            "enableRateLimit": True,
            "timeout": int(settings.pacing.timeout * 1000),
            "options": {**_SPOT_ONLY, **settings.options},
        }
    )
    if settings.url or settings.stream_url:
        rest, stream = _origin(settings.url, ("http", "https")), _origin(settings.stream_url, ("ws", "wss"))
        client.urls["api"] = _moved(client.urls["api"], rest, stream)
    return client


def _origin(url: str, schemes: tuple[str, ...]) -> str:
    parts = urlsplit(url)
    if url and (parts.scheme not in schemes or not parts.hostname):
        raise Invalid(f"{url!r} is not an address of an exchange; write {schemes[-1]}://host:port", code="invalid_url")
    return url.rstrip("/")


def _moved(urls: Any, rest: str, stream: str) -> Any:
    """Return ccxt's addresses with other origins; paths stay."""
    if isinstance(urls, dict):
        return {name: _moved(each, rest, stream) for name, each in urls.items()}
    if not isinstance(urls, str):
        return urls
    scheme, _, tail = urls.partition("://")
    origin = stream if scheme in ("ws", "wss") else rest
    host, slash, path = tail.partition("/")
    return f"{origin}{slash}{path}" if origin and host else urls


def _candle(row: Sequence[Any]) -> Candle | None:
    try:
        stamp, *values = [float(each) for each in row[:6]]
        open_, high, low, close, volume = values
        return Candle(datetime.fromtimestamp(stamp / 1000, UTC), open_, high, low, close, volume)
    except _UNREADABLE:
        return None


def _positive(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if 0 < number < float("inf") else None
