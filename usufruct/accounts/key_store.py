"""The table of bearer keys."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    LargeBinary,
    Row,
    Select,
    String,
    Table,
    UniqueConstraint,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from usufruct.accounts.key_model import BearerKey, KeyLimits, sorted_assets, too_many_keys, too_many_waiting_keys
from usufruct.core import Address, Hash32
from usufruct.store import AddressColumn, Amount, Database, HashColumn, Unit, metadata

_keys = Table(
    "bearer_keys",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("secret_hash", LargeBinary, nullable=False, unique=True),
    Column("payer", AddressColumn, nullable=False, index=True),
    Column("channel", HashColumn, nullable=False, unique=True),
    Column("session", AddressColumn, nullable=False),
    Column("sealed_session", LargeBinary, nullable=False),
    Column("spending_limit", Amount, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("assets", String, nullable=False),
    Column("label", String, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger, nullable=True),
    Column("proof_nonce", Amount, nullable=False),
    Column("day_limit", Amount, nullable=True),
    UniqueConstraint("payer", "proof_nonce"),
)

_waiting = Table(
    "keys_without_money",
    metadata,
    Column("key_id", String(40), primary_key=True),
    Column("payer", AddressColumn, nullable=False, index=True),
)


class KeyStore:
    """The bearer keys in the database; each method is one unit of work."""

    def __init__(self, database: Database) -> None:
        """Keep them in `database`."""
        self._database = database

    async def add(
        self, key: BearerKey, secret_hash: bytes, sealed_session: bytes, nonce: int, limits: KeyLimits, *, funded: bool
    ) -> None:
        """Store a new key, which waits for money; `funded`: its payer showed some.

        One key is counted after the other, so that no two pass a limit together.

        Raises:
            ConstraintViolated: when the payer has used `nonce` before.
            Conflict: when the payer, or all of them, have as many keys as `limits` allow.
        """
        row = asdict(key) | {
            "assets": sorted_assets(key.assets),
            "secret_hash": secret_hash,
            "sealed_session": sealed_session,
            "proof_nonce": nonce,
        }
        async with self._database.transaction() as unit:
            await self._database.wait_turn(unit, "bearer keys")
            if await _count(unit, _live(key.payer, key.created_at)) >= limits.most_live:
                raise too_many_keys(key.payer, limits.most_live)
            if await _count(unit, _count_waiting()) >= limits.most_waiting:
                mine = await _count(unit, _count_waiting(key.payer))
                if mine or not funded:
                    raise too_many_waiting_keys(key.payer, limits.most_waiting, mine)
            await unit.change(insert(_keys).values(row))
            await unit.change(insert(_waiting).values(key_id=key.id, payer=key.payer))

    async def live(self, payer: Address, now: int) -> int:
        """Return how many of a payer's keys are neither revoked nor expired by `now`."""
        async with self._database.snapshot() as unit:
            return await _count(unit, _live(payer, now))

    async def count(self) -> int:
        """Return how many keys there are, of whatever state."""
        async with self._database.snapshot() as unit:
            return await _count(unit, select(func.count()).select_from(_keys))

    async def nonce_used(self, payer: Address, nonce: int) -> bool:
        """Tell whether the payer has used `nonce`."""
        return await self._any(select(_keys.c.id).where(_keys.c.payer == payer, _keys.c.proof_nonce == nonce))

    async def holds(self, channel: Hash32) -> bool:
        """Tell whether a channel stands behind any key."""
        return await self._any(select(_keys.c.id).where(_keys.c.channel == channel))

    async def count_waiting(self, payer: Address | None = None) -> int:
        """Return how many keys, or how many of `payer`'s, got no money yet."""
        async with self._database.snapshot() as unit:
            return await _count(unit, _count_waiting(payer))

    async def waiting(self) -> Sequence[BearerKey]:
        """Return the keys that got no money yet, oldest first."""
        query = select(_keys).where(_keys.c.id.in_(select(_waiting.c.key_id)))
        return await self._list(query.order_by(_keys.c.created_at, _keys.c.id))

    async def end_waiting(self, key_id: str) -> None:
        """Note that a key got money: it stays, whatever becomes of that."""
        async with self._database.transaction() as unit:
            await unit.change(delete(_waiting).where(_waiting.c.key_id == key_id))

    async def remove(self, key_id: str) -> None:
        """Remove a key that got no money; one that got some stays."""
        async with self._database.transaction() as unit:
            if await unit.change(delete(_waiting).where(_waiting.c.key_id == key_id)):
                await unit.change(delete(_keys).where(_keys.c.id == key_id))

    async def find(self, secret_hash: bytes) -> BearerKey | None:
        """Return the key whose secret has this hash."""
        async with self._database.snapshot() as unit:
            row = await unit.row(select(_keys).where(_keys.c.secret_hash == secret_hash))
        return _key(row) if row else None

    async def list(self, payer: Address) -> Sequence[BearerKey]:
        """Return a payer's keys, newest first."""
        query = select(_keys).where(_keys.c.payer == payer)
        return await self._list(query.order_by(_keys.c.created_at.desc(), _keys.c.id))

    async def live_of(self, payers: Sequence[Address], now: int) -> Sequence[BearerKey]:
        """Return the keys of these payers that are neither revoked nor expired by `now`."""
        live = (_keys.c.revoked_at.is_(None), _keys.c.expires_at > now)
        return await self._list(select(_keys).where(_keys.c.payer.in_(payers), *live).order_by(_keys.c.id))

    async def sealed_session(self, key_id: str) -> bytes | None:
        """Return a key's sealed session key."""
        async with self._database.snapshot() as unit:
            row = await unit.row(select(_keys.c.sealed_session).where(_keys.c.id == key_id))
        return bytes(row.sealed_session) if row else None

    async def sealed(self, after: str, limit: int) -> Sequence[tuple[BearerKey, bytes]]:
        """Return keys with their sealed session keys by id, from the one after `after`."""
        query = select(_keys).where(_keys.c.id > after).order_by(_keys.c.id).limit(limit)
        async with self._database.snapshot() as unit:
            return [(_key(row), bytes(row.sealed_session)) for row in await unit.rows(query)]

    async def revoke(self, payer: Address, key_id: str, now: int) -> BearerKey | None:
        """Mark a payer's key as revoked at `now`, unless it is already, and return it; None when there is none."""
        return await self._change(payer, key_id, _keys.c.revoked_at.is_(None), revoked_at=now)

    async def rename(self, payer: Address, key_id: str, label: str) -> BearerKey | None:
        """Give a payer's key another name, and return it; None when there is none."""
        return await self._change(payer, key_id, label=label)

    async def _change(
        self, payer: Address, key_id: str, *which: ColumnElement[bool], **values: Any
    ) -> BearerKey | None:
        mine = (_keys.c.id == key_id, _keys.c.payer == payer)
        async with self._database.transaction() as unit:
            await unit.change(update(_keys).where(*mine, *which).values(**values))
            row = await unit.row(select(_keys).where(*mine))
        return _key(row) if row else None

    async def leaving(self, now: int) -> Sequence[Hash32]:
        """Return the channels of keys that are revoked, or expired by `now`."""
        over = or_(_keys.c.revoked_at.is_not(None), _keys.c.expires_at <= now)
        async with self._database.snapshot() as unit:
            rows = await unit.rows(select(_keys.c.channel).where(over).order_by(_keys.c.id))
        return [Hash32(row.channel) for row in rows]

    async def _any(self, query: Select[Any]) -> bool:
        async with self._database.snapshot() as unit:
            return await unit.row(query) is not None

    async def _list(self, query: Select[Any]) -> Sequence[BearerKey]:
        async with self._database.snapshot() as unit:
            return [_key(row) for row in await unit.rows(query)]


def _live(payer: Address, now: int) -> Select[Any]:
    return select(func.count()).where(_keys.c.payer == payer, _keys.c.revoked_at.is_(None), _keys.c.expires_at > now)


def _count_waiting(payer: Address | None = None) -> Select[Any]:
    query = select(func.count()).select_from(_waiting)
    return query if payer is None else query.where(_waiting.c.payer == payer)


async def _count(unit: Unit, query: Select[Any]) -> int:
    row = await unit.row(query)
    return int(row[0]) if row else 0


def _key(row: Row[Any]) -> BearerKey:
    return BearerKey(
        id=row.id,
        payer=Address(row.payer),
        channel=Hash32(row.channel),
        session=Address(row.session),
        spending_limit=row.spending_limit,
        expires_at=row.expires_at,
        assets=frozenset(row.assets.split("\n")) if row.assets else frozenset(),
        label=row.label,
        created_at=row.created_at,
        revoked_at=row.revoked_at,
        day_limit=row.day_limit,
    )
