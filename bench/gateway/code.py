"""`make profile-gateway CODE=1`: which of our files one call runs through, from the request's bytes to the receipt.

One warm call of a bearer key to `usufruct serve` on SQLite, traced in every thread. For each file: the functions that
ran, the lines of them that ran, and how long the file is.
"""

import argparse
import json
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

from bench.gateway.__main__ import run_load
from bench.gateway.installation import installation
from bench.gateway.processes import started
from bench.report import OURS, ROOT
from usufruct.cli.serve import serve

OWN = (f"{ROOT / 'usufruct'}/", f"{ROOT / 'sdk'}/")
JOBS = str(ROOT / "usufruct" / "core" / "jobs.py")
WAIT_SECONDS = 30

Trace = Callable[[FrameType, str, Any], Any]
Seen = dict[str, dict[str, set[int]]]


def serve_traced(report: Path) -> None:
    """Serve; the first SIGUSR2 begins to trace, the second writes to `report` what ran between the two."""
    seen: Seen = {}
    tracing = False

    def trace(frame: FrameType, event: str, argument: Any) -> Trace | None:
        name = frame.f_code.co_filename
        if not tracing or not name.startswith(OWN) or _of_a_job(frame):
            return None
        lines = seen.setdefault(name, {}).setdefault(frame.f_code.co_qualname, set())
        lines.add(frame.f_lineno)
        return trace

    def switch(number: int, frame: FrameType | None) -> None:
        nonlocal tracing
        tracing = not tracing
        if not tracing:
            found = {name: {each: sorted(lines) for each, lines in ran.items()} for name, ran in seen.items()}
            report.with_suffix(".new").write_text(json.dumps(found))
            report.with_suffix(".new").rename(report)

    signal.signal(signal.SIGUSR2, switch)
    threading.settrace(trace)
    sys.settrace(trace)
    serve()


def _of_a_job(frame: FrameType | None) -> bool:
    """Tell whether a periodic job runs this, which no call asked for."""
    while frame is not None:
        if frame.f_code.co_filename == JOBS:
            return True
        frame = frame.f_back
    return False


def traced(folder: Path, *, stream: bool) -> Seen:
    """Return the lines that one call ran, by file and function."""
    report = folder / "report.json"
    command = [sys.executable, "-m", __spec__.name, "--serve", str(report)]
    with ExitStack() as stack:
        upstream = [sys.executable, "-m", "bench.gateway.upstream"]
        _, ready = stack.enter_context(started(upstream, folder / "upstream.log"))
        own = stack.enter_context(installation(OURS, folder / "own", str(ready["url"]), serve=command))
        gateway = replace(own[0], commits=None)  # which are read from its metrics: code that no call runs
        model = "stream50" if stream else "instant"
        run_load(gateway, model, stream, 1, calls=5)
        [process] = gateway.processes
        process.send_signal(signal.SIGUSR2)
        run_load(gateway, model, stream, 1, calls=1)
        process.send_signal(signal.SIGUSR2)
        for _ in range(WAIT_SECONDS * 20):
            if report.exists():
                break
            time.sleep(0.05)
    found = json.loads(report.read_text())
    return {name: {each: set(lines) for each, lines in ran.items()} for name, ran in found.items()}


def main() -> None:
    """Print the files."""
    parser = argparse.ArgumentParser(prog="make profile-gateway CODE=1", description=__doc__)
    parser.add_argument("--stream", action="store_true", help="a stream of 50 tokens in place of a whole answer")
    parser.add_argument("--serve", metavar="FILE", help="serve, and write to FILE what ran (used by this program)")
    arguments = parser.parse_args()
    if arguments.serve:
        serve_traced(Path(arguments.serve))
        return
    with tempfile.TemporaryDirectory(dir=ROOT / "build") as folder:
        found = traced(Path(folder), stream=arguments.stream)
    print("functions  lines run  lines  file")
    totals = Counter[str]()
    for name, ran in sorted(found.items()):
        numbers = Counter(functions=len(ran), run=sum(map(len, ran.values())), lines=_length(name))
        _print(numbers, str(Path(name).relative_to(ROOT)))
        totals += numbers
    _print(totals, f"in {len(found)} files")


def _length(name: str) -> int:
    return len(Path(name).read_text().splitlines())


def _print(numbers: Counter[str], what: str) -> None:
    print(f"{numbers['functions']:9,}  {numbers['run']:9,}  {numbers['lines']:5,}  {what}")


if __name__ == "__main__":
    main()
