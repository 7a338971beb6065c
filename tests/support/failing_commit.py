"""Commits that really fail: a file that may not grow (SQLite), a server that drops the connection (PostgreSQL)."""

import asyncio
import resource
import threading

import asyncpg
from sqlalchemy import make_url


class FailingCommit:
    """Crash points of a ledger: the next commit after `arm` that holds its verb fails, until `mend`."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._verb: str | None = None
        self._held = False
        self._limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        self.failed = 0

    def arm(self, verb: str) -> None:
        self._verb, self._held = verb, False

    def __call__(self, point: str) -> None:
        self._held |= point == f"{self._verb}.0"
        if point == "commit.before" and self._held:
            self._verb, self._held = None, False
            self.failed += 1
            if self._url.startswith("sqlite"):
                resource.setrlimit(resource.RLIMIT_FSIZE, (1, self._limits[1]))
            else:
                thread = threading.Thread(target=lambda: asyncio.run(self._drop_writers()))
                thread.start()
                thread.join()

    def mend(self) -> None:
        """Let files grow again."""
        resource.setrlimit(resource.RLIMIT_FSIZE, self._limits)

    async def _drop_writers(self) -> None:
        connection = await asyncpg.connect(self._url)
        try:
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 "
                "AND pid <> pg_backend_pid() AND state = 'idle in transaction'",
                make_url(self._url).database,
            )
        finally:
            await connection.close()
