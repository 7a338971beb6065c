"""`make mutate`: which share of small faults in the packages that handle money the tests notice.

mutmut makes the faults, one changed expression each, and runs the tests that reach it; `[tool.mutmut]` in
pyproject.toml says in which files and with which tests. A mutant that mypy refuses could never be committed: it does
not count, in either direction. A fault that no test reaches has survived.

Verdicts are kept in mutants/: another run tries only what is undecided or survived. A changed pyproject.toml and
`make clean` forget them.
"""

import argparse
import json
import random
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.report import ROOT, Row

PACKAGES = ("payments", "gateway")
WORKERS = "2"
MUTANTS = ROOT / "mutants"
SMALL = "usufruct.payments.settlement.merkle.x_merkle_root__mutmut_1"
"""The first run is over this one alone: it makes all mutants and learns which tests reach what."""

MYPY = (
    *("mypy", "--config-file=", "--strict", "--ignore-missing-imports", "--output", "json"),
    *("--disable-error-code", "unused-ignore"),  # mutmut marks its own lines
    *("--disable-error-code", "no-redef", "--disable-error-code", "valid-type"),  # every mutant is one more __init__
)

KILLED, SURVIVED, TIMEOUT = "killed", "survived", "timeout"
FATES = {1: KILLED, 3: KILLED} | dict.fromkeys((-24, 24, 36, 152, 255), TIMEOUT)
"""What an exit code of mutmut's workers means; any other code means that no test failed: the mutant survived."""

Verdicts = Mapping[str, int | None]
"""Of one file: {mutant: exit code of its tests, None before they ran}."""


def mutmut(*names: str) -> None:
    """Let mutmut judge the mutants of these names; its output is shown as it comes."""
    done = subprocess.run(["mutmut", "run", "--max-children", WORKERS, *names], cwd=ROOT, check=False)
    if done.returncode:
        sys.exit("mutmut failed; do the tests pass without mutants?")


def refused_by_mypy() -> set[str]:
    """Return the mutants that no longer type."""
    folders = [f"usufruct/{package}" for package in PACKAGES]
    done = subprocess.run([*MYPY, *folders], cwd=MUTANTS, capture_output=True, text=True, check=False)
    lines: dict[str, set[int]] = defaultdict(set)
    for finding in map(json.loads, done.stdout.splitlines()):
        if finding["severity"] == "error":
            lines[finding["file"]].add(finding["line"])
    refused: set[str] = set()
    for file, wrong in lines.items():
        module = file.removesuffix(".py").replace("/", ".")
        spans = json.loads((MUTANTS / f"{file}.spans").read_text())["spans"]
        refused |= {f"{module}.{name}" for name, (first, last) in spans.items() if wrong & set(range(first, last + 1))}
    return refused


def forget_other_settings() -> None:
    """Remove what was made under another pyproject.toml: other files, or tests that no longer run."""
    learnt = MUTANTS / "mutmut-stats.json"
    if learnt.exists() and learnt.stat().st_mtime < (ROOT / "pyproject.toml").stat().st_mtime:
        shutil.rmtree(MUTANTS)


def read_verdicts(packages: Sequence[str], files: Sequence[str]) -> dict[str, Verdicts]:
    """Return what mutmut noted, by file: of `files`, or where none are named of whole packages."""
    found = {}
    for meta in sorted((MUTANTS / "usufruct").rglob("*.py.meta")):
        file = str(meta.relative_to(MUTANTS)).removesuffix(".meta")
        if file in files if files else package_of(file) in packages:
            found[file] = json.loads(meta.read_text())["exit_code_by_key"]
    return found


def package_of(file: str) -> str:
    """Return the package that usufruct/<package>/... is in."""
    return Path(file).parts[1]


def sample_of(names: Collection[str], size: int, seed: int) -> set[str]:
    """Choose `size` mutants of each package, the same ones for the same seed; all of them for size 0."""
    chosen: set[str] = set()
    for package in PACKAGES:
        of_package = sorted(name for name in names if name.startswith(f"usufruct.{package}."))
        chosen.update(random.Random(seed).sample(of_package, min(size or len(of_package), len(of_package))))
    return chosen


def survivors_of(found: Mapping[str, Verdicts], chosen: Collection[str]) -> list[str]:
    """Return the chosen mutants that no test noticed, or that were not tried yet."""
    return [
        name for verdicts in found.values() for name, code in verdicts.items() if name in chosen and code not in FATES
    ]


def rows_of(found: Mapping[str, Verdicts], chosen: Collection[str]) -> list[Row]:
    """Return the score of each file, then of each package: % of `n` mutants."""
    fates: dict[str, Counter[str]] = defaultdict(Counter)
    for file, verdicts in found.items():
        fates[file] = Counter(FATES.get(code or 0, SURVIVED) for name, code in verdicts.items() if name in chosen)
    for file in found:
        fates[package_of(file)] += fates[file]
    return [
        Row(
            "mutation_score",
            subject,
            round(100 - 100 * counts[SURVIVED] / counts.total(), 1),
            "%",
            counts.total(),
            ", ".join(f"{counts[fate]} {fate}" for fate in (KILLED, SURVIVED, TIMEOUT)),
        )
        for subject, counts in fates.items()
        if counts
    ]


def table(rows: Sequence[Row]) -> Table:
    """Lay the rows out: file, mutants, what became of them, score."""
    out = Table(title="mutation", title_justify="left")
    for heading in ("file", "mutants", KILLED, SURVIVED, TIMEOUT, "score"):
        out.add_column(heading, justify="left" if heading == "file" else "right")
    for row in rows:
        out.add_row(row.subject, str(row.n), *(part.split()[0] for part in row.note.split(", ")), f"{row.value} %")
    return out


def main() -> None:
    """Run, write build/mutation.json and the names of the survivors, print the table."""
    parser = argparse.ArgumentParser(prog="make mutate")
    parser.add_argument("--package", choices=PACKAGES, action="append")
    parser.add_argument("--sample", type=int, default=0, help="how many mutants of each package; 0: all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("files", nargs="*", help="as usufruct/payments/pricing/charges.py")
    asked = parser.parse_args()

    forget_other_settings()
    mutmut(SMALL)
    where = (asked.package or PACKAGES, asked.files)
    names = {name for verdicts in read_verdicts(*where).values() for name in verdicts}
    chosen = sample_of(names - refused_by_mypy(), asked.sample, asked.seed)
    if not chosen:
        sys.exit(f"no mutants in {' '.join(asked.files or where[0])}: see [tool.mutmut] in pyproject.toml")
    if undecided := survivors_of(read_verdicts(*where), chosen):
        mutmut(*undecided)
    found = read_verdicts(*where)
    rows = rows_of(found, chosen)
    build = ROOT / "build"
    build.mkdir(exist_ok=True)
    (build / "mutation.json").write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
    (build / "mutation-survivors.txt").write_text("".join(f"{name}\n" for name in survivors_of(found, chosen)))
    Console(width=130).print(table(rows))
    if asked.sample:
        print(f"a sample of {asked.sample} mutants of each package, seed {asked.seed}")
    print("build/mutation.json; what survived is in build/mutation-survivors.txt: mutmut show NAME")


if __name__ == "__main__":
    main()
