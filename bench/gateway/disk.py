"""How long this disk takes to make one small write durable."""

import os
import time
from pathlib import Path
from statistics import median

WRITES = 200
PAUSED_WRITES = 50
PAGE = 4_096


def fsync_microseconds(folder: Path, pause_seconds: float = 0.0) -> float:
    """Return the median time of appending one page to a file in `folder` and making it durable, in microseconds.

    A disk that rests for `pause_seconds` before each write, as between calls one at a time, is slower.
    """
    path = folder / "fsync"
    taken = []
    with path.open("wb", buffering=0) as file:
        for _ in range(PAUSED_WRITES if pause_seconds else WRITES):
            time.sleep(pause_seconds)
            file.write(bytes(PAGE))
            started = time.perf_counter()
            os.fdatasync(file.fileno())
            taken.append(time.perf_counter() - started)
    path.unlink()
    return median(taken) * 1e6
