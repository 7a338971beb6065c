"""An exchange on this machine that speaks Binance's spot protocol, REST and websocket, from a simulated market.

It runs in a thread of its own, so that tests may use a client that blocks. Faults are injected by `fail` and the
methods below it; `requests` has what was asked, with the monotonic time of arrival.
"""

import asyncio
import json
import threading
import time
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, Self

from aiohttp import WSMsgType, web

from usufruct.connectors.prices import Panel

DAY, HOUR = 86_400_000, 3_600_000
_STEPS = {"1d": DAY, "1h": HOUR}
_MOST_ROWS = 1_000


@dataclass
class TradedMarket:
    """One symbol: its bars by interval, as (start in milliseconds, open, high, low, close, base volume), and trades."""

    base: str
    quote: str
    bars: dict[str, list[tuple[int, float, float, float, float, float]]]
    trades: list[dict[str, Any]] = field(default_factory=list)
    status: str = "TRADING"

    @property
    def id(self) -> str:
        """The exchange's name of it."""
        return self.base + self.quote


@dataclass
class Fault:
    """What an endpoint answers in place of its data, `times` times; status 0: its data."""

    status: int = 0
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    times: int = 1
    hang: bool = False


def market_of(panel: Panel, asset: str, base: str, quote: str = "USDT") -> TradedMarket:
    """Return a market whose daily closes and volumes are those of an asset of a panel; hours lie between them."""
    column = panel.column[asset]
    first = int(datetime(panel.first_day.year, panel.first_day.month, panel.first_day.day, tzinfo=UTC).timestamp())
    days, hours = [], []
    before = None
    for row in range(panel.days):
        close, volume = float(panel.close[row, column]), float(panel.volume[row, column])
        if not close > 0:
            before = None
            continue
        start = (first + row * 86_400) * 1_000
        opened = before or close
        amount = (volume if volume > 0 else 0.0) / close
        days.append((start, opened, max(opened, close) * 1.01, min(opened, close) * 0.99, close, amount))
        steps = [opened + (close - opened) * n / 24 for n in range(25)]
        for hour, (a, b) in enumerate(pairwise(steps)):
            hours.append((start + hour * HOUR, a, max(a, b), min(a, b), b, amount / 24))
        before = close
    return TradedMarket(base, quote, {"1d": days, "1h": hours})


class ExchangeServer:
    """The server; used by `with`."""

    def __init__(self, *markets: TradedMarket) -> None:
        self.markets = {each.id: each for each in markets}
        self.requests: list[tuple[str, dict[str, str], float]] = []
        self._faults: dict[str, deque[Fault]] = defaultdict(deque)
        self._streams: dict[web.WebSocketResponse, set[str]] = {}
        self._changed = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.opened = 0
        """How many streams were opened."""
        self.refuse_streams = False

    def __enter__(self) -> Self:
        self._thread.start()
        self._run(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._runner.cleanup())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def url(self) -> str:
        """What replaces the exchange's own host."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def stream_url(self) -> str:
        """What replaces the host of its streams; ccxt tells spot streams from others by the word `stream`."""
        return f"ws://127.0.0.1:{self._port}/stream"

    def asked(self, endpoint: str) -> list[dict[str, str]]:
        """Return the parameters of the requests to an endpoint."""
        return [query for path, query, _ in self.requests if path == endpoint]

    # faults

    def fail(self, endpoint: str, *faults: Fault) -> None:
        """Let an endpoint fail, one fault after the other."""
        self._faults[endpoint].extend(faults)

    def fail_after(self, endpoint: str, answers: int, fault: Fault) -> None:
        """Let an endpoint fail after so many more answers."""
        self.fail(endpoint, Fault(times=answers), fault)

    def limit_rate(self, endpoint: str, retry_after: int, times: int = 1) -> None:
        """Answer that there were too many requests."""
        body = '{"code":-1003,"msg":"Too much request weight used; please use the websocket."}'
        self.fail(endpoint, Fault(429, body, {"Retry-After": str(retry_after)}, times))

    def remove_bars(self, symbol: str, interval: str, start: int, count: int) -> None:
        """Leave a gap in the bars."""
        bars = self.markets[symbol].bars[interval]
        self.markets[symbol].bars[interval] = [
            each for each in bars if not start <= each[0] < start + count * _STEPS[interval]
        ]

    def repeat_bars(self, symbol: str, interval: str, start: int, **changes: float) -> None:
        """Report a bar twice, the second time with other prices if given."""
        bars = self.markets[symbol].bars[interval]
        index = next(n for n, each in enumerate(bars) if each[0] == start)
        names = ("start", "open", "high", "low", "close", "volume")
        again = dict(zip(names, bars[index], strict=True)) | changes
        bars.insert(index + 1, tuple(again[name] for name in names))  # type: ignore[arg-type]

    def redenominate(self, symbol: str, start: int, units: float) -> None:
        """Quote the symbol from `start` on in units of so many old ones; the symbol stays."""
        for interval, bars in self.markets[symbol].bars.items():
            self.markets[symbol].bars[interval] = [
                each if each[0] < start else (each[0], *(value * units for value in each[1:5]), each[5] / units)
                for each in bars
            ]

    def cut_streams(self) -> None:
        """Close every stream without the closing handshake."""
        self._run(self._cut())

    # what happens

    def tick(self, symbol: str, price: float, at: int, volume: float = 1_000.0) -> None:
        """Publish a ticker."""
        event = {"e": "24hrTicker", "E": at, "s": symbol, **dict.fromkeys("coxhlbaw", f"{price}")}
        event |= {"v": f"{volume / price}", "q": f"{volume}", "p": "0", "P": "0", "O": at - DAY, "C": at, "n": 1}
        self._run(self._publish(f"{symbol.lower()}@ticker", event))

    def trade(self, symbol: str, price: float, amount: float, at: int, *, lost: bool = False) -> None:
        """Make a trade, and publish it unless it is lost for the stream."""
        trades = self.markets[symbol].trades
        number = len(trades) + 1
        trade = {"a": number, "p": f"{price}", "q": f"{amount}", "f": number, "l": number, "T": at, "m": False}
        trades.append(trade | {"M": True})
        if not lost:
            event = {"e": "aggTrade", "E": at, "s": symbol, **trade, "M": True}
            self._run(self._publish(f"{symbol.lower()}@aggTrade", event))

    def wait_for_subscription(self, stream: str, opened: int = 1) -> None:
        """Block until a stream is subscribed to, on the `opened`-th connection or a later one."""
        with self._changed:
            there = self._changed.wait_for(
                lambda: self.opened >= opened and any(stream in names for names in self._streams.values()), 120
            )
        assert there, f"{stream} was not subscribed to"

    # the protocol

    def _run(self, step: Any) -> None:
        asyncio.run_coroutine_threadsafe(step, self._loop).result(120)

    async def _start(self) -> None:
        application = web.Application()
        application.router.add_get("/api/v3/{endpoint:.*}", self._rest)
        application.router.add_get("/stream/ws/{name}", self._stream)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self._port = self._runner.addresses[0][1]

    async def _rest(self, request: web.Request) -> web.StreamResponse:
        endpoint, query = request.match_info["endpoint"], dict(request.query)
        self.requests.append((endpoint, query, time.monotonic()))
        fault = self._fault(endpoint)
        if fault is not None and (fault.status or fault.hang):
            if fault.hang:
                await asyncio.sleep(600)
            return web.Response(
                status=fault.status, text=fault.body, headers=fault.headers, content_type="application/json"
            )
        answers = {
            "ping": self._ping,
            "exchangeInfo": self._info,
            "klines": self._klines,
            "ticker/24hr": self._tickers,
            "aggTrades": self._trades,
        }
        if endpoint not in answers:
            return web.Response(status=404, text="<html>not found</html>", content_type="text/html")
        if "symbol" in query and query["symbol"] not in self.markets:
            return web.json_response({"code": -1121, "msg": "Invalid symbol."}, status=400)
        return web.json_response(answers[endpoint](query))

    def _fault(self, endpoint: str) -> Fault | None:
        faults = self._faults[endpoint]
        if not faults:
            return None
        faults[0].times -= 1
        return faults.popleft() if faults[0].times <= 0 else faults[0]

    def _ping(self, _: Mapping[str, str]) -> Any:
        return {}

    def _info(self, _: Mapping[str, str]) -> Any:
        filters = [
            {"filterType": "PRICE_FILTER", "minPrice": "0.00000001", "maxPrice": "1000000", "tickSize": "0.00000001"},
            {"filterType": "LOT_SIZE", "minQty": "0.00001", "maxQty": "9000000", "stepSize": "0.00001"},
        ]
        symbols = [
            {
                "symbol": each.id,
                "status": each.status,
                "baseAsset": each.base,
                "quoteAsset": each.quote,
                "baseAssetPrecision": 8,
                "quotePrecision": 8,
                "isSpotTradingAllowed": True,
                "orderTypes": ["LIMIT", "MARKET"],
                "permissions": ["SPOT"],
                "filters": filters,
            }
            for each in self.markets.values()
        ]
        limits = [{"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6000}]
        return {"timezone": "UTC", "serverTime": 0, "rateLimits": limits, "exchangeFilters": [], "symbols": symbols}

    def _klines(self, query: Mapping[str, str]) -> Any:
        interval = query["interval"]
        first, last = int(query.get("startTime", 0)), int(query.get("endTime", 1 << 62))
        limit = min(int(query.get("limit", 500)), _MOST_ROWS)
        bars = [each for each in self.markets[query["symbol"]].bars[interval] if first <= each[0] <= last]
        bars = bars[:limit] if "startTime" in query else bars[-limit:]
        return [_kline(each, _STEPS[interval]) for each in bars]

    def _tickers(self, query: Mapping[str, str]) -> Any:
        if "symbol" in query:
            return self._ticker(self.markets[query["symbol"]])
        wanted: Sequence[str] = json.loads(query["symbols"]) if "symbols" in query else list(self.markets)
        return [self._ticker(self.markets[each]) for each in wanted]

    def _ticker(self, market: TradedMarket) -> Any:
        start, opened, high, low, close, volume = market.bars["1d"][-1]
        values = {"openPrice": opened, "highPrice": high, "lowPrice": low, "lastPrice": close, "volume": volume}
        values |= {"quoteVolume": volume * close, "weightedAvgPrice": close}
        texts = {name: f"{value:.12f}" for name, value in values.items()}
        return {"symbol": market.id, **texts, "openTime": start, "closeTime": start + DAY - 1, "count": 1}

    def _trades(self, query: Mapping[str, str]) -> Any:
        first, last = int(query.get("startTime", 0)), int(query.get("endTime", 1 << 62))
        trades = [each for each in self.markets[query["symbol"]].trades if first <= each["T"] <= last]
        limit = min(int(query.get("limit", 500)), _MOST_ROWS)
        return trades[:limit] if "startTime" in query else trades[-limit:]

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        if self.refuse_streams:
            return web.Response(status=503)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._streams[socket] = set()
        self.opened += 1
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await self._answer(socket, json.loads(message.data))
        finally:
            self._streams.pop(socket, None)
        return socket

    async def _answer(self, socket: web.WebSocketResponse, message: Mapping[str, Any]) -> None:
        names = self._streams[socket]
        if message["method"] == "SUBSCRIBE":
            names.update(message["params"])
        elif message["method"] == "UNSUBSCRIBE":
            names.difference_update(message["params"])
        await socket.send_json({"result": None, "id": message["id"]})
        with self._changed:
            self._changed.notify_all()

    async def _publish(self, stream: str, event: Mapping[str, Any]) -> None:
        for socket, names in list(self._streams.items()):
            if stream in names:
                await socket.send_json(event)

    async def _cut(self) -> None:
        for socket in list(self._streams):
            transport = socket._req.transport  # type: ignore[union-attr]
            if transport is not None:
                transport.abort()
        self._streams.clear()


def _kline(bar: tuple[int, float, float, float, float, float], step: int) -> list[Any]:
    start, *prices, volume = bar
    quoted = volume * prices[3]
    texts = [f"{each:.12f}" for each in prices]
    return [start, *texts, f"{volume:.12f}", start + step - 1, f"{quoted:.12f}", 10, "0", "0", "0"]
