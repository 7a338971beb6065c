"""The table of bulletins: one row for each kind and period, so two workers write a bulletin once."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, Column, PrimaryKeyConstraint, Row, String, Table, Text, func, insert, select, update

from usufruct.indices.bulletins.model import Bulletin, BulletinKind
from usufruct.store import ConstraintViolated, Database, metadata

bulletins = Table(
    "market_bulletins",
    metadata,
    Column("kind", String(16), nullable=False),
    Column("period", String(10), nullable=False),
    Column("input_hash", String(64), nullable=False),
    Column("document", Text, nullable=False),
    Column("written_at", BigInteger, nullable=False),
    Column("notified_at", BigInteger),  # when all subscribers had their message in the outbox
    PrimaryKeyConstraint("kind", "period"),
)


class BulletinStore:
    """Bulletins in the database; each method is one unit of work."""

    def __init__(self, database: Database) -> None:
        """Keep them in `database`."""
        self._database = database

    async def add(self, bulletin: Bulletin) -> bool:
        """Write a bulletin, unless its period has one; tell whether it was new."""
        now = await self._database.now()
        values = {
            "kind": bulletin.kind.value,
            "period": bulletin.period,
            "input_hash": bulletin.input_hash,
            "document": bulletin.document,
            "written_at": now,
            "notified_at": None,
        }
        try:
            async with self._database.transaction() as unit:
                await unit.change(insert(bulletins).values(values))
        except ConstraintViolated:
            return False
        return True

    async def find(self, kind: BulletinKind, period: str) -> Bulletin | None:
        """Return the bulletin of a period."""
        query = select(bulletins).where(bulletins.c.kind == kind.value, bulletins.c.period == period)
        async with self._database.snapshot() as unit:
            row = await unit.row(query)
        return None if row is None else _bulletin(row)

    async def newest(self, kind: BulletinKind, limit: int = 1, skip: int = 0) -> list[Bulletin]:
        """Return bulletins of a kind, the newest period first."""
        query = select(bulletins).where(bulletins.c.kind == kind.value).order_by(bulletins.c.period.desc())
        async with self._database.snapshot() as unit:
            return [_bulletin(row) for row in await unit.rows(query.limit(limit).offset(skip))]

    async def periods(self, kind: BulletinKind) -> list[str]:
        """Return the periods that have a bulletin of a kind, the newest first."""
        query = select(bulletins.c.period).where(bulletins.c.kind == kind.value).order_by(bulletins.c.period.desc())
        async with self._database.snapshot() as unit:
            return [row.period for row in await unit.rows(query)]

    async def count(self, kind: BulletinKind) -> int:
        """Return how many bulletins of a kind are kept."""
        query = select(func.count()).select_from(bulletins).where(bulletins.c.kind == kind.value)
        async with self._database.snapshot() as unit:
            row = await unit.row(query)
        return int(row[0]) if row else 0

    async def pending(self, kind: BulletinKind) -> Sequence[Bulletin]:
        """Return the bulletins whose subscribers were not all notified, the oldest first."""
        query = select(bulletins).where(bulletins.c.kind == kind.value, bulletins.c.notified_at.is_(None))
        async with self._database.snapshot() as unit:
            return [_bulletin(row) for row in await unit.rows(query.order_by(bulletins.c.period))]

    async def note_notified(self, bulletin: Bulletin) -> None:
        """Note that all subscribers of a bulletin were notified."""
        now = await self._database.now()
        mine = (bulletins.c.kind == bulletin.kind.value) & (bulletins.c.period == bulletin.period)
        async with self._database.transaction() as unit:
            await unit.change(update(bulletins).where(mine).values(notified_at=now))


def _bulletin(row: Row[Any]) -> Bulletin:
    return Bulletin(BulletinKind(row.kind), row.period, row.input_hash, row.document, row.written_at)
