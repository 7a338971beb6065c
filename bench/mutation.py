"""`make mutate`: which share of small faults in the rooms that handle money the tests notice.

mutmut makes the faults, one changed expression each, and runs the tests that reach it; `[tool.mutmut]` in
pyproject.toml says in which files and with which tests. What mypy refuses is no fault anybody could commit and does
not count, in either direction; a fault that no test reaches has survived.

Verdicts are kept in mutants/: another run tries only what is undecided or survived. `make clean` forgets them.
"""

import argparse
import json
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.report import ROOT, Row

ROOMS = ("payments", "gateway")
WORKERS = "2"
MUTANTS = ROOT / "mutants"
SMALL = "usufruct.payments.merkle.x_next_anchor__mutmut_*"
"""The first run is over these alone: it makes all mutants and learns which tests reach what."""

KILLED, SURVIVED, TIMEOUT, UNTYPED = "killed", "survived", "timeout", "untyped"
FATES = {1: KILLED, 3: KILLED, 37: UNTYPED} | dict.fromkeys((-24, 24, 36, 152, 255), TIMEOUT)
"""What an exit code of mutmut's workers means; any other is no verdict that a test gave, so the mutant survived."""

Verdicts = Mapping[str, int | None]
"""Of one file: {mutant: exit code of its tests, None before they ran}."""


def mutmut(*names: str) -> None:
    """Let mutmut judge the mutants of these names; its output is shown as it comes."""
    done = subprocess.run(["mutmut", "run", "--max-children", WORKERS, *names], cwd=ROOT, check=False)
    if done.returncode:
        sys.exit("mutmut failed; do the tests pass without mutants?")


def read_verdicts(rooms: Sequence[str], files: Sequence[str]) -> dict[str, Verdicts]:
    """Return what mutmut noted, by file: of `files`, or where none are named of whole rooms."""
    found = {}
    for meta in sorted((MUTANTS / "usufruct").rglob("*.py.meta")):
        file = str(meta.relative_to(MUTANTS)).removesuffix(".meta")
        verdicts = json.loads(meta.read_text())["exit_code_by_key"]
        if verdicts and (file in files if files else room_of(file) in rooms):
            found[file] = verdicts
    return found


def room_of(file: str) -> str:
    """Return the room that usufruct/<room>/... is in."""
    return Path(file).parts[1]


def sample_of(found: Mapping[str, Verdicts], size: int, seed: int) -> set[str]:
    """Choose `size` mutants of each room, the same ones for the same seed; all of them for size 0."""
    chosen: set[str] = set()
    for room in ROOMS:
        names = [name for file, verdicts in found.items() if room_of(file) == room for name in verdicts]
        chosen.update(random.Random(seed).sample(names, min(size or len(names), len(names))))
    return chosen


def rows_of(found: Mapping[str, Verdicts], chosen: set[str]) -> list[Row]:
    """Return the score of each file, then of each room: % of the `n` mutants that count."""
    fates: dict[str, Counter[str]] = {}
    for file, verdicts in found.items():
        counts = Counter(FATES.get(code or 0, SURVIVED) for name, code in verdicts.items() if name in chosen)
        fates[file] = counts
    for room in sorted({room_of(file) for file in found}):
        fates[room] = sum((fates[file] for file in found if room_of(file) == room), Counter())
    return [row_of(subject, counts) for subject, counts in fates.items() if counts]


def row_of(subject: str, counts: Counter[str]) -> Row:
    """Return the score of a file or room; no value when no mutant of it counts."""
    n = counts.total() - counts[UNTYPED]
    score = round(100 * (counts[KILLED] + counts[TIMEOUT]) / n, 1) if n else None
    note = ", ".join(f"{counts[fate]} {fate}" for fate in (KILLED, SURVIVED, TIMEOUT, UNTYPED))
    return Row("mutation_score", subject, score, "%", n, note)


def table(rows: Sequence[Row]) -> Table:
    """Lay the rows out: file, mutants that count, what became of them, score."""
    out = Table(title="mutation", title_justify="left")
    for heading in ("file", "mutants", KILLED, SURVIVED, TIMEOUT, UNTYPED, "score"):
        out.add_column(heading, justify="left" if heading == "file" else "right")
    for row in rows:
        counts = [part.split()[0] for part in row.note.split(", ")]
        out.add_row(row.subject, str(row.n), *counts, "-" if row.value is None else f"{row.value:.1f} %")
    return out


def main() -> None:
    """Run, write build/mutation.json and the names of the survivors, print the table."""
    parser = argparse.ArgumentParser(prog="make mutate")
    parser.add_argument("--room", choices=ROOMS, action="append")
    parser.add_argument("--sample", type=int, default=0, help="mutants of each room, mypy's included; 0: all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("files", nargs="*", help="as usufruct/payments/model.py")
    asked = parser.parse_args()

    mutmut(SMALL)
    where = (asked.room or ROOMS, asked.files)
    found = read_verdicts(*where)
    if not found:
        sys.exit(f"no mutants in {' '.join(asked.files or where[0])}: see [tool.mutmut] in pyproject.toml")
    chosen = sample_of(found, asked.sample, asked.seed)
    undecided = [n for v in found.values() for n, code in v.items() if n in chosen and code not in FATES]
    if undecided:
        mutmut(*undecided)
    found = read_verdicts(*where)
    rows = rows_of(found, chosen)
    survivors = [n for v in found.values() for n, code in v.items() if n in chosen and code not in FATES]
    build = ROOT / "build"
    build.mkdir(exist_ok=True)
    (build / "mutation.json").write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
    (build / "mutation-survivors.txt").write_text("".join(f"{name}\n" for name in survivors))
    Console(width=130).print(table(rows))
    if asked.sample:
        print(f"a sample of {asked.sample} mutants of each room, seed {asked.seed}")
    print("build/mutation.json; what survived is in build/mutation-survivors.txt: mutmut show NAME")


if __name__ == "__main__":
    main()
