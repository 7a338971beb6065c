"""Rows kept in memory: what another process changes is read again within `FRESH_SECONDS`, and nothing else is.

A row that a reader misses may have been added just now, so it is looked for at once; but not more often than once in
`FLOOR_SECONDS`, which its reader waits out, for strangers may ask for names that never existed.

Each kind of rows has a revision, which counts its changes; a changed row carries the revision of its last change.
"""

import asyncio
from collections.abc import Awaitable, Callable

from sqlalchemy import DDL, BigInteger, Column, String, Table, event, select, update

from usufruct.core import Clock
from usufruct.store.database import Database, Unit
from usufruct.store.metadata import metadata

FRESH_SECONDS = 2.0
FLOOR_SECONDS = 0.1

_revisions = Table(
    "revisions",
    metadata,
    Column("kind", String(40), primary_key=True),  # of rows
    Column("revision", BigInteger, nullable=False),
)
_KINDS = ("listings", "reviews", "sale_drafts", "service_index", "service_quality", "upstreams")
_INSERT = DDL(  # type: ignore[no-untyped-call]
    "INSERT INTO revisions (kind, revision) VALUES " + ", ".join(f"('{kind}', 0)" for kind in _KINDS)
)
event.listen(_revisions, "after_create", _INSERT)


async def next_revision(unit: Unit, kind: str) -> int:
    """Count a change of rows and return its number, which the changed row must be given in the same transaction.

    Other transactions that change rows of this kind wait until this one ends, so revisions are committed in order.
    """
    ours = _revisions.c.kind == kind
    await unit.change(update(_revisions).where(ours).values(revision=_revisions.c.revision + 1))
    return await _revision(unit, kind)


async def _revision(reader: Unit | Database, kind: str) -> int:
    found = await reader.rows(select(_revisions.c.revision).where(_revisions.c.kind == kind))
    assert found, f"no revision of {kind} was ever inserted"
    revision: int = found[0].revision
    return revision


class RowCache:
    """Keeps a reader's copy of one kind of rows fresh."""

    def __init__(
        self, database: Database, clock: Clock, kind: str, read: Callable[[Unit, int], Awaitable[None]] | None = None
    ) -> None:
        """Call `read` with the last revision that was read; it takes in the rows whose revision is higher.

        Without it no row is kept, and only the revision is read.
        """
        self._database = database
        self._clock = clock
        self._kind = kind
        self._read = read
        self._revision = -1
        self._read_at = -FRESH_SECONDS
        self._expirations = 0
        self._begun = self._ended = 0  # numbers of reads: of the last one, and of the last that ended well
        self._turn = asyncio.Lock()

    async def refresh(self) -> int:
        """Read what changed, unless that was done within `FRESH_SECONDS`.

        Returns the revision of what is kept.
        """
        if not self._fresh():
            async with self._turn:
                if not self._fresh():
                    await self._read_changes()
        return self._revision

    async def refresh_missing(self) -> None:
        """Read what changed until now, at most once in `FLOOR_SECONDS` for all readers that miss a row."""
        begun = self._begun
        await asyncio.sleep(self._read_at + FLOOR_SECONDS - self._clock.monotonic())
        async with self._turn:
            if self._ended <= begun:
                await self._read_changes()

    def _fresh(self) -> bool:
        return self._clock.monotonic() - self._read_at < FRESH_SECONDS

    def expire(self) -> None:
        """Read again at the next `refresh`, whenever that is; call it after changing rows."""
        self._expirations += 1
        self._read_at = -FRESH_SECONDS

    async def _read_changes(self) -> None:
        self._begun += 1
        number = self._begun
        now, expirations = self._clock.monotonic(), self._expirations
        revision = await _revision(self._database, self._kind)
        if revision != self._revision and self._read is not None:
            async with self._database.snapshot() as unit:
                revision = await _revision(unit, self._kind)
                await self._read(unit, self._revision)
        self._revision = revision
        self._ended = number
        if expirations == self._expirations:  # what was read before a change is read again
            self._read_at = now
