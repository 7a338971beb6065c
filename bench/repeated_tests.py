"""`make test-repeatedly`: whether `make test` is green again and again while the machine is busy.

Clones of the committed state are tested at the same time, each the others' load, so a processor never idles. A run is
one `make test` in a clone. What each said is kept in build/repeated/; a failed run ends the row, and the others finish.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.report import ROOT
from usufruct.core import Clock

FOLDER = ROOT / "build" / "repeated"
_MAKE_TEST = ("env", "-u", "MAKEFLAGS", "-u", "MAKELEVEL", "make", "test")
_SUMMARY = re.compile(rb"^(\d+ (?:passed|failed|error).*) in [\d.]+s.*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Run:
    """One `make test`: `load` is the machine's load average of its last minute."""

    number: int
    commit: str
    green: bool
    seconds: int
    load: float
    said: str


class Runs:
    """Hands out the numbers of runs until enough are begun or one has failed, and keeps what came of them."""

    def __init__(self, most: int) -> None:
        self.done: list[Run] = []
        self._most = most
        self._begun = 0
        self._turn = threading.Lock()

    def numbers(self) -> Iterator[int]:
        """Yield the next number that no other clone has."""
        while True:
            with self._turn:
                if self._begun == self._most or not all(each.green for each in self.done):
                    return
                self._begun += 1
                number = self._begun
            yield number

    def add(self, run: Run) -> None:
        """Keep a run, and tell of it."""
        with self._turn:
            self.done.append(run)
            with (FOLDER / "runs.jsonl").open("a") as log:
                log.write(json.dumps(asdict(run)) + "\n")
        verdict = "green" if run.green else "RED"
        print(f"run {run.number}: {verdict}, {run.seconds} s, load {run.load:.1f}, {run.said}", flush=True)


def test(clone: Path, number: int, commit: str) -> Run:
    """Run `make test` once."""
    output, clock = FOLDER / f"run-{number}.txt", Clock()
    began = clock.monotonic()
    with output.open("wb") as file:
        done = subprocess.run(_MAKE_TEST, cwd=clone, stdout=file, stderr=file, check=False)
    summaries = _SUMMARY.findall(output.read_bytes())
    said = summaries[-1].decode() if summaries else f"no summary; see {output.relative_to(ROOT)}"
    seconds = round(clock.monotonic() - began)
    return Run(number, commit, done.returncode == 0, seconds, os.getloadavg()[0], said)


def main() -> int:
    """Run the tests and tell how many runs in a row were green; 1 when one was not."""
    parser = argparse.ArgumentParser(prog="make test-repeatedly")
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--at-once", type=int, default=2)
    asked = parser.parse_args()
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
    runs = Runs(asked.runs)

    def work(clone: Path) -> None:
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        for number in runs.numbers():
            runs.add(test(clone, number, commit))

    workers = [
        threading.Thread(target=work, args=(FOLDER / f"clone-{number}",)) for number in range(1, asked.at_once + 1)
    ]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    green = sum(each.green for each in runs.done)
    print(f"{green} of {len(runs.done)} runs of {commit} were green, {asked.at_once} at a time")
    return 0 if green == asked.runs else 1


if __name__ == "__main__":
    sys.exit(main())
