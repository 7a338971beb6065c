"""`make profile-gateway MEMORY=1`: where the memory of a gateway goes, by package and by stream.

By package: how much a fresh process grows while a package's modules run for the first time, without what they import in
their turn. By stream: a gateway on SQLite, paid by a bearer key, at rest and under streams that have only begun.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.gateway import packages
from bench.gateway.__main__ import opened, resident
from bench.gateway.processes import resident_megabytes
from bench.report import OURS, ROOT

STREAMS = (1, 500, 1000)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(prog="make profile-gateway MEMORY=1", description=__doc__)
    parser.add_argument("--top", type=int, default=15, help="packages to show")
    arguments = parser.parse_args()
    subprocess.run([sys.executable, "-m", packages.__name__, str(arguments.top)], check=True)
    with tempfile.TemporaryDirectory(dir=ROOT / "build") as folder, opened({OURS}, Path(folder)) as (subjects, _):
        [gateway] = subjects
        print(f"\n{resident_megabytes(gateway.processes):7.1f} MB  at rest")
        for streams in STREAMS:
            print(f"{resident(gateway, streams):7.1f} MB  under {streams} streams at once")


if __name__ == "__main__":
    main()
