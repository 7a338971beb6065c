"""Unmodified ccxt reads a local server that speaks Binance's protocol; faults end in named refusals."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from tests.support.exchange_server import DAY, ExchangeServer, Fault, market_of
from tests.support.fake_clock import FakeClock
from usufruct.connectors.exchanges import (
    Pacing,
    SymbolTable,
    TradedSymbol,
    UnknownVenue,
    UnlistedSymbol,
    UnmappedAsset,
    Venue,
    VenueLacks,
    VenueRateLimited,
    VenueRefused,
    VenueSettings,
    VenueTimedOut,
    VenueUnavailable,
    VenueUnreadable,
    live_prices,
    live_trades,
)
from usufruct.connectors.prices import LARGEST, Interval, SyntheticMarket, synthesize
from usufruct.core import Invalid

PANEL = synthesize(SyntheticMarket(assets=24, days=40))
FIRST = datetime(2019, 1, 1, tzinfo=UTC)
NOW = int((FIRST + timedelta(days=39, hours=7)).timestamp())  # the bar of the last day is not closed
SYMBOL, ID = "LAY001/USDT", "LAY001USDT"
TABLE = SymbolTable([TradedSymbol("binance", SYMBOL, LARGEST, date(2019, 1, 1))])


@pytest.fixture
def server():
    with ExchangeServer(market_of(PANEL, LARGEST, "LAY001")) as server:
        yield server


@pytest.fixture
def pauses():
    return []


@pytest.fixture
async def venue(server, pauses):
    async def sleep(seconds):
        pauses.append(seconds)

    pacing = Pacing(tries=3, sleep=sleep, timeout=60.0)
    settings = VenueSettings("binance", url=server.url, stream_url=server.stream_url, page=15, pacing=pacing)
    async with Venue(settings, FakeClock(NOW)) as venue:
        yield venue


async def test_bars_come_page_by_page_and_go_on_where_they_stopped(venue, server):
    pages = [page async for page in venue.pages(SYMBOL, Interval.DAY, FIRST)]
    assert [len(page.candles) for page in pages] == [15, 15, 9], "the running bar is left out"
    closes = [each.close for page in pages for each in page.candles]
    assert closes == pytest.approx(PANEL.close[:39, PANEL.column[LARGEST]].tolist(), rel=1e-11)
    again = [page async for page in venue.pages(SYMBOL, Interval.DAY, pages[0].next)]
    assert [page.candles for page in again] == [page.candles for page in pages[1:]]
    assert [page.candles async for page in venue.pages(SYMBOL, Interval.DAY, pages[-1].next)] == [()]
    asked = server.asked("klines")
    assert [int(each["startTime"]) for each in asked[:3]] == [
        int(FIRST.timestamp() * 1e3) + n * DAY for n in (0, 15, 30)
    ]


async def test_hours_gaps_and_unreadable_rows(venue, server):
    start = int(FIRST.timestamp() * 1e3)
    server.remove_bars(ID, "1d", start + 10 * DAY, 20)
    server.repeat_bars(ID, "1d", start + 3 * DAY, close=1.0)
    server.markets[ID].bars["1d"].insert(2, (start + DAY, float("nan"), 1.0, 1.0, 1.0, 1.0))
    pages = [page async for page in venue.pages(SYMBOL, Interval.DAY, FIRST)]
    times = [(each.time - FIRST).days for page in pages for each in page.candles]
    assert sorted(set(times)) == [*range(10), *range(30, 39)]
    assert times.count(3) == 2, "a bar that is repeated is handed on: the archive's rules judge it"
    hours = await venue.candles(SYMBOL, Interval.HOUR, FIRST + timedelta(days=39))
    assert len(hours.candles) == 7
    assert hours.last


async def test_the_exchange_s_advice_is_followed(venue, server, pauses):
    server.limit_rate("klines", retry_after=7, times=2)
    page = await venue.candles(SYMBOL, Interval.DAY, FIRST)
    assert len(page.candles) == 15
    assert pauses == [7.0, 7.0]


async def test_a_ban_is_not_waited_for(venue, server, pauses):
    server.limit_rate("klines", retry_after=3600)
    with pytest.raises(VenueRateLimited, match="binance wants fewer requests; try again after 3600 s") as caught:
        await venue.candles(SYMBOL, Interval.DAY, FIRST)
    assert caught.value.details == {"retry_after": 3600}
    assert pauses == []


async def test_a_failing_exchange_is_asked_again_with_longer_pauses(venue, server, pauses):
    server.fail("klines", Fault(503, "<html>maintenance</html>", times=2))
    assert (await venue.candles(SYMBOL, Interval.DAY, FIRST)).candles
    assert pauses == [1.0, 2.0]
    server.fail("klines", Fault(502, "bad gateway", times=3))
    with pytest.raises(VenueUnavailable, match="binance cannot be reached or does not serve now"):
        await venue.candles(SYMBOL, Interval.DAY, FIRST)


async def test_faults_have_names(venue, server):
    server.fail("klines", Fault(200, '{"unexpected": 1}', times=3))
    with pytest.raises(VenueUnreadable, match="binance answered what ccxt cannot read"):
        await venue.candles(SYMBOL, Interval.DAY, FIRST)
    server.fail("klines", Fault(403, '{"code":-2015,"msg":"Invalid API-key, IP, or permissions for action."}'))
    with pytest.raises(VenueRefused, match=r"binance refuses: .*-2015"):
        await venue.candles(SYMBOL, Interval.DAY, FIRST)
    for ask in (venue.candles("ZZZ/USDT", Interval.DAY, FIRST), venue.tickers(["ZZZ/USDT"])):
        with pytest.raises(UnlistedSymbol, match="binance does not trade 'ZZZ/USDT'; correct the table"):
            await ask
    server.fail("klines", Fault(hang=True))
    venue.pacing = replace(venue.pacing, timeout=0.2, tries=1)  # nothing comes: no machine is too slow for it
    with pytest.raises(VenueTimedOut, match="binance did not answer within"):
        await venue.candles(SYMBOL, Interval.DAY, FIRST)


async def test_the_list_of_markets_has_a_time_out_of_its_own(venue, server):
    server.fail("exchangeInfo", Fault(hang=True))
    venue.pacing = replace(venue.pacing, timeout=60.0, markets_timeout=0.2, tries=1)
    with pytest.raises(VenueTimedOut, match=r"binance did not answer within 0\.2 s"):
        await venue.candles(SYMBOL, Interval.DAY, FIRST)


async def test_an_exchange_that_is_away_is_named():
    settings = VenueSettings("binance", url="http://127.0.0.1:1", pacing=Pacing(tries=1))
    async with Venue(settings) as venue:
        with pytest.raises(VenueUnavailable, match="binance cannot be reached"):
            await venue.symbols()


async def test_what_cannot_work_is_refused_at_once():
    with pytest.raises(UnknownVenue, match=r"ccxt has no exchange 'binnance'; did you mean .*binance"):
        Venue(VenueSettings("binnance"))
    with pytest.raises(Invalid, match="is not an address of an exchange"):
        Venue(VenueSettings("binance", url="ftp://example.org"))
    async with Venue(VenueSettings("btcbox")) as venue:
        with pytest.raises(VenueLacks, match="btcbox does not offer this by ccxt"):
            await venue.next_ticker("BTC/JPY")
    async with Venue(VenueSettings("binance")) as venue:
        venue._client.timeframes = {"1m": "1m"}
        with pytest.raises(VenueLacks, match="no bars of 1d"):
            await venue.candles(SYMBOL, Interval.DAY, FIRST)


async def test_tickers(venue):
    (ticker,) = await venue.tickers([SYMBOL])
    assert ticker.price == pytest.approx(PANEL.close[-1, PANEL.column[LARGEST]])
    assert ticker.volume == pytest.approx(PANEL.volume[-1, PANEL.column[LARGEST]])


async def test_requests_keep_the_distance_that_ccxt_knows_of_the_exchange(venue, server):
    for _ in range(6):
        await venue.candles(SYMBOL, Interval.DAY, FIRST)
    times = [at for path, _, at in server.requests if path == "klines"]
    assert times[-1] - times[0] >= 5 * 0.02 * 0.9, "2 units of weight a request, 6,000 of them a minute"


async def test_live_prices_survive_a_cut_stream(venue, server, pauses):
    prices = live_prices(venue, [SYMBOL], TABLE)
    first = asyncio.ensure_future(anext(prices))
    await asyncio.to_thread(server.wait_for_subscription, "lay001usdt@ticker")
    await asyncio.to_thread(server.tick, ID, 123.5, NOW * 1000)
    price = await first
    assert (price.venue, price.asset, price.price, price.quote) == ("binance", LARGEST, 123.5, "USDT")
    assert price.at == datetime.fromtimestamp(NOW, UTC)
    second = asyncio.ensure_future(anext(prices))
    await asyncio.to_thread(server.cut_streams)
    await asyncio.to_thread(server.wait_for_subscription, "lay001usdt@ticker", 2)
    await asyncio.to_thread(server.tick, ID, 124.5, NOW * 1000 + 1)
    assert (await second).price == 124.5
    assert pauses == [1.0]
    await prices.aclose()


async def test_a_stream_that_stays_away_ends_in_a_refusal(venue, server, pauses):
    server.refuse_streams = True
    with pytest.raises(VenueUnavailable, match="binance cannot be reached"):
        await anext(live_prices(venue, [SYMBOL], TABLE))
    assert pauses == [1.0, 2.0]


async def test_trades_lost_while_the_stream_was_cut_are_fetched_each_once(venue, server):
    trades = live_trades(venue, SYMBOL, TABLE)
    first = asyncio.ensure_future(anext(trades))
    await asyncio.to_thread(server.wait_for_subscription, "lay001usdt@aggTrade")
    await asyncio.to_thread(server.trade, ID, 100.0, 2.0, NOW * 1000)
    trade = await first
    assert (trade.id, trade.asset, trade.price, trade.amount, trade.caught_up) == ("1", LARGEST, 100.0, 2.0, False)
    second = asyncio.ensure_future(anext(trades))
    await asyncio.to_thread(server.cut_streams)
    await asyncio.to_thread(server.wait_for_subscription, "lay001usdt@aggTrade", 2)
    for number in range(1, 4):
        await asyncio.to_thread(server.trade, ID, 100.0 + number, 1.0, NOW * 1000 + number, lost=number < 3)
    found = [await second, await anext(trades), await anext(trades)]
    assert [(each.id, each.caught_up) for each in found] == [("2", True), ("3", True), ("4", True)]
    later = asyncio.ensure_future(anext(trades))
    await asyncio.to_thread(server.trade, ID, 110.0, 1.0, NOW * 1000 + 9)
    assert (await later).id == "5"
    await trades.aclose()


async def test_a_symbol_without_a_row_has_no_asset(venue, server):
    prices = live_prices(venue, [SYMBOL], SymbolTable([TradedSymbol("binance", "OTHER/USDT", "other")]))
    first = asyncio.ensure_future(anext(prices))
    await asyncio.to_thread(server.wait_for_subscription, "lay001usdt@ticker")
    await asyncio.to_thread(server.tick, ID, 1.0, NOW * 1000)
    with pytest.raises(UnmappedAsset, match="which asset LAY001/USDT of binance is"):
        await first
