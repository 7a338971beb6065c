"""The tables of sessions, and of challenges that were used."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    LargeBinary,
    Select,
    String,
    Table,
    bindparam,
    column,
    delete,
    func,
    insert,
    select,
    table,
)

from usufruct.accounts.session_model import Session, SessionPolicy
from usufruct.store import AddressColumn, Database, SharedReads, metadata

_sessions = Table(
    "sessions",
    metadata,
    Column("id_hash", LargeBinary, primary_key=True),
    Column("address", AddressColumn, nullable=False, index=True),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False, index=True),
)

_used_challenges = Table(
    "used_challenges",
    metadata,
    Column("nonce", String(64), primary_key=True),
    Column("expires_at", BigInteger, nullable=False, index=True),
)

_payers: Select[Any] = select(column("payer", AddressColumn)).select_from(table("bearer_keys"))
_NAMED = select(_sessions.c.id_hash, _sessions.c.address, _sessions.c.expires_at).where(
    _sessions.c.id_hash.in_(bindparam("id_hashes", expanding=True))
)
_BATCHES = 100
"""In how many steps all sessions of addresses without a key would end: ending some takes longer than a sign-in."""


class SessionStore:
    """Sessions in the database, by the hash of their id; each method is one unit of work."""

    def __init__(self, database: Database) -> None:
        """Keep them in `database`."""
        self._database = database
        self._reads = SharedReads(self._read)

    async def add(
        self, id_hash: bytes, session: Session, now: int, policy: SessionPolicy, nonce: str, nonce_ends: int
    ) -> None:
        """Store a new session, and that `nonce` was used; end the oldest ones beyond the policy's numbers.

        Raises:
            ConstraintViolated: when the nonce was used before; nothing is stored then.
        """
        mine = select(_sessions.c.id_hash).where(_sessions.c.address == session.address)
        old = mine.order_by(_sessions.c.created_at.desc(), _sessions.c.id_hash).offset(policy.most_sessions - 1)
        strangers = select(_sessions.c.id_hash).where(_sessions.c.address.not_in(_payers))
        oldest = strangers.order_by(_sessions.c.created_at).limit(max(1, policy.most_in_all // _BATCHES))
        row = {"address": session.address, "expires_at": session.expires_at, "created_at": now}
        async with self._database.transaction() as unit:
            await self._database.wait_turn(unit, f"sessions of {session.address}")
            await unit.change(insert(_used_challenges).values(nonce=nonce, expires_at=nonce_ends))
            for each in await unit.rows(old):
                await unit.change(delete(_sessions).where(_sessions.c.id_hash == each.id_hash))
            count = await unit.row(select(func.count()).select_from(_sessions))
            if count and count[0] >= policy.most_in_all:
                await unit.change(delete(_sessions).where(_sessions.c.id_hash.in_(oldest)))
            await unit.change(insert(_sessions).values(id_hash=id_hash, **row))

    async def find(self, id_hash: bytes, now: int) -> Session | None:
        """Return a session that has not expired by `now`; those of many requests at once are read together."""
        found = await self._reads.get(id_hash)
        return found if found and found.expires_at > now else None

    async def _read(self, id_hashes: Sequence[bytes]) -> Mapping[bytes, Session]:
        rows = await self._database.rows(_NAMED, {"id_hashes": id_hashes})
        return {row.id_hash: Session(row.address, row.expires_at) for row in rows}

    async def remove(self, id_hash: bytes) -> None:
        """Remove a session."""
        async with self._database.transaction() as unit:
            await unit.change(delete(_sessions).where(_sessions.c.id_hash == id_hash))

    async def remove_expired(self, now: int) -> None:
        """Remove what has expired by `now`."""
        async with self._database.transaction() as unit:
            await unit.change(delete(_sessions).where(_sessions.c.expires_at <= now))
            await unit.change(delete(_used_challenges).where(_used_challenges.c.expires_at <= now))
