"""`make profile-gateway`: where the CPU of a call goes, by thread and by function.

One gateway (bearer key, SQLite) under the load of `cpu_unstreamed` or, with --stream, of `cpu_stream50`. CPU by thread
is the kernel's own figure. By function it is samples of the code that holds the GIL, taken by py-spy (pinned, installed
into build/): SQLite and other C code that lets go of the GIL shows in the threads only.
"""

import argparse
import os
import subprocess
import tempfile
from collections import Counter
from pathlib import Path

from bench.gateway.__main__ import opened, run_load
from bench.gateway.peers import environment
from bench.report import OURS, ROOT

PY_SPY = "py-spy==0.4.2"
SECONDS = 8


def thread_times(pid: int) -> dict[str, tuple[int, int]]:
    """Return user and system ticks of each thread of a process, by its id."""
    times = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        fields = (task / "stat").read_text().rpartition(")")[2].split()
        times[task.name] = int(fields[11]), int(fields[12])
    return times


def folded(path: Path) -> tuple[Counter[str], Counter[str], int]:
    """Read py-spy's raw stacks; return samples by innermost function, by any function on the stack, and in all."""
    own: Counter[str] = Counter()
    within: Counter[str] = Counter()
    total = 0
    for line in path.read_text().splitlines():
        stack, _, count = line.rpartition(" ")
        frames = [frame.rsplit(":", 1)[0] + ")" for frame in stack.split(";")]
        total += int(count)
        own[frames[-1]] += int(count)
        for frame in set(frames):
            within[frame] += int(count)
    return own, within, total


def main() -> None:
    """Profile what the command line names."""
    parser = argparse.ArgumentParser(prog="make profile-gateway", description=__doc__)
    parser.add_argument("--stream", action="store_true", help="streams of 50 tokens in place of whole answers")
    parser.add_argument("--top", type=int, default=60, help="functions to show")
    arguments = parser.parse_args()
    model = "stream50" if arguments.stream else "instant"
    spy = environment("py-spy", PY_SPY) / "bin" / "py-spy"
    with tempfile.TemporaryDirectory(dir=ROOT / "build") as folder, opened({OURS}, Path(folder)) as (subjects, _):
        [gateway] = subjects
        pid = gateway.processes[0].pid
        run_load(gateway, model, arguments.stream, 8, seconds=1)
        before = thread_times(pid)
        seen = run_load(gateway, model, arguments.stream, 32, seconds=SECONDS)
        after = thread_times(pid)
        print(f"{seen.cpu / seen.calls * 1e6:,.0f} us of CPU a call, of which by thread:")
        tick = 1e6 / os.sysconf("SC_CLK_TCK") / seen.calls
        for thread, (user, system) in after.items():
            old_user, old_system = before.get(thread, (0, 0))
            if user + system > old_user + old_system:
                spent = f"{(user - old_user) * tick:,.0f} us user, {(system - old_system) * tick:,.0f} us system"
                print(f"  thread {thread}: {spent}")
        raw = Path(folder) / "stacks"
        record = [str(spy), "record", "--pid", str(pid), "--duration", str(SECONDS), "--rate", "500", "--gil"]
        with subprocess.Popen([*record, "--format", "raw", "--output", str(raw)], stdout=subprocess.DEVNULL) as spying:
            run_load(gateway, model, arguments.stream, 32, seconds=SECONDS + 1)
            spying.wait()
        own, within, total = folded(raw)
    for title, counts in (("in the function itself", own), ("in it and in what it calls", within)):
        print(f"\n% of samples {title}:")
        for frame, count in counts.most_common(arguments.top):
            print(f"{100 * count / total:6.1f}  {frame}")


if __name__ == "__main__":
    main()
