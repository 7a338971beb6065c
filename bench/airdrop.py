"""`make bench-airdrop`: seconds and memory to build the Merkle tree of an airdrop, beside OpenZeppelin's npm package.

Both read the same CSV file of `--holders` accounts (lower-case addresses, which the package takes as they are). Ours is
`usufruct airdrop build`: it checks every row, and writes the file that proofs are served from. The package's script
only computes the root in memory, and checks no row. Each runs as a process, in turn, `--rounds` times; the value is the
median of wall time, CPU time and peak memory. Fails when the roots differ, or ours is less than five times as fast.
"""

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from shutil import which

from bench.report import OURS, ROOT, Row, write

LEAST_RATIO = 5
_PEER = "npm @openzeppelin/merkle-tree 1.0.8"
_CAP = str(10**15)
_HEAP = "--max-old-space-size=8192"


def write_holders(path: Path, count: int) -> None:
    """Write `count` accounts with amounts in atomic units, in no order."""
    with path.open("w") as file:
        file.write("address,units\n")
        for number in range(count):
            digest = hashlib.sha256(number.to_bytes(8, "big")).hexdigest()
            file.write(f"0x{digest[:40]},{1 + int(digest[40:56], 16)}\n")


def run(command: Sequence[str]) -> tuple[dict[str, float], str]:
    """Run a command; return seconds, seconds of CPU, peak memory in MiB, and what it printed."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    printed = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{command[0]} failed with exit code {process.returncode}")
    used = {
        "seconds": time.perf_counter() - began,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "peak_memory": usage.ru_maxrss / 1024,
    }
    return used, printed


def measure(holders: int, rounds: int) -> list[Row]:
    """Measure both in turn."""
    folder = ROOT / "build" / "bench-airdrop"
    folder.mkdir(parents=True, exist_ok=True)
    source, target = folder / "holders.csv", folder / "holders.airdrop"
    write_holders(source, holders)
    node = which("node") or sys.exit("no node on PATH: run `make setup`")
    build = [sys.executable, "-m", "usufruct.cli", "airdrop", "build"]
    commands = {
        OURS: [*build, str(source), "--cap", _CAP, "--out", str(target), "--force", "--json"],
        _PEER: [node, _HEAP, str(ROOT / "bench" / "peers" / "airdrop.mjs"), str(source)],
    }
    found: dict[str, list[tuple[dict[str, float], str]]] = {subject: [] for subject in commands}
    for _ in range(rounds):
        for subject, command in commands.items():
            found[subject].append(run(command))
    roots = {json.loads(printed)["root"] for each in found.values() for _, printed in each}
    if len(roots) != 1:
        sys.exit(f"the roots differ: {sorted(roots)}")
    name = "1m" if holders == 1_000_000 else str(holders)
    rows = []
    for subject, each in found.items():
        note = "checks rows, writes proofs" if subject == OURS else "the root only"
        for metric in each[0][0]:
            value = statistics.median(used[metric] for used, _ in each)
            unit = "MiB" if metric == "peak_memory" else "s"
            rows.append(Row(f"airdrop_build_{name}_{metric}", subject, value, unit, rounds, note))
    return sorted(rows, key=lambda row: (row.metric, row.subject != OURS))


def main() -> None:
    """Measure, write the report, and fail when ours is not five times as fast."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--holders", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    rows = measure(options.holders, options.rounds)
    write("airdrop", rows)
    ours, theirs = (row.value or 0 for row in rows if row.metric.endswith("_seconds") and "cpu" not in row.metric)
    if theirs < LEAST_RATIO * ours:
        sys.exit(f"{theirs / ours:.1f} times as fast as the package; at least {LEAST_RATIO} are promised")


if __name__ == "__main__":
    main()
