"""`make bench-web`: how fast pages are answered with many services, on SQLite and on PostgreSQL.

A gateway with 10^4 services and the tallies of 10^6 calls answers one page again and again, in a separate process.
Printed for each page: pages per second and the 95th percentile with 50 readers at once, the time of one page when no
other is asked for (median and p95), and the processor time of a page.
"""

import argparse
import asyncio
import os
import signal
import statistics
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import httpx

from bench.gateway.postgres import scratch_database, server_url
from bench.report import OURS, Row, write
from tests.support.gateway_server import CARD, PAY_TO, SECRET, gateway_world
from tests.support.ledger_samples import bill
from usufruct.assets import Caps, PricePeriod, plain_listing_id
from usufruct.assets.listing_store import put_listing
from usufruct.core import AssetId
from usufruct.gateway import CountingRule, ServedListing, Upstream
from usufruct.gateway.quality.service import ServiceQuality
from usufruct.gateway.quality.store import DAY, HOUR, add_tallies
from usufruct.gateway.quality.tally import Outcome, Tally, Times
from usufruct.gateway.store import Serving, put_serving, sealed_upstreams
from usufruct.store import Database, Seal, migrate, open_database
from usufruct.web import event_loop_factory

PAGES = {"home": "/", "search": "/?q=poet+7&success=900&sort=cheapest", "service": "/s/poet-77"}
READERS = 50
_BATCH = 200


async def fill(database: Database, services: int, calls: int) -> None:
    """Sell services, and count so many calls among them over 30 days."""
    seal, caps = Seal(SECRET, "upstreams"), Caps(usual_output=100, largest_output=1_000)
    upstreams, each_day = (Upstream("http://127.0.0.1:1/v1", "m"),), max(1, calls // services // 4)
    names = [f"poet-{number}" for number in range(services)]
    for at in range(0, services, _BATCH):
        assets: list[AssetId] = []
        async with database.transaction() as unit:
            for number, name in enumerate(names[at : at + _BATCH], at):
                price = PricePeriod(replace(CARD, per_call=number), 0)
                asset = plain_listing_id(name, PAY_TO)
                listing = ServedListing(name, "chat", PAY_TO, asset, (price,), caps=caps, created_at=number)
                await put_listing(unit, listing, None)
                await put_serving(unit, Serving(asset, sealed_upstreams(asset, upstreams, seal), CountingRule()))
                assets.append(asset)
            now = await database.now()
            for age in range(0, 28, 7):
                tallies = {asset: _tally(each_day, number) for number, asset in enumerate(assets)}
                await add_tallies(unit, tallies, DAY, now - age * DAY)
                if not age:
                    await add_tallies(unit, tallies, HOUR, now)
    await ServiceQuality(database).summarize()


def _tally(calls: int, number: int) -> Tally:
    tally = Tally()
    for at in range(calls):
        tally.add(Outcome.ANSWERED, Times(0.0, 0.1 + at % 9 * (1 + number % 7) / 10, 9.0), bill(at))
    return tally


async def serve(url: str) -> None:
    """Answer pages until told to stop; the address is printed."""
    async with gateway_world(url) as world:
        await world.gateway.search.refresh()
        print(world.url.removesuffix("/v1"), flush=True)
        assert world.server is not None
        assert world.stopped is not None
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, world.server.drain)
        await world.stopped.wait()


async def measure(root: str, pid: int, subject: str, seconds: float) -> list[Row]:
    """Ask for each page by one reader, then by many."""
    rows: list[Row] = []
    limits = httpx.Limits(max_connections=READERS)
    async with httpx.AsyncClient(base_url=root, timeout=60, limits=limits) as client:
        for name, path in PAGES.items():
            await _ask(client, path, 1)
            alone, _ = await _ask(client, path, seconds / 2)
            before = _processor_seconds(pid)
            many, took = await _ask(client, path, seconds, READERS)
            used = (_processor_seconds(pid) - before) / len(many)
            for metric, value, unit, count in (
                ("pages_per_second", len(many) / took, "1/s", len(many)),
                (f"p95_at_{READERS}", statistics.quantiles(many, n=20)[18] * 1_000, "ms", len(many)),
                ("one_at_a_time_p50", statistics.median(alone) * 1_000, "ms", len(alone)),
                ("one_at_a_time_p95", statistics.quantiles(alone, n=20)[18] * 1_000, "ms", len(alone)),
                ("cpu_per_page", used * 1_000, "ms", len(many)),
            ):
                rows.append(Row(f"web_{name}_{metric}", subject, value, unit, count))
    return rows


async def _ask(client: httpx.AsyncClient, path: str, seconds: float, readers: int = 1) -> tuple[list[float], float]:
    times: list[float] = []
    began = perf_counter()

    async def read() -> None:
        while perf_counter() < began + seconds or len(times) < 2 * readers:
            asked = perf_counter()
            (await client.get(path)).raise_for_status()
            times.append(perf_counter() - asked)

    await asyncio.gather(*(read() for _ in range(readers)))
    return times, perf_counter() - began


def _processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def run(subject: str, url: str, options: argparse.Namespace) -> list[Row]:
    """Fill one database, serve it in a separate process, and measure."""
    database = open_database(url)
    await migrate(database)
    await fill(database, options.services, options.calls)
    await database.close()
    command = (sys.executable, "-m", "bench.web", "--serve", url)
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        root = (await process.stdout.readline()).decode().strip()
        return await measure(root, process.pid, subject, options.seconds)
    finally:
        process.terminate()
        await process.wait()


def main() -> None:
    """Read the options, and measure or serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--services", type=int, default=10_000)
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=10.0, help="for each page")
    parser.add_argument("--serve", metavar="URL", help="answer pages over this database, for the measuring process")
    options = parser.parse_args()
    with asyncio.Runner(loop_factory=event_loop_factory()) as runner:
        if options.serve:
            runner.run(serve(options.serve))
            return
        with ExitStack() as stack:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            urls = {OURS: f"sqlite:///{folder}/bench.db"}
            if server := server_url():
                urls[f"{OURS}+postgres"] = stack.enter_context(scratch_database(server))
            write("web", [row for each in urls.items() for row in runner.run(run(*each, options))])


if __name__ == "__main__":
    main()
