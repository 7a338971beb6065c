"""The table of bearer keys."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    LargeBinary,
    Row,
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

from usufruct.accounts.model import BearerKey, sorted_assets
from usufruct.core import Address, Hash32
from usufruct.store import AddressColumn, Amount, HashColumn, Unit, metadata

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
    UniqueConstraint("payer", "proof_nonce"),
)

_waiting = Table(
    "keys_without_money",
    metadata,
    Column("key_id", String(40), primary_key=True),
    Column("payer", AddressColumn, nullable=False, index=True),
)


async def add_key(unit: Unit, key: BearerKey, secret_hash: bytes, sealed_session: bytes, nonce: int) -> None:
    """Store a new key.

    Raises:
        ConstraintViolated: when the payer has used `nonce` before.
    """
    row = {
        "id": key.id,
        "secret_hash": secret_hash,
        "payer": key.payer,
        "channel": key.channel,
        "session": key.session,
        "sealed_session": sealed_session,
        "spending_limit": key.spending_limit,
        "expires_at": key.expires_at,
        "assets": sorted_assets(key.assets),
        "label": key.label,
        "created_at": key.created_at,
        "revoked_at": key.revoked_at,
        "proof_nonce": nonce,
    }
    await unit.change(insert(_keys).values(row))
    await unit.change(insert(_waiting).values(key_id=key.id, payer=key.payer))


async def count_waiting(unit: Unit, payer: Address | None = None) -> int:
    """Return how many keys, or how many of `payer`'s, got no money yet."""
    query = select(func.count()).select_from(_waiting)
    row = await unit.row(query if payer is None else query.where(_waiting.c.payer == payer))
    return int(row[0]) if row else 0


async def count_keys(unit: Unit) -> int:
    """Return how many keys there are."""
    row = await unit.row(select(func.count()).select_from(_keys))
    return int(row[0]) if row else 0


async def waiting_keys(unit: Unit) -> Sequence[BearerKey]:
    """Return the keys that got no money yet, oldest first."""
    query = select(_keys).where(_keys.c.id.in_(select(_waiting.c.key_id)))
    return [_key(row) for row in await unit.rows(query.order_by(_keys.c.created_at, _keys.c.id))]


async def end_waiting(unit: Unit, key_id: str) -> None:
    """Note that a key got money."""
    await unit.change(delete(_waiting).where(_waiting.c.key_id == key_id))


async def remove_key(unit: Unit, key_id: str) -> None:
    """Remove a key that got no money; one that got some stays."""
    if await unit.change(delete(_waiting).where(_waiting.c.key_id == key_id)):
        await unit.change(delete(_keys).where(_keys.c.id == key_id))


async def nonce_used(unit: Unit, payer: Address, nonce: int) -> bool:
    """Say whether the payer has used `nonce`."""
    found = select(_keys.c.id).where(_keys.c.payer == payer, _keys.c.proof_nonce == nonce)
    return await unit.row(found) is not None


async def live_keys(unit: Unit, payer: Address, now: int) -> int:
    """Return how many of a payer's keys are neither revoked nor expired by `now`."""
    live = (_keys.c.payer == payer, _keys.c.revoked_at.is_(None), _keys.c.expires_at > now)
    row = await unit.row(select(func.count()).where(*live))
    return int(row[0]) if row else 0


async def key_by_hash(unit: Unit, secret_hash: bytes) -> BearerKey | None:
    """Return the key whose secret has this hash."""
    row = await unit.row(select(_keys).where(_keys.c.secret_hash == secret_hash))
    return _key(row) if row else None


async def key_by_id(unit: Unit, payer: Address, key_id: str) -> BearerKey | None:
    """Return a payer's key by its id."""
    row = await unit.row(select(_keys).where(_keys.c.id == key_id, _keys.c.payer == payer))
    return _key(row) if row else None


async def keys_of(unit: Unit, payer: Address) -> Sequence[BearerKey]:
    """Return a payer's keys, newest first."""
    rows = await unit.rows(select(_keys).where(_keys.c.payer == payer).order_by(_keys.c.created_at.desc(), _keys.c.id))
    return [_key(row) for row in rows]


async def sealed_session_of(unit: Unit, key_id: str) -> bytes | None:
    """Return a key's sealed session key."""
    row = await unit.row(select(_keys.c.sealed_session).where(_keys.c.id == key_id))
    return bytes(row.sealed_session) if row else None


async def sealed_keys(unit: Unit, after: str, limit: int) -> Sequence[tuple[BearerKey, bytes]]:
    """Return keys with their sealed session keys by id, from the one after `after`."""
    rows = await unit.rows(select(_keys).where(_keys.c.id > after).order_by(_keys.c.id).limit(limit))
    return [(_key(row), bytes(row.sealed_session)) for row in rows]


async def set_revoked(unit: Unit, payer: Address, key_id: str, now: int) -> None:
    """Mark a payer's key as revoked at `now`, unless it is already."""
    mine = (_keys.c.id == key_id, _keys.c.payer == payer, _keys.c.revoked_at.is_(None))
    await unit.change(update(_keys).where(*mine).values(revoked_at=now))


async def channels_left(unit: Unit, now: int) -> Sequence[Hash32]:
    """Return the channels of keys that are revoked, or expired by `now`."""
    over = or_(_keys.c.revoked_at.is_not(None), _keys.c.expires_at <= now)
    return [Hash32(row.channel) for row in await unit.rows(select(_keys.c.channel).where(over).order_by(_keys.c.id))]


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
    )


async def channel_held(unit: Unit, channel: Hash32) -> bool:
    """Tell whether a channel stands behind any key."""
    return await unit.row(select(_keys.c.id).where(_keys.c.channel == channel)) is not None
