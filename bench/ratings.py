"""`make bench-ratings`: CPU to rate 1,000 assets over five years, and the CPU of a call of `/v2/price`.

`rating_1000_assets_s`: all grades of all days in one pass, beside the technical indicators alone by pandas-ta-classic
(pandas-ta itself needs a newer Python): moving averages, volatility, RSI, MACD, channel, on-balance volume, asset by
asset. Both use one thread; seconds are of its CPU, as other load on the machine changes wall time.
`price_cpu_us`: user and system time of the server's process for a call with a key, beside a bare FastAPI endpoint that
returns the same bytes. Subjects are measured in turn, `--rounds` times; values are medians. Peers are installed at
pinned versions into throw-away folders in `build/bench-ratings`. Fails when a call takes over 1.5 times the bare one's.
"""

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import psutil

from bench.report import OURS, ROOT, Row, write
from usufruct.analytics import grade
from usufruct.connectors.prices import Asset, Panel

FOLDER = ROOT / "build" / "bench-ratings"
DAYS, ASSETS = 1_826, 1_000
CALLS = 4_000
MOST = 1.5
PACKAGES = {"pandas-ta": "pandas-ta-classic==0.8.32", "fastapi": "fastapi==0.140.0"}


def install(peer: str) -> Path | None:
    """Install a peer and what it needs into a folder; None when that fails."""
    folder = FOLDER / peer
    if not folder.exists():
        print(f"installing {PACKAGES[peer]}")
        command = ["uv", "pip", "install", "--quiet", "--python", sys.executable, "--target", str(folder)]
        done = subprocess.run([*command, PACKAGES[peer]], capture_output=True, text=True, check=False)
        if done.returncode:
            print(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "failed")
            return None
    return folder


def rating_rows(rounds: int) -> list[Row]:
    """Measure a pass over all assets, beside the peer's indicators."""
    random = np.random.default_rng(1)
    close = np.exp(random.normal(0, 0.04, (DAYS, ASSETS)).cumsum(axis=0))
    volume = np.exp(random.normal(15, 1, close.shape))
    assets = tuple(Asset(f"a{n}", n + 1, f"A{n}", f"Asset {n}") for n in range(ASSETS))
    panel = Panel(date(2020, 1, 1), assets, close, close * 1e6, volume)
    np.save(FOLDER / "close.npy", close)
    np.save(FOLDER / "volume.npy", volume)
    peer = install("pandas-ta")
    ours, theirs = [], []
    for _ in range(rounds):
        began = time.process_time()
        grade(panel)
        ours.append(time.process_time() - began)
        if peer is not None and (answer := _ask_peer(peer)) is not None:
            theirs.append(answer["seconds"])
    value = statistics.median(theirs) if theirs else None
    note = "the technical indicators alone" if theirs else "not installable, or failed"
    return [
        Row("rating_1000_assets_s", OURS, statistics.median(ours), "s", rounds, "all grades of 1,826 days"),
        Row("rating_1000_assets_s", PACKAGES["pandas-ta"].replace("==", " "), value, "s", len(theirs), note),
    ]


def _ask_peer(folder: Path) -> Any:
    environment = os.environ | {"PYTHONPATH": str(folder)}  # noqa: TID251 - passed on
    command = [sys.executable, str(ROOT / "bench" / "peers" / "ratings_indicators.py"), str(FOLDER)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    return json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else None


def price_rows(rounds: int) -> list[Row]:
    """Measure the CPU of a call of both servers in turn."""
    peer = install("fastapi")
    subjects = {OURS: "usufruct"} | ({PACKAGES["fastapi"].replace("==", " "): "fastapi"} if peer else {})
    found: dict[str, list[float]] = {subject: [] for subject in subjects}
    with ExitStack() as stack:
        servers = {}
        for subject, kind in subjects.items():
            servers[subject] = server = Server(kind, peer)
            stack.callback(server.stop)
            if kind == "usufruct":
                (FOLDER / "price.json").write_bytes(server.body())
        for _ in range(rounds + 1):
            for subject, server in servers.items():
                found[subject].append(server.cpu_of_calls(CALLS))
    return [
        Row("price_cpu_us", subject, statistics.median(each[1:]), "us", rounds, f"median of {CALLS:,} calls each")
        for subject, each in found.items()
    ]


class Server:
    """A server in a process of its own, called over one connection."""

    def __init__(self, kind: str, peer: Path | None) -> None:
        environment = dict(os.environ)  # noqa: TID251 - passed on
        if kind == "fastapi" and peer is not None:
            environment["PYTHONPATH"] = str(peer)
        command = [sys.executable, "-m", "bench.ratings_server", kind, str(FOLDER)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT)
        assert self._process.stdout is not None
        ready = json.loads(self._process.stdout.readline())
        where = urlsplit(ready["url"])
        self._socket = socket.create_connection((where.hostname, where.port), timeout=120)
        head = f"GET /v2/price?token_id=1 HTTP/1.1\r\nhost: {where.netloc}\r\nx-api-key: {ready['key']}\r\n\r\n"
        self._request = head.encode()

    def body(self) -> bytes:
        """Return the body of an answer."""
        self._socket.sendall(self._request)
        head, _, rest = self._read().partition(b"\r\n\r\n")
        assert b" 200 " in head.splitlines()[0], head
        return rest

    def cpu_of_calls(self, count: int) -> float:
        """Return the microseconds of CPU that the server takes for a call."""
        self.body()
        before = sum(psutil.Process(self._process.pid).cpu_times()[:2])
        for _ in range(count):
            self._socket.sendall(self._request)
            self._read()
        return float(sum(psutil.Process(self._process.pid).cpu_times()[:2]) - before) / count * 1e6

    def stop(self) -> None:
        """End the server."""
        self._socket.close()
        self._process.terminate()
        self._process.wait(60)

    def _read(self) -> bytes:
        got = b""
        while b"\r\n\r\n" not in got:
            got += self._socket.recv(65_536)
        head, _, rest = got.partition(b"\r\n\r\n")
        [length] = [
            int(line.split(b":")[1]) for line in head.lower().splitlines() if line.startswith(b"content-length")
        ]
        while len(rest) < length:
            rest += self._socket.recv(65_536)
        return head + b"\r\n\r\n" + rest


def main() -> None:
    """Measure, report, and fail when the promise is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    FOLDER.mkdir(parents=True, exist_ok=True)
    rows = [*rating_rows(rounds), *price_rows(rounds)]
    write("ratings", rows)
    cpu = [row.value for row in rows if row.metric == "price_cpu_us" and row.value is not None]
    if len(cpu) == 2 and cpu[0] > MOST * cpu[1]:
        sys.exit(f"/v2/price takes {cpu[0] / cpu[1]:.2f} times the CPU of a bare endpoint; {MOST} at most")


if __name__ == "__main__":
    main()
