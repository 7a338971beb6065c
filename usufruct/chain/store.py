"""The chain package's tables: what was signed and sent, and how far each log stream was read.

Outbox states::

    pending --> confirmed    mined, succeeded, deep enough
            |-> reverted     mined, refused by the contract, deep enough
            `-> displaced    its nonce was used by a transaction that is not ours

`pending` covers everything from "signed, perhaps never broadcast" to "mined, not deep enough yet": after a crash these
cannot be told apart, and the cure is the same: broadcast again, look for the receipt. The other three are final, unless
the chain takes the block back: a call that was confirmed there is pending again.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    ForeignKeyConstraint,
    LargeBinary,
    Row,
    String,
    Table,
    UniqueConstraint,
    and_,
    delete,
    func,
    insert,
    select,
    true,
    update,
)
from sqlalchemy.sql.dml import Insert

from usufruct.chain.contract_base import Call
from usufruct.core import Address, ChainId, Hash32
from usufruct.store import AddressColumn, Amount, Database, HashColumn, Unit, metadata

_Key = String(200)

outbox = Table(
    "outbox",
    metadata,
    Column("chain_id", BigInteger, primary_key=True, autoincrement=False),
    Column("key", _Key, primary_key=True),  # the caller's: one for each logical call
    Column("sender", AddressColumn, nullable=False),
    Column("nonce", BigInteger, nullable=False),
    Column("receiver", AddressColumn, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("value", Amount, nullable=False),  # wei
    Column("gas", BigInteger, nullable=False),
    Column("state", String(10), nullable=False),
    Column("hash", HashColumn),  # of the transaction that used the nonce, once final
    Column("block", BigInteger),  # where it was mined, once final
    Column("trouble", String(300)),  # what the node said to the newest broadcast, when it did not take it
    UniqueConstraint("chain_id", "sender", "nonce"),
)

attempts = Table(
    "outbox_attempts",
    metadata,
    Column("hash", HashColumn, primary_key=True),
    Column("chain_id", BigInteger, nullable=False),
    Column("key", _Key, nullable=False),
    Column("raw", LargeBinary, nullable=False),  # signed, ready to broadcast
    Column("max_fee", Amount, nullable=False),  # wei per gas
    Column("tip", Amount, nullable=False),  # wei per gas
    Column("block", BigInteger, nullable=False),  # newest block when it was signed
    ForeignKeyConstraint(["chain_id", "key"], ["outbox.chain_id", "outbox.key"]),
    UniqueConstraint("chain_id", "key", "max_fee"),
)

streams = Table(
    "log_streams",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("block", BigInteger, nullable=False),  # read up to and including this one
    Column("hash", HashColumn, nullable=False),
    Column("gaps", BigInteger, nullable=False, server_default="0"),  # how often logs came that were hidden at first
    Column("gap_at", BigInteger, nullable=False, server_default="0"),  # the last time, by the database's clock
)

stream_blocks = Table(
    "log_stream_blocks",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("block", BigInteger, primary_key=True, autoincrement=False),  # ends of ranges, to find a fork by
    Column("hash", HashColumn, nullable=False),
    Column("logs", BigInteger),  # how many the range has that ends here; NULL: not counted
)


class State(StrEnum):
    """Where a sent call stands; see this module's drawing."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    REVERTED = "reverted"
    DISPLACED = "displaced"


@dataclass(frozen=True, slots=True)
class Sent:
    """One logical call in the outbox."""

    key: str
    sender: Address
    nonce: int
    call: Call
    gas: int
    state: State = State.PENDING
    hash: Hash32 | None = None
    """Of the transaction that used the nonce, once final."""
    block: int | None = None
    """Where that was mined, once final."""
    trouble: str | None = None
    """What the node said when it did not take the newest broadcast."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One signed transaction of a sent call; all of a call's attempts share its nonce. Fees in wei per gas."""

    hash: Hash32
    raw: bytes
    max_fee: int
    tip: int
    block: int


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A block up to which, including it, a stream was read; `logs`: how many the range had that ends there."""

    block: int
    hash: Hash32
    logs: int | None = None


class Outbox:
    """The outbox of one chain."""

    def __init__(self, database: Database, chain_id: ChainId) -> None:
        self._database = database
        self._chain_id = chain_id

    async def find(self, key: str) -> Sent | None:
        """Return the call that was sent under `key`."""
        found = await self._calls(outbox.c.key == key)
        return found[0] if found else None

    async def pending(self, sender: Address) -> list[Sent]:
        """Return a sender's unfinished calls by nonce."""
        return await self._calls(outbox.c.sender == sender, outbox.c.state == State.PENDING)

    async def from_nonce(self, sender: Address, first: int) -> list[Sent]:
        """Return a sender's calls with nonces from `first` on, by nonce."""
        return await self._calls(outbox.c.sender == sender, outbox.c.nonce >= first)

    async def _calls(self, *where: ColumnElement[bool]) -> list[Sent]:
        query = select(outbox).where(outbox.c.chain_id == self._chain_id, *where).order_by(outbox.c.nonce)
        async with self._database.snapshot() as unit:
            return [_sent(row) for row in await unit.rows(query)]

    async def attempts(self, key: str) -> list[Attempt]:
        """Return a call's signed transactions, cheapest first."""
        query = select(attempts).where(attempts.c.chain_id == self._chain_id, attempts.c.key == key)
        async with self._database.snapshot() as unit:
            rows = await unit.rows(query.order_by(attempts.c.max_fee))
        return [Attempt(Hash32(r.hash), bytes(r.raw), r.max_fee, r.tip, r.block) for r in rows]

    async def add(self, sent: Sent, attempt: Attempt) -> None:
        """Make a call and its first signed transaction durable.

        Raises:
            ConstraintViolated: when its key or its nonce is taken.
        """
        row = {
            "chain_id": self._chain_id,
            "key": sent.key,
            "sender": sent.sender,
            "nonce": sent.nonce,
            "receiver": sent.call.to,
            "data": sent.call.data,
            "value": sent.call.value,
            "gas": sent.gas,
            "state": sent.state,
        }
        async with self._database.transaction() as unit:
            await unit.change(insert(outbox).values(row))
            await unit.change(self._insertion(sent.key, attempt))

    async def add_attempt(self, key: str, attempt: Attempt) -> None:
        """Make a replacement durable; raises `ConstraintViolated` when another process made the same one."""
        async with self._database.transaction() as unit:
            await unit.change(self._insertion(key, attempt))

    def _insertion(self, key: str, attempt: Attempt) -> Insert:
        return insert(attempts).values(chain_id=self._chain_id, key=key, **asdict(attempt))

    async def finish(self, key: str, state: State, transaction: Hash32, block: int) -> bool:
        """Make a call final, and tell whether it was not yet; one that is final already stays as it is."""
        pending = outbox.c.state == State.PENDING
        return await self._change(key, pending, state=state, hash=transaction, block=block, trouble=None)

    async def reopen(self, sent: Sent) -> bool:
        """Make a confirmed call pending again, and tell whether it was still as given: its block is gone."""
        as_given = and_(outbox.c.state == State.CONFIRMED, outbox.c.hash == sent.hash)
        return await self._change(sent.key, as_given, state=State.PENDING, hash=None, block=None)

    async def note(self, key: str, trouble: str | None) -> None:
        """Keep what the node said to the newest broadcast; None when it took it."""
        await self._change(key, true(), trouble=trouble[:300] if trouble else None)

    async def _change(self, key: str, where: ColumnElement[bool], **values: object) -> bool:
        change = update(outbox).where(outbox.c.chain_id == self._chain_id, outbox.c.key == key, where)
        async with self._database.transaction() as unit:
            return await unit.change(change.values(**values)) > 0


def _sent(row: Row[Any]) -> Sent:
    return Sent(
        key=row.key,
        sender=Address(row.sender),
        nonce=row.nonce,
        call=Call(Address(row.receiver), bytes(row.data), row.value),
        gas=row.gas,
        state=State(row.state),
        hash=Hash32(row.hash) if row.hash else None,
        block=row.block,
        trouble=row.trouble,
    )


@dataclass(frozen=True, slots=True)
class Gaps:
    """How often a stream's node hid logs that came later, and when the last time was, seconds since 1970."""

    stream: str
    times: int
    last_at: int


async def checkpoint(database: Database, name: str) -> Checkpoint | None:
    """Return how far a stream was read; None for one that was not begun."""
    async with database.snapshot() as unit:
        row = await unit.row(select(streams).where(streams.c.name == name))
    return Checkpoint(row.block, Hash32(row.hash)) if row else None


async def checkpoints(database: Database, name: str) -> Sequence[Checkpoint]:
    """Return the ends of the ranges a stream was read in, newest first."""
    return await _blocks(database, stream_blocks.c.name == name)


async def known_blocks(database: Database, last: int) -> Sequence[Checkpoint]:
    """Return blocks up to `last` that the chain had when its logs were read, newest first."""
    return await _blocks(database, stream_blocks.c.block <= last)


async def _blocks(database: Database, where: ColumnElement[bool]) -> Sequence[Checkpoint]:
    query = select(stream_blocks).where(where).order_by(stream_blocks.c.block.desc())
    async with database.snapshot() as unit:
        return [Checkpoint(row.block, Hash32(row.hash), row.logs) for row in await unit.rows(query)]


async def move(unit: Unit, name: str, old: Checkpoint | None, new: Checkpoint) -> bool:
    """Move a stream's checkpoint from `old` to `new`; False when it is not at `old` any more."""
    if old is None:
        await unit.change(insert(streams).values(name=name, block=new.block, hash=new.hash))
    else:
        at_old = (streams.c.name == name, streams.c.block == old.block, streams.c.hash == old.hash)
        if await unit.change(update(streams).where(*at_old).values(block=new.block, hash=new.hash)) != 1:
            return False
    await unit.change(delete(stream_blocks).where(stream_blocks.c.name == name, stream_blocks.c.block >= new.block))
    await unit.change(insert(stream_blocks).values(name=name, block=new.block, hash=new.hash, logs=new.logs))
    return True


async def note_gap(unit: Unit, name: str, now: int) -> None:
    """Note that a stream's node had hidden logs."""
    await unit.change(update(streams).where(streams.c.name == name).values(gaps=streams.c.gaps + 1, gap_at=now))


async def stream_gaps(database: Database) -> list[Gaps]:
    """Return the gaps of every stream that had some."""
    async with database.snapshot() as unit:
        rows = await unit.rows(select(streams).where(streams.c.gaps > 0).order_by(streams.c.name))
    return [Gaps(row.name, row.gaps, row.gap_at) for row in rows]


async def forget_before(unit: Unit, name: str, block: int) -> None:
    """Drop a stream's range ends before `block`, except the newest of them: that one is the way back."""
    mine = stream_blocks.c.name == name
    newest = select(func.max(stream_blocks.c.block)).where(mine, stream_blocks.c.block < block).scalar_subquery()
    await unit.change(delete(stream_blocks).where(mine, stream_blocks.c.block < newest))
