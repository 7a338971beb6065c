"""From which block each account was read last, and which must be read again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Column, Row, Table, bindparam, select, text, update

from usufruct.core import Hash32
from usufruct.payments.ledger import accounts
from usufruct.store import HashColumn, Unit, metadata

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


async def mark(unit: Unit, account: Hash32, event_block: int, now: int) -> None:
    """Note that the chain's side of an account may have changed in a block: it must be read again."""
    await unit.rows(
        text(
            "INSERT INTO account_readings (account_id, marks, seen, event_block, event_at) "
            "VALUES (:account, 1, 0, :block, :now) ON CONFLICT (account_id) DO UPDATE SET "
            "marks = account_readings.marks + 1, event_block = excluded.event_block, event_at = excluded.event_at"
        ).bindparams(bindparam("account", type_=HashColumn)),
        {"account": account, "block": event_block, "now": now},
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
    return {record.account: record for record in await _records(unit, readings.c.account_id.in_(ids))}


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
    return ReadingRecord(row.account_id, row.marks, row.event_block, row.event_at, row.block, row.hash)
