"""Verbs on accounts: readings of the chain, look-ups, pages and totals."""

from collections.abc import Sequence

from usufruct.core import Hash32, id_to_bytes
from usufruct.payments.ledger.claims import pay_splits, splits_between
from usufruct.payments.ledger.entries import move
from usufruct.payments.ledger.errors import AccountUnknown
from usufruct.payments.ledger.records import Account, AccountKind, AccountReading, Totals
from usufruct.payments.ledger.rows import ACCOUNT_COLUMNS, PAGE, account_of, locked_account, rows_by_id
from usufruct.payments.ledger.sql_statements import Money, Statements


async def observe(db: Statements, reading: AccountReading) -> Account:
    """Take over a reading of the chain, unless a newer block was read before; open an unknown account.

    A claimed total above our charged one means that our records were lost and restored: it becomes the charged total,
    claimed and split, so that nothing is asked for twice; it counts towards no day. After a restore, observing every
    account reconciles the ledger with the chain.
    """
    await _insert(db, reading)
    account = await locked_account(db, reading.id)
    if reading.block < account.reading.block:
        return account
    difference = reading.balance - account.reading.balance
    sides = ("escrow", "available") if difference > 0 else ("available", "escrow")
    await move(db, reading.id, *sides, abs(difference))
    total_claimed = max(account.reading.total_claimed, reading.total_claimed)
    charged, charged_before, total_split = account.charged, account.charged_before, account.total_split
    if total_claimed > charged:
        await pay_splits(db, reading.id, total_split, charged)
        await move(db, reading.id, "available", "paid", total_claimed - charged)
        charged_before += total_claimed - charged
        charged = total_split = total_claimed
    await db.rows(
        "UPDATE accounts SET block = $2, balance = $3, total_claimed = $4, withdraw_at = $5, charged = $6, "
        "total_split = $7, leaving = $8, serve_until = $9, charged_before = $10 WHERE id = $1",
        id_to_bytes(reading.id),
        reading.block,
        Money(reading.balance),
        Money(total_claimed),
        reading.withdraw_at,
        Money(charged),
        Money(total_split),
        Money(reading.leaving),
        reading.serve_until,
        Money(charged_before),
    )
    return await locked_account(db, reading.id)


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


async def find_account(db: Statements, account: Hash32) -> Account:
    """Return an account.

    Raises:
        AccountUnknown: when there is none.
    """
    found = await find_accounts(db, [account])
    if not found:
        raise AccountUnknown(account)
    return found[account]


async def find_accounts(db: Statements, ids: Sequence[Hash32]) -> dict[Hash32, Account]:
    """Return the accounts with these ids; an unknown id is missing."""
    found = [account_of(row) for row in await rows_by_id(db, f"SELECT {ACCOUNT_COLUMNS} FROM accounts WHERE id", ids)]
    return {account.id: account for account in found}


async def account_list(
    db: Statements, after: Hash32 | None = None, limit: int = PAGE, *, kind: AccountKind | None = None
) -> list[Account]:
    """Return accounts by id, a page at a time, from the one after `after`; of one kind, or all."""
    rows = await db.rows(
        f"SELECT {ACCOUNT_COLUMNS} FROM accounts WHERE id > $1 AND COALESCE($3, kind) = kind ORDER BY id LIMIT $2",
        id_to_bytes(after) if after else b"",
        limit,
        kind and kind.value,
    )
    return [account_of(row) for row in rows]


async def account_count(db: Statements) -> int:
    """Return how many accounts there are."""
    [row] = await db.rows("SELECT count(*) AS accounts FROM accounts")
    return row.integer("accounts")


async def resting(db: Statements, kind: AccountKind, before: int, after: Hash32 | None = None) -> list[Account]:
    """Return accounts of a kind by id, a page at a time, with no call since `before`, open call or refund.

    They hold more than is charged; whether it is free, the caller sees.
    """
    rows = await db.rows(
        f"SELECT {ACCOUNT_COLUMNS} FROM accounts WHERE id > $1 AND balance > charged AND reserved = $4 "
        "AND refunding = $4 AND last_call_at <= $2 AND kind = $5 ORDER BY id LIMIT $3",
        id_to_bytes(after) if after else b"",
        before,
        PAGE,
        Money(0),
        kind.value,
    )
    return [account_of(row) for row in rows]


async def totals(db: Statements) -> list[Totals]:
    """Return each token's gauges, which the database sums; it reads every account once."""
    rows = await db.rows(
        "SELECT token, {sum}(reserved) AS reserved, {sum}(charged) AS charged, {sum}(total_claimed) AS claimed "
        "FROM accounts GROUP BY token ORDER BY token"
    )
    return [
        Totals(row.address("token"), row.money("reserved"), charged, charged - row.money("claimed"))
        for row in rows
        for charged in [row.money("charged")]
    ]


async def last_call_at(db: Statements) -> int:
    """Return when the newest call was opened, by the database's clock; 0: never."""
    row = await db.row("SELECT MAX(last_call_at) AS at FROM accounts")
    return (row and row.maybe(row.integer, "at")) or 0


async def _insert(db: Statements, reading: AccountReading) -> None:
    identity = reading.identity
    await db.rows(
        f"INSERT INTO accounts ({ACCOUNT_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, -1, $7, $7, $7, 0, $7, 0, $7, $7, "
        "$7, $7, NULL, 0, 0, NULL) ON CONFLICT (id) DO NOTHING",
        id_to_bytes(identity.id),
        identity.kind.value,
        identity.chain_id,
        id_to_bytes(identity.owner),
        id_to_bytes(identity.signer),
        id_to_bytes(identity.token),
        Money(0),
    )
