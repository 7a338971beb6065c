"""Measure every subject on the same mock upstream, interleaved; write build/bench-gateway.json and print the table.

The subjects run on one processor; the mock upstream and the load generator on another, if there are two. Figures that
are not in the table but asked for are rows without a value, with the reason.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from bench.gateway import offers, peers, vouchers
from bench.gateway.client import Load, Timing
from bench.gateway.disk import fsync_microseconds
from bench.gateway.installation import installation
from bench.gateway.postgres import scratch_database, server_url
from bench.gateway.processes import cpu_seconds, pin, resident_megabytes, started, written_bytes
from bench.gateway.subjects import Subject, Unavailable
from bench.report import OURS, ROOT, Row, write

BARE = "bare (Starlette + aiohttp)"
SUBJECT_CPU, LOAD_CPU = 0, 1
STREAMS = 1_000
HUNG_SECONDS = 60
FSYNC = "this disk"
UNITS = {
    "cpu_unstreamed": "us",
    "calls_per_s_c32": "1/s",
    "bytes_written_per_call": "bytes",
    "commits_per_call": "",
    "cpu_stream50": "us",
    "cpu_402": "us",
    "quotes_per_s_c32": "1/s",
    "latency_p50_c1": "us",
    "latency_p50_c1_20ms": "us",
    "ttft_p50_c1": "us",
    "fsync_p50": "us",
    "fsync_p50_20ms": "us",
    "rss_1000_streams_mb": "MB",
}

Found = dict[tuple[str, str], list[float]]


@dataclass(frozen=True, slots=True)
class Measurement:
    """A load, and how its figures follow from what was seen. `unpaid`: calls without payment, answered by 402."""

    model: str
    stream: bool
    connections: int
    seconds: float
    figures: Callable[["Seen"], dict[str, float]]
    unpaid: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """What one load cost: `cpu` in seconds, `written` in bytes, `commits` None where a subject makes none."""

    timing: Timing
    cpu: float
    written: int
    commits: int | None

    @property
    def calls(self) -> int:
        """How many calls were answered."""
        return len(self.timing.seconds)


def _unstreamed(seen: Seen) -> dict[str, float]:
    return {
        "cpu_unstreamed": seen.cpu / seen.calls * 1e6,
        "calls_per_s_c32": seen.calls / seen.timing.elapsed,
        "bytes_written_per_call": seen.written / seen.calls,
    }


def _unpaid(seen: Seen) -> dict[str, float]:
    return {"cpu_402": seen.cpu / seen.calls * 1e6, "quotes_per_s_c32": seen.calls / seen.timing.elapsed}


def _alone(seen: Seen) -> dict[str, float]:
    figures = {"latency_p50_c1": _p50(seen.timing.seconds)}
    return figures if seen.commits is None else figures | {"commits_per_call": seen.commits / seen.calls}


MEASUREMENTS = (
    Measurement("instant", False, 32, 3, _unstreamed),
    Measurement("stream50", True, 32, 3, lambda seen: {"cpu_stream50": seen.cpu / seen.calls * 1e6}),
    Measurement("instant", False, 32, 2, _unpaid, unpaid=True),
    Measurement("instant", False, 1, 1, _alone),
    Measurement("slow20", False, 1, 1.5, lambda seen: {"latency_p50_c1_20ms": _p50(seen.timing.seconds)}),
    Measurement("ttft20", True, 1, 1.5, lambda seen: {"ttft_p50_c1": _p50(seen.timing.first)}),
)


def _p50(seconds: list[float]) -> float:
    return statistics.median(seconds) * 1e6


def body_of(model: str, stream: bool) -> str:
    """Return the request: a short chat that names no limit."""
    asked = {"model": model, "messages": [{"role": "user", "content": "Say ten words, please."}]}
    return json.dumps(asked | ({"stream": True} if stream else {}))


def run_load(
    subject: Subject,
    model: str,
    stream: bool,
    connections: int,
    *,
    seconds: float = 0,
    calls: int = 0,
    unpaid: bool = False,
) -> Seen:
    """Put a load on a subject and see what it costs.

    Raises:
        RuntimeError: when a call failed.
    """
    body = body_of(subject.models.get(model, model), stream)
    headers, status = ([{}], 402) if unpaid else (subject.headers(body), 200)
    load = Load(subject.url, body, headers, connections, seconds, calls, status)
    before = cpu_seconds(subject.counted), written_bytes(subject.counted), subject.commits and subject.commits()
    command = [sys.executable, "-m", "bench.gateway.client"]
    try:
        done = subprocess.run(
            command,
            input=json.dumps(asdict(load)),
            capture_output=True,
            text=True,
            cwd=ROOT,
            check=True,
            timeout=seconds + HUNG_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"{subject.name}: calls hung for {HUNG_SECONDS} s") from None
    timing = Timing(**json.loads(done.stdout))
    after = cpu_seconds(subject.counted), written_bytes(subject.counted), subject.commits and subject.commits()
    if timing.failed or not timing.seconds:
        raise RuntimeError(f"{subject.name}: {timing.failed} calls failed: {timing.first_failure}")
    commits = None if before[2] is None or after[2] is None else after[2] - before[2]
    return Seen(timing, after[0] - before[0], after[1] - before[1], commits)


def is_measured(each: Measurement, subject: Subject) -> bool:
    """Tell whether a subject takes part: only our gateways answer 402 with a quote."""
    return not each.unpaid or subject.name == OURS


def measure(subjects: list[Subject], rounds: int, folder: Path) -> Found:
    """Measure everything `rounds` times, one subject after the other within each round."""
    found: Found = defaultdict(list)
    for subject in subjects:  # connections are opened, code is warm
        for each in MEASUREMENTS:
            if is_measured(each, subject):
                run_load(subject, each.model, each.stream, min(each.connections, 8), seconds=0.5, unpaid=each.unpaid)
    for turn in range(rounds):
        print(f"round {turn + 1} of {rounds}", flush=True)
        found["fsync_p50", FSYNC].append(fsync_microseconds(folder))
        found["fsync_p50_20ms", FSYNC].append(fsync_microseconds(folder, 0.02))
        for each in MEASUREMENTS:
            for subject in [found_subject for found_subject in subjects if is_measured(each, found_subject)]:
                try:
                    seen = run_load(
                        subject, each.model, each.stream, each.connections, seconds=each.seconds, unpaid=each.unpaid
                    )
                except RuntimeError as failure:
                    if subject.name.startswith(OURS):
                        raise
                    print(f"{failure}; left out of what follows", flush=True)
                    subjects.remove(subject)
                    continue
                for metric, figure in each.figures(seen).items():
                    found[metric, subject.name].append(figure)
    return found


def resident(subject: Subject, streams: int = STREAMS) -> float:
    """Return the most memory a subject holds while `streams` streams run, in MB."""
    body = body_of(subject.models.get("long", "long"), True)
    load = Load(subject.url, body, subject.headers(body), streams, calls=streams)
    command = [sys.executable, "-m", "bench.gateway.client"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as client:
        assert client.stdin is not None
        assert client.stdout is not None
        client.stdin.write(json.dumps(asdict(load)))
        client.stdin.close()
        most = 0.0
        while client.poll() is None:
            most = max(most, resident_megabytes(subject.processes))
            time.sleep(0.2)
        timing = Timing(**json.loads(client.stdout.read()))
    if timing.failed:
        raise RuntimeError(f"{subject.name}: {timing.failed} of {streams} streams failed: {timing.first_failure}")
    return most


@contextmanager
def opened(wanted: set[str], folder: Path) -> Iterator[tuple[list[Subject], list[Unavailable]]]:
    """Start the mock upstream and every subject whose name begins with one of `wanted` (empty: all)."""

    def is_wanted(name: str) -> bool:
        return not wanted or any(name == each or name.startswith(f"{each} ") for each in wanted)

    subjects: list[Subject] = []
    missing = [each for each in peers.UNAVAILABLE if is_wanted(each.name)]
    with ExitStack() as stack:
        command = [sys.executable, "-m", "bench.gateway.upstream"]
        _, ready = stack.enter_context(started(command, folder / "upstream.log", cpu=LOAD_CPU))
        upstream = str(ready["url"])
        if is_wanted(OURS) or is_wanted(f"{OURS}+x402"):
            own = stack.enter_context(installation(OURS, folder / "sqlite", upstream, cpu=SUBJECT_CPU))
            subjects += [subject for subject in own if is_wanted(subject.name)]
        if is_wanted(f"{OURS}+postgres"):
            server = server_url()
            if server is None:
                missing.append(Unavailable(f"{OURS}+postgres", "no PostgreSQL server takes connections here"))
            else:
                url = stack.enter_context(scratch_database(server))
                name = f"{OURS}+postgres"
                own = stack.enter_context(installation(name, folder / "postgres", upstream, url, cpu=SUBJECT_CPU))
                subjects.append(own[0])
        if is_wanted(BARE):
            command = [sys.executable, "-m", "bench.gateway.bare", upstream]
            process, ready = stack.enter_context(started(command, folder / "bare.log", cpu=SUBJECT_CPU))
            subjects.append(Subject(BARE, str(ready["url"]), (process,)))
        for peer in (peers.litellm, peers.tensorzero):
            if is_wanted(peer.__name__):
                try:
                    subjects.append(stack.enter_context(peer(folder, upstream, SUBJECT_CPU)))
                except RuntimeError as error:
                    missing.append(Unavailable(peer.__name__, str(error).splitlines()[0]))
        yield subjects, missing


def main() -> None:
    """Measure what the command line names."""
    parser = argparse.ArgumentParser(prog="make bench-gateway", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--subjects", default="", help="comma-separated; all if not given")
    arguments = parser.parse_args()
    wanted = set(filter(None, arguments.subjects.split(",")))
    pin(psutil.Process(), LOAD_CPU)
    base = ROOT / "build"
    base.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory(dir=base, prefix="bench-gateway-run-") as folder,
        opened(wanted, Path(folder)) as (
            subjects,
            missing,
        ),
    ):
        names = [FSYNC, *(subject.name for subject in subjects)]
        found = measure(subjects, arguments.rounds, Path(folder))
        for subject in subjects:
            if subject.name in {OURS, BARE}:
                found["rss_1000_streams_mb", subject.name].append(resident(subject))
    rows = [
        Row(metric, name, statistics.median(found[metric, name]), unit, len(found[metric, name]))
        for metric, unit in UNITS.items()
        for name in names
        if (metric, name) in found
    ]
    rows += vouchers.rows(arguments.rounds)
    rows += offers.rows(arguments.rounds)
    rows += [Row("cpu_unstreamed", each.name, None, "us", 0, f"unavailable: {each.reason}") for each in missing]
    write("gateway", rows)


if __name__ == "__main__":
    main()
