"""The tables of market API keys, and of the calls that each made in a month."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Row,
    String,
    Table,
    delete,
    func,
    insert,
    select,
    update,
)

from usufruct.core import Address
from usufruct.store import AddressColumn, Database, RollingWindow, Unit, metadata

_keys = Table(
    "market_keys",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("secret_hash", LargeBinary, nullable=False, unique=True),
    Column("account", AddressColumn, nullable=True, index=True),
    Column("network", LargeBinary, nullable=False),  # a mark of where it was asked for
    Column("label", String(100), nullable=False),
    Column("created_at", BigInteger, nullable=False, index=True),
    Column("revoked_at", BigInteger, nullable=True),
    Column("calls_per_month", BigInteger, nullable=True),  # of the operator's plan for this key
    Column("calls_per_minute", BigInteger, nullable=True),
    Column("last_used_at", BigInteger, nullable=True),  # to the hour or so: see `note_uses`
)

_calls = Table(
    "market_key_calls",
    metadata,
    Column("key_id", String(40), nullable=False),
    Column("month", Integer, nullable=False),  # year x 12 + month - 1
    Column("calls", BigInteger, nullable=False),
    PrimaryKeyConstraint("key_id", "month"),
)


@dataclass(frozen=True, slots=True)
class MarketKey:
    """A key of the market API; `account` is the staker whose level counts.

    `calls_per_month` and `calls_per_minute` are the plan that the operator gave this key; None: that of free keys.
    `last_used_at`: a call was made then; later ones may not have been noted for an hour.
    """

    id: str
    account: Address | None
    label: str
    created_at: int
    revoked_at: int | None = None
    calls_per_month: int | None = None
    calls_per_minute: int | None = None
    last_used_at: int | None = None


class MarketKeyStore:
    """The keys in the database; each method is one unit of work."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, key: MarketKey, secret_hash: bytes, network: bytes, most: int, seconds: int) -> int:
        """Store a key and return 0; after `most` from its network in so many seconds, return how many to wait."""
        row = {name: getattr(key, name) for name in MarketKey.__slots__}
        made = RollingWindow(_keys.c.created_at, seconds, key.created_at)
        async with self._database.transaction() as unit:
            await self._database.wait_turn(unit, "market keys")
            if wait := await made.wait_for_count(unit, most, _keys.c.network == network):
                return wait
            await unit.change(insert(_keys).values(row | {"secret_hash": secret_hash, "network": network}))
        return 0

    async def find(self, secret_hash: bytes) -> MarketKey | None:
        """Return the key whose secret has this hash."""
        found = await self._database.rows(select(_keys).where(_keys.c.secret_hash == secret_hash))
        return _key(found[0]) if found else None

    async def list(self) -> Sequence[tuple[MarketKey, int]]:
        """Return all keys, the newest first, each with the calls of its last month with calls."""
        last = select(_calls.c.key_id, func.max(_calls.c.month).label("month")).group_by(_calls.c.key_id).subquery()
        joined = _keys.outerjoin(last, last.c.key_id == _keys.c.id).outerjoin(
            _calls, (_calls.c.key_id == _keys.c.id) & (_calls.c.month == last.c.month)
        )
        query = select(_keys, func.coalesce(_calls.c.calls, 0).label("calls")).select_from(joined)
        found = await self._database.rows(query.order_by(_keys.c.created_at.desc(), _keys.c.id))
        return [(_key(row), int(row.calls)) for row in found]

    async def of(self, account: Address, month: int) -> Sequence[tuple[MarketKey, int]]:
        """Return an account's live keys, the newest first, each with the calls that it made in a month."""
        joined = _keys.outerjoin(_calls, (_calls.c.key_id == _keys.c.id) & (_calls.c.month == month))
        query = select(_keys, func.coalesce(_calls.c.calls, 0).label("calls")).select_from(joined)
        mine = query.where(_keys.c.account == account, _keys.c.revoked_at.is_(None))
        found = await self._database.rows(mine.order_by(_keys.c.created_at.desc(), _keys.c.id))
        return [(_key(row), int(row.calls)) for row in found]

    async def revoke(self, key_id: str, now: int, account: Address | None = None) -> bool:
        """Mark a key as revoked, of an account if one is given; tell whether it was live."""
        return await self._change(key_id, *(() if account is None else (_keys.c.account == account,)), revoked_at=now)

    async def note_uses(self, used: Mapping[str, int]) -> None:
        """Note when keys were last used, in seconds since 1970; another replica may have noted a later call."""
        async with self._database.transaction() as unit:
            for key_id, at in sorted(used.items()):  # in one order: replicas that note at once do not deadlock
                earlier = _keys.c.last_used_at.is_(None) | (_keys.c.last_used_at < at)
                await unit.change(update(_keys).where(_keys.c.id == key_id, earlier).values(last_used_at=at))

    async def set_plan(self, key_id: str, month: int | None, minute: int | None) -> bool:
        """Give a live key its own limits, or with None those of free keys; tell whether there is such a key."""
        return await self._change(key_id, calls_per_month=month, calls_per_minute=minute)

    async def calls(self, key_id: str, month: int) -> int:
        """Return how many calls a key made in a month."""
        found = await self._database.rows(_of(key_id, month))
        return int(found[0].calls) if found else 0

    async def add_calls(self, month: int, made: Mapping[str, int]) -> dict[str, int]:
        """Add calls of a month by key, and return what each has made then, in all replicas together."""
        async with self._database.transaction() as unit:
            await self._database.wait_turn(unit, "calls of market keys")
            return {key_id: await _add(unit, key_id, month, count) for key_id, count in made.items()}

    async def forget(self, before: int) -> None:
        """Remove the counts of months before one."""
        async with self._database.transaction() as unit:
            await unit.change(delete(_calls).where(_calls.c.month < before))

    async def _change(self, key_id: str, *also: ColumnElement[bool], **values: int | None) -> bool:
        live = (_keys.c.id == key_id, _keys.c.revoked_at.is_(None), *also)
        async with self._database.transaction() as unit:
            return await unit.change(update(_keys).where(*live).values(values)) > 0


async def _add(unit: Unit, key_id: str, month: int, count: int) -> int:
    row = (_calls.c.key_id == key_id, _calls.c.month == month)
    if not await unit.change(update(_calls).where(*row).values(calls=_calls.c.calls + count)):
        await unit.change(insert(_calls).values(key_id=key_id, month=month, calls=count))
    found = await unit.rows(_of(key_id, month))
    return int(found[0].calls)


def _of(key_id: str, month: int) -> Any:
    return select(_calls.c.calls).where(_calls.c.key_id == key_id, _calls.c.month == month)


def _key(row: Row[Any]) -> MarketKey:
    return MarketKey(**{name: getattr(row, name) for name in MarketKey.__slots__})
