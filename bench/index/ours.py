"""Run our engine on prices in a folder, in a process of its own; print times, peak memory and values.

`python -m bench.index.ours FOLDER ROUNDS [log]`. With `log`, the record of all rebalances with reasons and hashes is
made as well.
"""

import json
import resource
import sys
import time
from datetime import date
from pathlib import Path

import numpy as np

from usufruct.connectors.prices import Asset, Matrix, Panel
from usufruct.indices import parse_rulebook, record_bytes, run_index

RULES = """
name = "bench"
title = "Bench"
[universe]
exclude = []
[selection]
count = 100
[weights]
each_at_most = 0.1
[calendar]
every = "week"
[costs]
fee_bps = 10
half_spread_bps = 0
"""
FIRST_DAY = date(2018, 1, 1)


def make_market(days: int, assets: int, seed: int = 1) -> tuple[Matrix, Matrix]:
    """Make prices and market caps of random walks."""
    chance = np.random.default_rng(seed)
    close = chance.normal(0.0003, 0.04, (days, assets))
    np.cumsum(close, axis=0, out=close)
    np.exp(close, out=close)
    close *= np.exp(chance.normal(0, 2, assets))
    return close, close * np.exp(chance.normal(18, 2, assets))


def as_panel(close: Matrix, caps: Matrix) -> Panel:
    """Return the matrices as a panel."""
    assets = tuple(Asset(f"a{at:05d}", at, f"A{at}", f"Asset {at}") for at in range(close.shape[1]))
    return Panel(FIRST_DAY, assets, close, caps, caps, synthetic=True, source="bench")


def main() -> None:
    """Load, warm up, measure."""
    folder, rounds, with_log = Path(sys.argv[1]), int(sys.argv[2]), "log" in sys.argv[3:]
    panel = as_panel(np.load(folder / "close.npy"), np.load(folder / "caps.npy"))
    rulebook = parse_rulebook(RULES)
    run_index(rulebook, panel)
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        found = run_index(rulebook, panel)
        if with_log:
            record_bytes(found)
        times.append((time.perf_counter() - began) * 1e3)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"times": times, "peak": peak, "nav": (found.nav[1:] / rulebook.base).tolist()}))


if __name__ == "__main__":
    main()
