"""Sort more records than memory holds: sorted runs in temporary files, merged as they are read."""

import heapq
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

_READ_AT_ONCE = 4_096


def sort_records(records: Iterable[bytes], size: int, folder: Path, most: int = 250_000) -> Iterator[bytes]:
    """Yield records of `size` bytes each in ascending order; never more than `most` are in memory.

    Runs are files in `folder`, which the caller deletes. All records are read before the first is yielded.
    """
    source = iter(records)
    runs: list[Path] = []
    while run := sorted(islice(source, most)):
        if not runs and len(run) < most:
            return iter(run)
        runs.append(folder / f"run-{size}-{len(runs)}")
        runs[-1].write_bytes(b"".join(run))
    return heapq.merge(*(_read_run(path, size) for path in runs))


def _read_run(path: Path, size: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(size * _READ_AT_ONCE):
            for at in range(0, len(block), size):
                yield block[at : at + size]
