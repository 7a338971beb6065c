"""Tables about claims: the leases, the batches, the quarantined accounts."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Integer,
    PrimaryKeyConstraint,
    Row,
    String,
    Table,
    UniqueConstraint,
    delete,
    insert,
    select,
    update,
)

from usufruct.core import Address, Hash32
from usufruct.payments.settlement.model import Batch, BatchKind, BatchState, Member
from usufruct.store import AddressColumn, Amount, HashColumn, Unit, metadata

_Key = String(200)

leases = Table(
    "settlement_leases",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("holder", String(64), nullable=False),
    Column("until", BigInteger, nullable=False),
)

batches = Table(
    "claim_batches",
    metadata,
    Column("id", HashColumn, primary_key=True),
    Column("kind", String(8), nullable=False),
    Column("token", AddressColumn, nullable=False),
    Column("split_key", _Key, unique=True),  # of a split batch, in the sender's outbox
    Column("root", HashColumn),  # over the receipts; NULL: none
    Column("receipts", BigInteger, nullable=False),  # how many
    Column("state", String(10), nullable=False),
    Column("hash", HashColumn),  # of the transaction that anchored the root
    Column("block", BigInteger),
)

members = Table(
    "claim_batch_members",
    metadata,
    Column("batch_id", HashColumn, ForeignKey("claim_batches.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("claim_id", HashColumn, nullable=False, index=True),
    Column("account_id", HashColumn, nullable=False, index=True),
    Column("start", Amount, nullable=False),  # receipts above this cumulative position
    Column("end", Amount, nullable=False),  # and up to this one
    PrimaryKeyConstraint("batch_id", "position"),
    UniqueConstraint("batch_id", "claim_id"),
)

batches_to_report = Table(
    "batches_to_report",  # confirmed, and the owners of their assets not told yet
    metadata,
    Column("batch_id", HashColumn, ForeignKey("claim_batches.id"), primary_key=True),
)

owed_payees = Table(
    "owed_payees",  # whom a mined batch could not pay, or not all of it
    metadata,
    Column("pay_to", AddressColumn, nullable=False),
    Column("token", AddressColumn, nullable=False),
    Column("block", BigInteger, nullable=False),  # of the newest such batch
    PrimaryKeyConstraint("pay_to", "token"),
)

quarantined = Table(
    "quarantined_accounts",
    metadata,
    Column("account_id", HashColumn, primary_key=True),
    Column("reason", String(100), nullable=False),
    Column("message", String(500), nullable=False),
    Column("times", Integer, nullable=False),
    Column("retry_at", BigInteger, nullable=False),
)


@dataclass(frozen=True, slots=True)
class QuarantinedAccount:
    """An account whose claim the chain refuses, to be tried again from `retry_at` on."""

    account_id: Hash32
    reason: str
    message: str
    times: int
    retry_at: int


# Batches


async def add_batch(unit: Unit, batch: Batch) -> None:
    """Write a batch and its members down, before anything is sent.

    Raises:
        ConstraintViolated: when it is there already, or its split's key is taken.
    """
    await unit.change(insert(batches).values({column.name: getattr(batch, column.name) for column in batches.c}))
    places = [{"batch_id": batch.id, "position": position} for position in range(len(batch.members))]
    rows = [place | asdict(member) for place, member in zip(places, batch.members, strict=True)]
    await unit.change(insert(members), rows)


async def end_batch(unit: Unit, batch: Hash32, state: BatchState, hash_: Hash32 | None, block: int | None) -> None:
    """Note how a batch ended; a confirmed one is in `batches_to_report` from then on."""
    await unit.change(update(batches).where(batches.c.id == batch).values(state=state, hash=hash_, block=block))
    if state is BatchState.CONFIRMED:
        await unit.change(delete(batches_to_report).where(batches_to_report.c.batch_id == batch))
        await unit.change(insert(batches_to_report).values(batch_id=batch))


async def find_to_report(unit: Unit, limit: int) -> list[Batch]:
    """Return confirmed batches that were not reported to the owners of their assets."""
    return await _batches(unit, batches.c.id.in_(select(batches_to_report.c.batch_id).limit(limit)))


async def end_reporting(unit: Unit, batch: Hash32) -> None:
    """Note that a batch was reported."""
    await unit.change(delete(batches_to_report).where(batches_to_report.c.batch_id == batch))


async def drop_members(unit: Unit, batch: Hash32, claims: Sequence[Hash32], root: Hash32 | None, receipts: int) -> None:
    """Take claims out of a batch whose transaction left them out; `root` is over the `receipts` of the rest."""
    await unit.change(delete(members).where(members.c.batch_id == batch, members.c.claim_id.in_(claims)))
    await unit.change(update(batches).where(batches.c.id == batch).values(root=root, receipts=receipts))


async def undo_batches(unit: Unit, account: Hash32, position: int) -> int:
    """Note that the chain took back the confirmed batches which claimed `account` above `position`; return how many."""
    above = select(members.c.batch_id).where(members.c.account_id == account, members.c.end > position)
    confirmed = batches.c.state == BatchState.CONFIRMED
    return await unit.change(update(batches).where(confirmed, batches.c.id.in_(above)).values(state=BatchState.UNDONE))


async def unfinished_batches(unit: Unit) -> list[Batch]:
    """Return the batches that have not ended."""
    return await _batches(unit, batches.c.state == BatchState.PLANNED)


async def find_batches(unit: Unit, ids: Sequence[Hash32]) -> list[Batch]:
    """Return the batches with these ids."""
    return await _batches(unit, batches.c.id.in_(ids))


async def anchored_ids(unit: Unit, limit: int | None) -> list[Hash32]:
    """Return the confirmed batches that anchored receipts, or the newest `limit` of them, by id, the newest first."""
    anchored = batches.c.state == BatchState.CONFIRMED, batches.c.root.is_not(None)
    newest = select(batches.c.id).where(*anchored).order_by(batches.c.block.desc(), batches.c.id)
    return [row.id for row in await unit.rows(newest.limit(limit))]


async def count_split_keys(unit: Unit, prefix: str) -> int:
    """Return how many split keys were used that begin with `prefix`."""
    return len(await unit.rows(select(batches.c.id).where(batches.c.split_key.startswith(prefix, autoescape=True))))


async def batch_of(unit: Unit, account: Hash32, cumulative: int) -> Batch | None:
    """Return the confirmed batch that holds the receipt at an account's cumulative position."""
    holding = select(members.c.batch_id).where(
        members.c.account_id == account, members.c.start < cumulative, members.c.end >= cumulative
    )
    found = await _batches(unit, batches.c.id.in_(holding), batches.c.state == BatchState.CONFIRMED)
    return found[0] if found else None


async def _batches(unit: Unit, *where: Any) -> list[Batch]:
    found = []
    for row in await unit.rows(select(batches).where(*where).order_by(batches.c.id)):
        query = select(members).where(members.c.batch_id == row.id).order_by(members.c.position)
        found.append(_batch(row, await unit.rows(query)))
    return found


def _batch(row: Row[Any], of: Sequence[Row[Any]]) -> Batch:
    plain = {column.name: getattr(row, column.name) for column in batches.c}
    enums = {"kind": BatchKind(row.kind), "state": BatchState(row.state)}
    return Batch(**plain | enums, members=tuple(Member(m.claim_id, m.account_id, m.start, m.end) for m in of))


# Payees that the till owes


async def note_owed(unit: Unit, pay_to: Address, token: Address, block: int) -> None:
    """Note that a batch in `block` left the till owing a payee something."""
    await unit.change(delete(owed_payees).filter_by(pay_to=pay_to, token=token))
    await unit.change(insert(owed_payees).values(pay_to=pay_to, token=token, block=block))


async def end_owed(unit: Unit, pay_to: Address, token: Address, block: int) -> None:
    """Forget a payee who was paid all of it, unless a batch after `block` left the till owing them again."""
    await unit.change(delete(owed_payees).filter_by(pay_to=pay_to, token=token, block=block))


async def all_owed(unit: Unit) -> dict[tuple[Address, Address], int]:
    """Return the payees that the till owes and the tokens, each with the block of the newest batch that left it so."""
    return {(row.pay_to, row.token): row.block for row in await unit.rows(select(owed_payees))}


# Quarantine


async def quarantine(unit: Unit, account: QuarantinedAccount) -> None:
    """Keep an account's claim back until its time to be tried again."""
    await unit.change(delete(quarantined).where(quarantined.c.account_id == account.account_id))
    row = asdict(account) | {"reason": account.reason[:100], "message": account.message[:500]}
    await unit.change(insert(quarantined).values(row))


async def end_quarantine(unit: Unit, ids: Sequence[Hash32]) -> None:
    """Forget that these accounts were quarantined: they were claimed."""
    await unit.change(delete(quarantined).where(quarantined.c.account_id.in_(ids)))


async def all_quarantined(unit: Unit) -> dict[Hash32, QuarantinedAccount]:
    """Return the quarantined accounts, by id."""
    rows = await unit.rows(select(quarantined))
    return {r.account_id: QuarantinedAccount(r.account_id, r.reason, r.message, r.times, r.retry_at) for r in rows}
