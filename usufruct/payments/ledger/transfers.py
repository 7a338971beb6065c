"""Verbs for settlement: transfers under way, idle accounts, and corrections after a reorganization."""

from collections.abc import Sequence
from dataclasses import dataclass

from usufruct.core import Address, Hash32, id_to_bytes
from usufruct.payments.ledger.accounts import observe
from usufruct.payments.ledger.claims import splits_between
from usufruct.payments.ledger.entries import move
from usufruct.payments.ledger.records import Account, AccountKind, AccountReading
from usufruct.payments.ledger.rows import ACCOUNT_COLUMNS, account_of, locked_account, rows_by_id
from usufruct.payments.ledger.statements import Money, Row, Statements


@dataclass(frozen=True, slots=True)
class Transfer:
    """A deposit or refund whose transaction has not ended; `nonce` is a refund's number or a deposit's hash."""

    account: Hash32
    nonce: Hash32 | int
    amount: int
    outbox_id: str
    planned_at: int = 0


_TRANSFER = "account_id, nonce, amount, outbox_id, planned_at"


def _transfer(row: Row) -> Transfer:
    """Read a transfer from a row of `_TRANSFER`."""
    nonce = row.integer("nonce") if isinstance(row.columns["nonce"], int) else row.hash32("nonce")
    return Transfer(
        row.hash32("account_id"), nonce, row.money("amount"), row.text("outbox_id"), row.integer("planned_at")
    )


async def correct(db: Statements, reading: AccountReading) -> Account:
    """Take over a reading although the one before is of a newer block: that block left the chain.

    Claims that the chain took back can be made again: what they paid is charged and not split once more.
    """
    account = await locked_account(db, reading.id)
    total_split, taken_back = account.total_split, max(0, account.total_split - reading.total_claimed)
    parts = await splits_between(db, reading.id, reading.total_claimed, total_split) if taken_back else ()
    if taken_back and sum(part.amount for part in parts) == taken_back:
        total_split = reading.total_claimed
        for part in parts:
            await move(db, reading.id, "paid", "charged", part.amount, asset=part.asset)
        await db.rows(
            "UPDATE claims SET state = 'failed' WHERE account_id = $1 AND state = 'confirmed' AND cumulative > $2",
            id_to_bytes(reading.id),
            Money(total_split),
        )
    await db.rows(
        "UPDATE accounts SET block = -1, total_claimed = $2, total_split = $3 WHERE id = $1",
        id_to_bytes(reading.id),
        Money(0),
        Money(total_split),
    )
    return await observe(db, reading)


async def resting(db: Statements, kind: AccountKind, before: int, after: Hash32 | None, limit: int) -> list[Account]:
    """Return accounts of a kind by id, from the one after `after`, with no call since `before`, open call or refund.

    They hold something; whether it is free, the caller sees.
    """
    rows = await db.rows(
        f"SELECT {ACCOUNT_COLUMNS} FROM accounts WHERE id > $1 AND balance > charged AND reserved = $4 "
        "AND refunding = $4 AND last_call_at <= $2 AND kind = $5 "
        "ORDER BY id LIMIT $3",
        id_to_bytes(after) if after else b"",
        before,
        limit,
        Money(0),
        kind.value,
    )
    return [account_of(row) for row in rows]


async def pending(db: Statements, table: str) -> list[Transfer]:
    """Return the deposits, or the refunds, that have not ended, oldest first."""
    rows = await db.rows(f"SELECT {_TRANSFER} FROM {table} WHERE state = 'planned' ORDER BY planned_at, nonce")
    return [_transfer(row) for row in rows]


async def pending_of(db: Statements, payer: Address) -> Transfer | None:
    """Return the payer's deposit that has not ended, if there is one."""
    row = await db.row(
        f"SELECT {_TRANSFER} FROM deposits WHERE payer = $1 AND state = 'planned'",
        id_to_bytes(payer),
    )
    return None if row is None else _transfer(row)


async def refund_ended(db: Statements, account: Hash32, nonce: int) -> bool | None:
    """Return whether a refund was confirmed or failed; None while it is under way, or if there is none."""
    row = await db.row("SELECT state FROM refunds WHERE account_id = $1 AND nonce = $2", id_to_bytes(account), nonce)
    state = "planned" if row is None else row.text("state")
    return None if state == "planned" else state == "confirmed"


async def last_paid_for(db: Statements, account: Hash32) -> int:
    """Return when we last sent a deposit into this account, or a refund out of it; 0: never."""
    times = []
    for table in ("deposits", "refunds"):
        row = await db.row(
            f"SELECT MAX(planned_at) AS at FROM {table} WHERE account_id = $1 AND state <> 'failed'",
            id_to_bytes(account),
        )
        times.append((row and row.maybe_integer("at")) or 0)
    return max(times)


async def deposited(db: Statements, account: Hash32, nonce: Hash32) -> Transfer | None:
    """Return the deposit with this nonce if it was confirmed."""
    row = await db.row(
        f"SELECT {_TRANSFER} FROM deposits WHERE account_id = $1 AND nonce = $2 AND state = 'confirmed'",
        id_to_bytes(account),
        id_to_bytes(nonce),
    )
    return None if row is None else _transfer(row)


async def last_calls(db: Statements, which: Sequence[Hash32]) -> dict[Hash32, int]:
    """Return when each of these accounts opened its newest call; one that never did is missing."""
    rows = await rows_by_id(db, "SELECT id, last_call_at FROM accounts WHERE last_call_at <> 0 AND id", which)
    return {row.hash32("id"): row.integer("last_call_at") for row in rows}
