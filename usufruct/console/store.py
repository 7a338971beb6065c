"""The table of sales that are being drafted: the document, and the server's key, sealed."""

from collections.abc import Callable, Sequence

import orjson
from sqlalchemy import BigInteger, Column, LargeBinary, Row, Select, String, Table, Text, delete, insert, select, update

from usufruct.core import Address, Clock
from usufruct.store import AddressColumn, Database, RowCache, Seal, Unit, metadata, next_revision
from usufruct_client.sale_documents import SaleDraft
from usufruct_client.wire_types import read_answer

Edit = Callable[[SaleDraft], SaleDraft]

_MOST_DRAFTS = 50
"""Drafts of one seller; the one that was left alone for longest is forgotten."""

_REVISION = "sale_drafts"
"""What changes of drafts that are on sale are counted under."""

_drafts = Table(
    "sale_drafts",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("seller", AddressColumn, nullable=False, index=True),
    Column("changed_at", BigInteger, nullable=False),
    Column("document", Text, nullable=False),
    Column("sealed_key", LargeBinary),  # of the server; NULL: it has none
)


class DraftStore:
    """Drafts in the database; each method is one unit of work."""

    def __init__(self, database: Database, seal: Seal, clock: Clock | None = None) -> None:
        """Keep them in `database`, the servers' keys under `seal`."""
        self._database = database
        self._seal = seal
        self._rows = RowCache(database, clock or Clock(), _REVISION)

    async def revision(self) -> int:
        """Return what differs whenever what `sold` returns does."""
        return await self._rows.refresh()

    async def list(self, seller: Address) -> list[SaleDraft]:
        """Return a seller's drafts, the newest first."""
        query = select(_drafts).where(_drafts.c.seller == seller).order_by(_drafts.c.changed_at.desc(), _drafts.c.id)
        return [_draft(row) for row in await self._database.rows(query)]

    async def sold(self) -> Sequence[SaleDraft]:
        """Return the sales of all sellers that are on sale, the oldest first."""
        return [draft for _, draft in await self._all() if draft.service]

    async def waiting(self) -> Sequence[tuple[Address, SaleDraft]]:
        """Return the sales, with their sellers, that the till's list of payees kept from being confirmed."""
        return [each for each in await self._all() if each[1].waits_for and not each[1].service]

    async def _all(self) -> Sequence[tuple[Address, SaleDraft]]:
        found = await self._database.rows(select(_drafts).order_by(_drafts.c.changed_at))
        return [(Address(row.seller), _draft(row)) for row in found]

    async def find(self, seller: Address, id_: str) -> SaleDraft | None:
        """Return a seller's draft."""
        async with self._database.snapshot() as unit:
            row = await unit.row(_one(seller, id_))
        return _draft(row) if row else None

    async def key(self, seller: Address, id_: str) -> str:
        """Return the key of a draft's server; empty when it has none."""
        async with self._database.snapshot() as unit:
            row = await unit.row(_one(seller, id_))
        return self._seal.open(row.sealed_key, id_).decode() if row and row.sealed_key else ""

    async def add(self, seller: Address, draft: SaleDraft) -> None:
        """Store a new draft; forget the oldest of too many.

        Raises:
            ConstraintViolated: when the id is taken.
        """
        old = select(_drafts.c.id).where(_drafts.c.seller == seller)
        old = old.order_by(_drafts.c.changed_at.desc()).offset(_MOST_DRAFTS - 1)
        async with self._database.transaction() as unit:
            forgotten = await unit.rows(old)
            for row in forgotten:
                await unit.change(delete(_drafts).where(_drafts.c.id == row.id))
            if forgotten:
                await next_revision(unit, _REVISION)
            await unit.change(insert(_drafts).values(id=draft.id, seller=seller, **_columns(draft)))
        self._rows.expire()

    async def change(self, seller: Address, id_: str, edit: Edit, key: str | None = None) -> SaleDraft | None:
        """Change a draft as it is then, and its server's key if one is given; return it, None where there is none."""
        async with self._database.transaction() as unit:
            row = await unit.row(_one(seller, id_).with_for_update())
            if row is None:
                return None
            changed = edit(_draft(row))
            sealed = {} if key is None else {"sealed_key": self._seal.close(key.encode(), id_) if key else None}
            await _write(unit, changed, sealed)
            if changed.service:
                await next_revision(unit, _REVISION)
        self._rows.expire()
        return changed

    async def remove(self, seller: Address, id_: str) -> None:
        """Forget a draft."""
        async with self._database.transaction() as unit:
            await unit.change(delete(_drafts).where(_drafts.c.seller == seller, _drafts.c.id == id_))
            await next_revision(unit, _REVISION)
        self._rows.expire()


def _one(seller: Address, id_: str) -> Select[tuple[object, ...]]:
    return select(_drafts).where(_drafts.c.seller == seller, _drafts.c.id == id_)


async def _write(unit: Unit, draft: SaleDraft, more: dict[str, bytes | None]) -> None:
    await unit.change(update(_drafts).where(_drafts.c.id == draft.id).values(**_columns(draft), **more))


def _columns(draft: SaleDraft) -> dict[str, object]:
    return {"changed_at": draft.changed_at, "document": orjson.dumps(draft.as_json()).decode()}


def _draft(row: Row[tuple[object, ...]]) -> SaleDraft:
    return read_answer(SaleDraft, orjson.loads(row.document))
