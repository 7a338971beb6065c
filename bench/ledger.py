"""The call ledger alone: opens and meters per second, CPU and bytes for each call, as channels and calls grow.

Rows are made by bulk inserts. Vouchers and receipts are not signed here: signatures cost the same whatever the size.
The first round warms the caches and is not counted. Figures of one size are medians over the others; `flat_*` is the
largest size's time for a call over the smallest one's.
"""

import argparse
import asyncio
import os
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import median

import asyncpg  # type: ignore[import-untyped]
import psutil

from bench.gateway.postgres import scratch_database, server_processes, server_url
from bench.report import Row, write
from usufruct.config import LedgerConfig
from usufruct.core import AssetId, Hash32, asset_to_bytes, hash32_from_bytes, id_to_bytes, time_ordered_id
from usufruct.core.price_cards import PriceCard
from usufruct.payments.ledger.records import Bill, Opened, Reservation
from usufruct.payments.ledger.rows import lines_text
from usufruct.payments.ledger.service import Ledger, open_ledger
from usufruct.payments.pricing.charges import price_lines
from usufruct.payments.pricing.usage import Usage
from usufruct.payments.pricing.vouchers import VerifiedVoucher, Voucher
from usufruct.store import Seal, amount_to_blob, connect_sqlite, migrate, open_database

SIZES = ((1_000, 10_000), (30_000, 300_000))
FULL_SIZES = ((1_000, 10_000), (1_000_000, 10_000_000))
CONCURRENCY = 32
CHARGE = 500
SIGNATURE = bytes(65)
ZERO = Hash32("0x" + "00" * 32)
LINES = price_lines(Usage(20, 64).quantities, PriceCard(150_000, 600_000, 10, 128_000, 1))
_CHUNK = 20_000
_CACHE_KIB = 6 << 20
"""Of memory, for a large table to be filled in: its indexes are written in random order."""
_ACCOUNT_COLUMNS = (
    *("id", "kind", "chain_id", "owner", "signer", "token", "block", "balance", "total_claimed", "total_split"),
    *("withdraw_at", "leaving", "serve_until", "charged", "reserved", "refunding", "voucher_amount"),
    *("voucher_signature", "last_call_at"),
)
_CALL_COLUMNS = (
    *("id", "account_id", "asset", "state", "owner", "epoch", "lease_until", "ceiling", "price_card_version"),
    *("request_hash", "opened_at", "finished_at", "charge", "cumulative", "lines"),
    *("flagged", "model_digest", "response_hash", "voucher_amount", "voucher_signature"),
    "receipt_signature",
)

Amounts = Callable[[int], object]


@dataclass(frozen=True, slots=True)
class Measured:
    """One round's cost of opening and metering calls: seconds, CPU seconds, bytes, commits, for each call."""

    seconds: float
    cpu: float
    written: float
    commits: float


def account_rows(ids: Sequence[bytes], calls: int, amount: Amounts) -> Iterator[tuple[object, ...]]:
    """Yield accounts that hold much money, of which `calls` calls each were charged."""
    address, zero = bytes(20), amount(0)
    charged = amount(calls * CHARGE)
    for account in ids:
        head = (account, "escrow_channel", 31337, address, address, address, 1)
        numbers = (amount(10**15), zero, zero, 0, zero, 0, charged, zero, zero, charged, SIGNATURE, 1)
        yield (*head, *numbers)


def call_rows(ids: Sequence[bytes], calls: int, amount: Amounts) -> Iterator[tuple[object, ...]]:
    """Yield `calls` metered calls of each channel, in the order of time: they tile what the channel was charged."""
    asset, zero = asset_to_bytes(AssetId(7)), bytes(32)
    ceiling, charge, lines = amount(10_000), amount(CHARGE), lines_text(LINES)
    for number in range(calls):
        cumulative = amount((number + 1) * CHARGE)
        for channel in ids:
            call = id_to_bytes(time_ordered_id(1_000_000 + number))
            head = (call, channel, asset, "metered", "bench", 1, 0, ceiling, 1, zero, 1, 1, charge, cumulative)
            yield (*head, lines, False, zero, zero, cumulative, SIGNATURE, SIGNATURE)


async def fill(url: str, ids: Sequence[bytes], calls: int) -> None:
    """Make a database's channels and calls."""
    if url.startswith("sqlite"):
        await asyncio.to_thread(_fill_sqlite, Path(url.removeprefix("sqlite:///")), ids, calls)
        return
    connection = await asyncpg.connect(url)
    try:
        for table, columns, rows in _tables(ids, calls, int):
            while chunk := list(islice(rows, _CHUNK)):
                await connection.copy_records_to_table(table, records=chunk, columns=columns)
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()


def _fill_sqlite(path: Path, ids: Sequence[bytes], calls: int) -> None:
    connection = connect_sqlite(path)
    for pragma in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{_CACHE_KIB}"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("BEGIN")
    for table, columns, rows in _tables(ids, calls, amount_to_blob):
        places = ", ".join("?" * len(columns))
        connection.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})", rows)
    connection.execute("COMMIT")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()


def _tables(
    ids: Sequence[bytes], calls: int, amount: Amounts
) -> Iterator[tuple[str, tuple[str, ...], Iterator[tuple[object, ...]]]]:
    yield "accounts", _ACCOUNT_COLUMNS, account_rows(ids, calls, amount)
    yield "calls", _CALL_COLUMNS, call_rows(ids, calls, amount)


async def one_call(ledger: Ledger, channel: Hash32) -> None:
    """Open a call, wait until it is durable, meter it."""
    opened = await ledger.open(
        Reservation(
            call=time_ordered_id(int(time.time())),  # noqa: TID251 - a benchmark's own clock
            account=channel,
            asset=AssetId(7),
            ceiling=10_000,
            price_card_version=1,
            request_hash=ZERO,
            sign=lambda amount: VerifiedVoucher(Voucher(channel, amount, SIGNATURE)),
        )
    )
    assert isinstance(opened, Opened)
    await opened.durable()
    bill = Bill(CHARGE, LINES, flagged=False, model_digest=ZERO, response_hash=ZERO)
    await ledger.meter(opened.lease, bill, sign=lambda call: SIGNATURE)


async def measure(url: str, channels: Sequence[bytes], calls: int, rounds: int) -> list[Measured]:
    """Open and meter `calls` calls on random channels, several rounds after one that warms up."""
    database = open_database(url)
    commits = 0

    def point(name: str) -> None:
        nonlocal commits
        commits += name == "commit.after"

    ledger = open_ledger(database, LedgerConfig(), seal=Seal(secrets.token_bytes(32), "bench"), faults=point)
    await asyncio.gather(*(one_call(ledger, hash32_from_bytes(each)) for each in channels[:CONCURRENCY]))
    counted = [psutil.Process()]
    if not url.startswith("sqlite"):
        counted += await asyncio.to_thread(server_processes, url)
    found = []
    for _ in range(1 + rounds):
        numbers = iter(range(calls))

        async def caller(numbers: Iterator[int] = numbers) -> None:
            for _ in numbers:
                await one_call(ledger, hash32_from_bytes(secrets.choice(channels)))

        before, seen, started = _spent(counted), commits, time.perf_counter()
        await asyncio.gather(*(caller() for _ in range(CONCURRENCY)))
        seconds, after = time.perf_counter() - started, _spent(counted)
        cpu, written = after[0] - before[0], after[1] - before[1]
        found.append(Measured(seconds / calls, cpu / calls, written / calls, (commits - seen) / calls))
    await ledger.close()
    await database.close()
    return found[1:]


def _spent(counted: Sequence[psutil.Process]) -> tuple[float, int]:
    """Return CPU seconds and bytes written so far."""
    times = [process.cpu_times() for process in counted]
    written = sum(int(_io(process.pid).get("write_bytes", 0)) for process in counted)
    return sum(each.user + each.system for each in times), written


def _io(pid: int) -> dict[str, str]:
    try:
        lines = Path(f"/proc/{pid}/io").read_text().splitlines()
    except PermissionError:  # a server of another user
        return {}
    return dict(line.split(": ", 1) for line in lines)


async def one_size(url: str, channels: int, calls: int, pairs: int, rounds: int) -> list[Measured]:
    """Fill a fresh database to a size and measure it."""
    database = open_database(url)
    await migrate(database)
    await database.close()
    ids = [secrets.token_bytes(32) for _ in range(channels)]
    await fill(url, ids, max(1, calls // channels))
    return await measure(url, ids, pairs, rounds)


def rows_of(subject: str, sizes: Sequence[tuple[int, int]], results: Sequence[Sequence[Measured]]) -> list[Row]:
    """Return a database's figures."""
    rows = []
    for (channels, calls), rounds in zip(sizes, results, strict=True):
        size, n = f"{channels}ch_{calls}calls", len(rounds)
        per_call = median(each.seconds for each in rounds)
        rows += [
            Row(f"opens_and_meters_per_s_{size}", subject, 1 / per_call, "1/s", n),
            Row(f"cpu_per_call_{size}", subject, median(each.cpu for each in rounds) * 1e6, "us", n),
            Row(f"bytes_written_per_call_{size}", subject, median(each.written for each in rounds), "bytes", n),
            Row(f"commits_per_call_{size}", subject, median(each.commits for each in rounds), "", n),
        ]
    for name in ("seconds", "cpu"):
        first, last = (median(getattr(each, name) for each in rounds) for rounds in (results[0], results[-1]))
        rows.append(Row(f"flat_{name}", subject, last / first, "x", len(results[0])))
    return rows


def main() -> None:
    """Measure SQLite, and PostgreSQL where a server answers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="up to 10^6 channels and 10^7 calls; 10 minutes, 10 GB")
    parser.add_argument("--calls", type=int, default=3_000, help="calls in a round")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    sizes = FULL_SIZES if options.full else SIZES
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(dir=os.path.realpath("build")) as folder:
        urls = [f"sqlite:///{folder}/{number}.db" for number in range(len(sizes))]
        results = [
            asyncio.run(one_size(url, *size, options.calls, options.rounds))
            for url, size in zip(urls, sizes, strict=True)
        ]
        rows += rows_of("usufruct", sizes, results)
    server = server_url()
    if server is None:
        rows.append(Row("opens_and_meters_per_s", "usufruct+postgres", None, "1/s", 0, "no server answers"))
    else:
        results = []
        for size in sizes:
            with scratch_database(server) as url:
                results.append(asyncio.run(one_size(url, *size, options.calls, options.rounds)))
        rows += rows_of("usufruct+postgres", sizes, results)
    write("ledger", rows)


if __name__ == "__main__":
    main()
