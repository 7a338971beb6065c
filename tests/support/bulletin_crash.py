"""A worker that dies: writes the bulletins of a data folder and tells persons of them, and is killed at a point.

    python -m tests.support.bulletin_crash DATABASE_URL FOLDER NOW POINT

It writes `alive` when it was not killed.
"""

import asyncio
import os
import signal
import sys
from functools import partial
from pathlib import Path

from tests.support.notification_crash import notifications_in
from usufruct.analytics.snapshot_files import read_snapshot
from usufruct.connectors.news import NewsArchive
from usufruct.indices.bulletins import PACKAGE, BulletinJob
from usufruct.indices.bulletins.job import Faults
from usufruct.indices.publication import read_indices
from usufruct.store import Database, open_database
from usufruct.web.ui import load_languages


def bulletin_job(database: Database, folder: Path, now: int, faults: Faults = lambda name: None) -> BulletinJob:
    """Return the job over a data folder; the time is always `now`."""

    async def time() -> int:
        return now

    return BulletinJob(
        database,
        notifications_in(database),
        partial(read_snapshot, folder / "ratings"),
        partial(read_indices, folder / "indices"),
        NewsArchive(folder / "news"),
        load_languages([PACKAGE]),
        now=time,
        faults=faults,
    )


async def run(url: str, folder: str, now: str, fatal: str) -> None:
    def point(name: str) -> None:
        if name == fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    database = open_database(url)
    await bulletin_job(database, Path(folder), int(now), point).step()
    await database.close()
    sys.stdout.write("alive\n")


if __name__ == "__main__":
    asyncio.run(run(*sys.argv[1:]))
