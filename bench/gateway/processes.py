"""Programs under measurement: start one, wait until it is ready, and read what CPU, memory and disk it used."""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import psutil

from bench.report import ROOT

STOP_SECONDS = 20


@contextmanager
def started(
    command: Sequence[str],
    log: Path,
    environment: Mapping[str, str] | None = None,
    cpu: int | None = None,
    ready: bool = True,
) -> Iterator[tuple[psutil.Process, dict[str, Any]]]:
    """Run a program while the block runs; yields it and the object of the line that names its URL (if `ready`).

    `cpu`: the one processor it may use. Its standard error goes to `log`.

    Raises:
        RuntimeError: when it ends before it is ready, with the end of its log.
    """
    full = dict(os.environ if environment is None else environment)  # noqa: TID251 - passed on
    with log.open("wb") as errors:
        process = subprocess.Popen(list(command), stdout=subprocess.PIPE, stderr=errors, env=full, cwd=ROOT)
    assert process.stdout is not None
    try:
        found = psutil.Process(process.pid)
        if cpu is not None:
            pin(found, cpu)
        yield found, _first_object(process.stdout, log) if ready else {}
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


def _first_object(output: IO[bytes], log: Path) -> dict[str, Any]:
    for line in output:
        if line.startswith(b'{"url"'):
            return dict(json.loads(line))
    raise RuntimeError(f"the program ended before it was ready: {log.read_text(errors='replace')[-2000:]}")


def pin(process: psutil.Process, cpu: int) -> None:
    """Keep a process on one processor, if the machine has others."""
    if (os.cpu_count() or 1) > 1:
        process.cpu_affinity([cpu])


def tree(processes: Sequence[psutil.Process]) -> list[psutil.Process]:
    """Return the processes and all their descendants, each once."""
    found = {each.pid: each for process in processes for each in (process, *process.children(recursive=True))}
    return list(found.values())


def cpu_seconds(processes: Sequence[psutil.Process]) -> float:
    """Return the user and system seconds that process trees have used, ended children included."""
    total = 0.0
    for process in tree(processes):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


def written_bytes(processes: Sequence[psutil.Process]) -> int:
    """Return how many bytes process trees have caused to be written to a disk."""
    return int(sum(process.io_counters().write_bytes for process in tree(processes)))


def resident_megabytes(processes: Sequence[psutil.Process]) -> float:
    """Return the resident memory of process trees, in MB (10^6 bytes)."""
    return float(sum(process.memory_info().rss for process in tree(processes))) / 1e6
