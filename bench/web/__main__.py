"""`make bench-web`: how fast pages are answered with many services, calls and reviews, on SQLite and on PostgreSQL.

A `usufruct serve` with 10^4 services, 10^6 calls and 10^5 reviews is asked for one page again and again, over loopback,
beside a bare Starlette application that answers the first page's bytes. For each page: pages per second and the 95th
percentile with 50 readers at once, the processor time of a page, and the time of a page when no other is asked for. All
times are the reader's: they hold the wait for the pages before it.
"""

import argparse
import asyncio
import itertools
import statistics
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from sys import executable

import httpx
import psutil

from bench.gateway.installation import Commands, chain
from bench.gateway.postgres import scratch_database, server_url
from bench.gateway.processes import cpu_seconds, started
from bench.report import OURS, ROOT, Row, write
from bench.web.readers import BROWSER, HTMX, read
from bench.web.seed import Size, seed
from bench.web.streams import read_streams
from usufruct.web import event_loop_factory

READERS = 50
STREAMS = 1_000
STREAM = "/_gallery/steps"
"""The event stream that a page has: three steps in 1.2 seconds."""

_READY_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Page:
    """What readers ask for: one path again and again, or one after the other."""

    paths: Sequence[str]
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Site:
    """A server under measurement: the subject's name, its address, and its one worker."""

    name: str
    root: str
    worker: psutil.Process


@contextmanager
def installation(folder: Path, url: str, size: Size) -> Iterator[tuple[str, psutil.Process]]:
    """Serve a filled database while the block runs; yields the address of the pages, and the worker."""
    with ExitStack() as stack:
        commands = Commands(folder, stack.enter_context(chain()), url)
        commands.run("migrate")
        asyncio.run(seed(url, commands.environment["USUFRUCT_DATA_SECRET"], size))
        commands.run("deploy", "--yes")
        serve = (executable, "-m", "usufruct.cli", "serve")
        process, ready = stack.enter_context(started(serve, folder / "gateway.log", commands.environment))
        root = str(ready["url"]).removesuffix("/v1")
        asyncio.run(_until_indexed(root, size.services))
        yield root, process


async def _until_indexed(root: str, services: int) -> None:
    async with httpx.AsyncClient(base_url=root, timeout=60) as client, asyncio.timeout(_READY_SECONDS):
        while (await client.get("/v1/services")).json()["total"] < services:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.5)


def pages_of(root: str, services: int) -> dict[str, Page]:
    """Return what is measured; the desk is read by the operator."""
    with httpx.Client(base_url=root, timeout=60) as client:
        asset = client.get("/v1/models/poet-77").raise_for_status().json()["asset"]
        client.post("/v1/sessions/operator", json={}).raise_for_status()
        operator = {"cookie": "; ".join(f"{each.name}={each.value}" for each in client.cookies.jar)}
    numbers = range(0, services, 7)
    return {
        "home": Page(["/"], BROWSER),
        "service": Page(["/s/poet-77"], BROWSER),
        "reviews": Page([f"/reviews-of/{asset}"], BROWSER),
        "desk": Page(["/desk"], BROWSER | operator),
        "other_services": Page([f"/s/poet-{number}" for number in numbers], BROWSER),
        "search": Page([f"/?q=poet+{number}&sort=cheapest" for number in numbers], HTMX),
    }


async def measure(site: Site, name: str, page: Page, seconds: float) -> list[Row]:
    """Ask for a page by one reader, then by many."""
    paths = itertools.cycle(page.paths)
    await read(site.root, paths, page.headers, 0)
    alone = await read(site.root, paths, page.headers, seconds / 2)
    before = cpu_seconds([site.worker])
    many = await read(site.root, paths, page.headers, seconds, READERS)
    used, count = cpu_seconds([site.worker]) - before, len(many.seconds)
    figures = (
        (f"p95_at_{READERS}", _p95(many.seconds) * 1_000, "ms", count),
        ("cpu", used / count * 1_000, "ms", count),
        ("pages_per_second", count / many.elapsed, "1/s", count),
        ("alone_p50", statistics.median(alone.seconds) * 1_000, "ms", len(alone.seconds)),
        ("alone_p95", _p95(alone.seconds) * 1_000, "ms", len(alone.seconds)),
    )
    return [Row(f"{name}_{metric}", site.name, value, unit, n) for metric, value, unit, n in figures]


async def measure_streams(site: Site) -> list[Row]:
    """Have many readers follow the event stream at the same time."""
    rest = site.worker.memory_info().rss / 1e6
    found = await read_streams(site.root, STREAM, STREAMS, site.worker)
    return [
        Row("memory_before_streams", site.name, rest, "MB", 1),
        Row(f"memory_at_{STREAMS}_streams", site.name, found.megabytes, "MB", found.most, f"{found.most} open at once"),
    ]


def _p95(seconds: Sequence[float]) -> float:
    return statistics.quantiles(seconds, n=20)[18]


def run(name: str, url: str, folder: Path, options: argparse.Namespace) -> list[Row]:
    """Fill one database, serve it, and measure its pages beside the bare one."""
    size = Size(options.services, options.calls, options.reviews)
    with ExitStack() as stack:
        root, worker = stack.enter_context(installation(folder, url, size))
        site, pages = Site(name, root, worker), pages_of(root, size.services)
        home = folder / "home.gz"
        with httpx.Client(headers=BROWSER) as client, client.stream("GET", root) as answer:
            home.write_bytes(b"".join(answer.iter_raw()))
        bare, ready = stack.enter_context(started((executable, "-m", "bench.web.bare", str(home)), folder / "bare.log"))
        floor = Site(f"bare beside {name}", str(ready["url"]), bare)
        runner = stack.enter_context(asyncio.Runner(loop_factory=event_loop_factory()))
        rows = runner.run(measure(floor, "home", Page(["/"], BROWSER), options.seconds))
        for page in pages:
            rows += runner.run(measure(site, page, pages[page], options.seconds))
        return rows + runner.run(measure_streams(site))


def main() -> None:
    """Read the options, and measure."""
    parser = argparse.ArgumentParser(prog="make bench-web", description=__doc__)
    parser.add_argument("--services", type=int, default=10_000)
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--reviews", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=4.0, help="for each page")
    parser.add_argument("--subjects", default=f"{OURS},{OURS}+postgres", help="of these, separated by commas")
    options = parser.parse_args()
    chosen = options.subjects.split(",")
    rows: list[Row] = []
    (ROOT / "build").mkdir(exist_ok=True)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=ROOT / "build")))
        urls = {OURS: f"sqlite:///{folder}/bench.db"} if OURS in chosen else {}
        if f"{OURS}+postgres" in chosen and (server := server_url()):
            urls[f"{OURS}+postgres"] = stack.enter_context(scratch_database(server))
        for number, (name, url) in enumerate(urls.items()):
            own = folder / str(number)
            own.mkdir()
            rows += run(name, url, own, options)
    write("web", rows)


if __name__ == "__main__":
    main()
