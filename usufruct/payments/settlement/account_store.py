"""Tables about accounts: how each funding source configured them, and from which block each was read last."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import BigInteger, Column, Row, Table, bindparam, insert, select, text, update

from usufruct.core import Address, Hash32
from usufruct.payments.ledger import accounts
from usufruct.payments.pricing import ActivatedCredits, ChannelConfig
from usufruct.store import AddressColumn, ConstraintViolated, Database, HashColumn, Unit, metadata

_MANY = 500

escrow_channels = Table(
    "escrow_channels",
    metadata,
    Column("account_id", HashColumn, primary_key=True),
    Column("payer", AddressColumn, nullable=False),
    Column("payer_authorizer", AddressColumn, nullable=False),
    Column("receiver", AddressColumn, nullable=False),
    Column("receiver_authorizer", AddressColumn, nullable=False),
    Column("token", AddressColumn, nullable=False),
    Column("withdraw_delay", BigInteger, nullable=False),
    Column("salt", HashColumn, nullable=False),
)

pass_credits = Table(
    "pass_credits",
    metadata,
    Column("account_id", HashColumn, primary_key=True),
    Column("plan", HashColumn, nullable=False),
    Column("holder", AddressColumn, nullable=False),
    Column("meter", AddressColumn, nullable=False),
)

readings = Table(
    "account_readings",
    metadata,
    Column("account_id", HashColumn, primary_key=True),
    Column("marks", BigInteger, nullable=False),  # raised whenever the chain's side may have changed
    Column("seen", BigInteger, nullable=False),  # `marks` at the last reading; below it: read again
    Column("event_block", BigInteger, nullable=False),  # of the newest event
    Column("event_at", BigInteger, nullable=False),  # when it came here, by the database's clock
    Column("block", BigInteger),  # of the last reading, until that block is final
    Column("hash", HashColumn),  # the same block's
    Column("read_at", BigInteger, nullable=False, server_default="0"),  # when it was read, by the database's clock
)


@dataclass(frozen=True, slots=True)
class ReadingRecord:
    """When and from which block an account was read last."""

    account: Hash32
    marks: int
    event_block: int
    event_at: int
    block: int | None
    hash: Hash32 | None


# Configurations


async def add_channel(database: Database, account: Hash32, config: ChannelConfig) -> None:
    """Keep a channel's configuration; once, it never changes."""
    await _add_once(database, escrow_channels, {"account_id": account, **asdict(config)})


async def add_credits(database: Database, account: Hash32, activated: ActivatedCredits) -> None:
    """Keep which credits fund an account; once, they never change."""
    plan = Hash32(f"0x{activated.plan:064x}")
    row = {"account_id": account, "plan": plan, "holder": activated.holder, "meter": activated.meter}
    await _add_once(database, pass_credits, row)


async def find_channels(unit: Unit, ids: Sequence[Hash32]) -> dict[Hash32, ChannelConfig]:
    """Return the configurations of these channels; an unknown id is missing."""
    found = {}
    for row in await _by_id(unit, escrow_channels, ids):
        parties = (row.payer, row.payer_authorizer, row.receiver, row.receiver_authorizer, row.token)
        payer, signer, receiver, claimer, token = map(Address, parties)
        config = ChannelConfig(payer, signer, receiver, claimer, token, row.withdraw_delay, Hash32(row.salt))
        found[Hash32(row.account_id)] = config
    return found


async def find_credits(unit: Unit, ids: Sequence[Hash32]) -> dict[Hash32, ActivatedCredits]:
    """Return the credits that fund these accounts; an unknown id is missing."""
    return {
        Hash32(row.account_id): ActivatedCredits(int(row.plan, 16), Address(row.holder), Address(row.meter))
        for row in await _by_id(unit, pass_credits, ids)
    }


async def _by_id(unit: Unit, table: Table, ids: Sequence[Hash32]) -> list[Row[Any]]:
    """Return the rows of these accounts, a limited number in one statement."""
    found: list[Row[Any]] = []
    for start in range(0, len(ids), _MANY):
        found += await unit.rows(select(table).where(table.c.account_id.in_(ids[start : start + _MANY])))
    return found


async def _add_once(database: Database, table: Table, row: Mapping[str, Any]) -> None:
    async with database.snapshot() as unit:
        if await unit.row(select(table.c.account_id).where(table.c.account_id == row["account_id"])):
            return
    with suppress(ConstraintViolated):  # another process was faster
        async with database.transaction() as unit:
            await unit.change(insert(table).values(**row))


# Readings


async def mark(unit: Unit, account: Hash32, event_block: int, now: int) -> None:
    """Note that the chain's side of an account may have changed in a block: it must be read again."""
    await unit.rows(
        text(
            "INSERT INTO account_readings (account_id, marks, seen, event_block, event_at) "
            "VALUES (:account, 0, 0, 0, 0) ON CONFLICT (account_id) DO NOTHING"
        ).bindparams(bindparam("account", type_=HashColumn)),
        {"account": account},
    )
    await unit.change(
        update(readings)
        .where(readings.c.account_id == account)
        .values(marks=readings.c.marks + 1, event_block=event_block, event_at=now)
    )


async def mark_after(unit: Unit, block: int) -> None:
    """Note that blocks after `block` were reorganized away: accounts with an event there must be read again."""
    await unit.change(update(readings).where(readings.c.event_block > block).values(marks=readings.c.marks + 1))


async def note_reading(unit: Unit, before: ReadingRecord, block: int, hash_: Hash32, now: int) -> None:
    """Note from which block an account was read, and when.

    It counts as read only when that block is not before its newest event, and nothing was marked meanwhile.
    """
    seen = {"seen": before.marks} if block >= before.event_block else {}
    read = {"block": block, "hash": hash_, "read_at": now}
    await unit.change(update(readings).where(readings.c.account_id == before.account).values(**read, **seen))


async def mark_final(unit: Unit, read: ReadingRecord) -> None:
    """Note that the block an account was last read from is final."""
    same = (readings.c.account_id == read.account, readings.c.block == read.block, readings.c.hash == read.hash)
    await unit.change(update(readings).where(*same).values(block=None, hash=None))


async def find_readings(unit: Unit, ids: Sequence[Hash32]) -> dict[Hash32, ReadingRecord]:
    """Return the records of the readings of these accounts."""
    return {record.account: record for record in map(_record, await _by_id(unit, readings, ids))}


async def stale_readings(unit: Unit, limit: int) -> list[ReadingRecord]:
    """Return the accounts that must be read again."""
    return await _records(unit, readings.c.seen < readings.c.marks, limit)


async def overdue_readings(unit: Unit, until: int, limit: int) -> list[ReadingRecord]:
    """Return accounts with unclaimed calls that were last read until a time, the longest ago first."""
    unclaimed = select(accounts.c.id).where(accounts.c.charged != accounts.c.total_split)
    query = select(readings).where(readings.c.read_at <= until, readings.c.account_id.in_(unclaimed))
    return [_record(row) for row in await unit.rows(query.order_by(readings.c.read_at).limit(limit))]


async def unfinalized_readings(unit: Unit, limit: int) -> list[ReadingRecord]:
    """Return accounts whose last reading is of a block that was not final, the oldest first."""
    return await _records(unit, readings.c.block.is_not(None), limit)


async def is_ours(unit: Unit, account: Hash32) -> bool:
    """Tell whether the ledger has an account, or is about to open it."""
    known = select(accounts.c.id).where(accounts.c.id == account)
    read = select(readings.c.seen).where(readings.c.account_id == account)
    return bool(await unit.row(known) or await unit.row(read))


async def _records(unit: Unit, where: Any, limit: int | None = None) -> list[ReadingRecord]:
    query = select(readings).where(where).order_by(readings.c.block, readings.c.account_id).limit(limit)
    return [_record(row) for row in await unit.rows(query)]


def _record(row: Row[Any]) -> ReadingRecord:
    hash_ = Hash32(row.hash) if row.hash else None
    return ReadingRecord(Hash32(row.account_id), row.marks, row.event_block, row.event_at, row.block, hash_)
