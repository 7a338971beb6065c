"""Unmodified ccxt follows an exchange on this machine; its stream is cut, and the worker is killed."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import ccxt.pro  # noqa: F401 - loads for long on a busy machine, which no wait below is meant for
import pytest

from tests.support.exchange_server import ExchangeServer, market_of
from tests.support.fake_clock import FakeClock
from tests.support.live_worker import STALE_AFTER, STREAM, jobs_of
from tests.support.waiting import until
from usufruct.analytics.live.price_file import read_table
from usufruct.connectors.exchanges import Pacing, VenueUnavailable
from usufruct.connectors.prices import LARGEST, SyntheticMarket, synthesize
from usufruct.core.jobs import Job

PANEL = synthesize(SyntheticMarket(assets=24, days=40))
ID = "LAY001USDT"
NOW = 1_770_000_000


@pytest.fixture
def server() -> Iterator[ExchangeServer]:
    with ExchangeServer(market_of(PANEL, LARGEST, "LAY001")) as server:
        yield server


@dataclass
class Worker:
    """The jobs of a worker, whose steps a test takes."""

    folder: Path
    clock: FakeClock
    stream: Job
    publisher: Job

    def price(self) -> float | None:
        table = read_table(self.folder)
        return None if table is None else table.medians[LARGEST].price

    def is_stale(self) -> bool:
        table = read_table(self.folder)
        assert table is not None
        return table.is_stale(table.medians[LARGEST], self.clock.now())

    async def published(self, price: float) -> None:
        async def there() -> bool:
            await self.publisher.step()
            return self.price() == price

        await until(there)


async def no_pause(_: float) -> None:
    await asyncio.sleep(0)


@pytest.fixture
async def worker(server: ExchangeServer, tmp_path: Path) -> AsyncIterator[Worker]:
    clock, folder = FakeClock(NOW), tmp_path / "live"
    pacing = Pacing(tries=3, sleep=no_pause, timeout=60.0)
    stream, publisher = jobs_of(folder, server.url, server.stream_url, clock, pacing)
    yield Worker(folder, clock, stream, publisher)
    assert stream.close is not None
    await stream.close()


async def tick(server: ExchangeServer, price: float, at: int, opened: int = 1) -> None:
    await asyncio.to_thread(server.wait_for_subscription, STREAM, opened)
    await asyncio.to_thread(server.tick, ID, price, at * 1000)


async def test_a_cut_stream_is_opened_again_and_its_price_is_stale_meanwhile(worker: Worker, server: ExchangeServer):
    await worker.stream.step()
    await tick(server, 123.5, NOW)
    await worker.published(123.5)
    assert not worker.is_stale()
    server.refuse_streams = True
    await asyncio.to_thread(server.cut_streams)
    worker.clock.advance(STALE_AFTER + 1)
    assert worker.is_stale()
    with pytest.raises(VenueUnavailable, match="binance"):
        await until(worker.stream.step)  # the step names that nothing comes
    await worker.publisher.step()
    assert (worker.price(), worker.is_stale()) == (123.5, True), "the last price stays, and is called stale"
    server.refuse_streams = False

    async def opened_again() -> bool:
        try:
            await worker.stream.step()
        except VenueUnavailable:
            return server.opened >= 2
        return False

    await until(opened_again)
    await tick(server, 124.5, worker.clock.now(), 2)
    await worker.published(124.5)
    assert not worker.is_stale()
    await worker.stream.step()


async def test_a_killed_worker_leaves_a_price_that_grows_old_and_another_takes_over(
    server: ExchangeServer, tmp_path: Path
):
    folder = tmp_path / "live"
    command = [sys.executable, "-m", "tests.support.live_worker", str(folder), server.url, server.stream_url]
    process = await asyncio.create_subprocess_exec(*command, cwd=Path(__file__).parents[3])
    try:
        await asyncio.to_thread(server.wait_for_subscription, STREAM)
        now = int(time.time())
        await tick(server, 50.0, now)
        await until(lambda: read_table(folder))
        clock = FakeClock(now)
        stream, publisher = jobs_of(folder, server.url, server.stream_url, clock, Pacing(sleep=no_pause))
        await stream.step()
        await publisher.step()
        assert server.opened == 1, "a second worker waits for its turn"
    finally:
        process.kill()
        await process.wait()
    table = read_table(folder)
    assert table is not None
    assert table.medians[LARGEST].price == 50.0
    assert table.is_stale(table.medians[LARGEST], now + STALE_AFTER)
    await stream.step()
    await tick(server, 51.0, now, 2)
    worker = Worker(folder, clock, stream, publisher)
    await worker.published(51.0)
    newest = read_table(folder)
    assert newest is not None
    assert newest.version > table.version
    assert stream.close is not None
    await stream.close()
