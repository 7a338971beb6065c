"""A worker that only follows an exchange, to be killed: `python -m tests.support.live_worker FOLDER REST STREAM`.

Without arguments it is a module of values that tests share with it.
"""

import asyncio
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from usufruct.analytics.live.job import live_jobs
from usufruct.analytics.live.model import LiveTable
from usufruct.connectors.exchanges import Pacing, SymbolTable, TradedSymbol, VenueSettings
from usufruct.connectors.prices import LARGEST
from usufruct.core import Clock
from usufruct.core.jobs import Job, run_jobs

SYMBOL = "LAY001/USDT"
STREAM = "lay001usdt@ticker"
TABLE = SymbolTable([TradedSymbol("binance", SYMBOL, LARGEST, date(2019, 1, 1))])
STALE_AFTER = 60


def jobs_of(
    folder: Path, rest: str, stream: str, clock: Clock | None = None, pacing: Pacing | None = None
) -> Sequence[Job]:
    """Return the jobs that follow the exchange at these addresses, whose prices are simulated."""
    venue = VenueSettings("binance", url=rest, stream_url=stream, pacing=pacing or Pacing())
    blank = LiveTable(0, STALE_AFTER, synthetic=True)
    return live_jobs(folder, [venue], TABLE, frozenset({"USDT"}), clock or Clock(), blank)


if __name__ == "__main__":
    asyncio.run(run_jobs(jobs_of(Path(sys.argv[1]), sys.argv[2], sys.argv[3])))
