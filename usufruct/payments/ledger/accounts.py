"""Verbs on accounts: readings of the chain, deposits, refunds."""

from collections.abc import Sequence

from usufruct.core import Address, Hash32, id_to_bytes
from usufruct.payments.ledger.claims import pay_splits
from usufruct.payments.ledger.entries import move
from usufruct.payments.ledger.errors import (
    DepositUnderWay,
    DuplicateDeposit,
    RefundTooHigh,
    TooManyDeposits,
    WrongState,
)
from usufruct.payments.ledger.records import Account, AccountKind, AccountReading, Totals
from usufruct.payments.ledger.rows import ACCOUNT_COLUMNS, account_of, locked_account, rows_by_id
from usufruct.payments.ledger.statements import Money, Statements

MOST_DEPOSITS = 20
"""Deposits of one payer that an operator sends in a day."""


async def observe(db: Statements, reading: AccountReading) -> Account:
    """Take over a reading of the chain, unless a newer block was read before; open an unknown account.

    A claimed total above our charged one means that our records were lost and restored: it becomes the charged total,
    claimed and split, so that nothing is asked for twice.
    """
    await _insert(db, reading)
    account = await locked_account(db, reading.id)
    if reading.block < account.reading.block:
        return account
    difference = reading.balance - account.reading.balance
    sides = ("escrow", "available") if difference > 0 else ("available", "escrow")
    await move(db, reading.id, *sides, abs(difference))
    total_claimed = max(account.reading.total_claimed, reading.total_claimed)
    charged, total_split = account.charged, account.total_split
    if total_claimed > charged:
        await pay_splits(db, reading.id, total_split, charged)
        await move(db, reading.id, "available", "paid", total_claimed - charged)
        charged = total_split = total_claimed
    await db.rows(
        "UPDATE accounts SET block = $2, balance = $3, total_claimed = $4, withdraw_at = $5, charged = $6, "
        "total_split = $7, leaving = $8, serve_until = $9 WHERE id = $1",
        id_to_bytes(reading.id),
        reading.block,
        Money(reading.balance),
        Money(total_claimed),
        reading.withdraw_at,
        Money(charged),
        Money(total_split),
        Money(reading.leaving),
        reading.serve_until,
    )
    return await locked_account(db, reading.id)


async def plan_deposit(
    db: Statements, account_id: Hash32, nonce: Hash32, amount: int, outbox_id: str, payer: Address
) -> None:
    """Take note of a deposit authorization before it is broadcast; one that failed may be tried again.

    A payer has one deposit under way at a time, and `MOST_DEPOSITS` in a day, tries that failed included: the same
    money may stand behind many authorizations, and each try costs the operator gas.
    """
    latest = await db.rows(
        "SELECT nonce, state, tries FROM deposits WHERE payer = $1 AND planned_at > {now} - 86400",
        id_to_bytes(payer),
    )
    if any(row.text("state") == "planned" and row.hash32("nonce") != nonce for row in latest):
        raise DepositUnderWay(f"another deposit of {payer} is on its way; ask again", payer=payer)
    tries = sum(row.integer("tries") for row in latest)
    known = next((row for row in latest if row.hash32("nonce") == nonce), None)
    if tries >= MOST_DEPOSITS and (known is None or known.text("state") == "failed"):
        raise TooManyDeposits(
            f"{payer} made {tries} deposits in a day; deposit more at once, or deposit on the chain yourself",
            payer=payer,
            most=MOST_DEPOSITS,
        )
    noted = await db.row(
        "INSERT INTO deposits (account_id, nonce, amount, state, outbox_id, planned_at, payer, tries) "
        "VALUES ($1, $2, $3, 'planned', $4, {now}, $5, 1) ON CONFLICT (account_id, nonce) DO UPDATE "
        "SET state = 'planned', amount = excluded.amount, outbox_id = excluded.outbox_id, "
        "planned_at = excluded.planned_at, tries = deposits.tries + 1 WHERE deposits.state = 'failed' RETURNING nonce",
        id_to_bytes(account_id),
        id_to_bytes(nonce),
        Money(amount),
        outbox_id,
        id_to_bytes(payer),
    )
    if noted is None:
        raise DuplicateDeposit(f"deposit {nonce} was handed in before; sign one with another nonce", nonce=nonce)


async def finish_deposit(db: Statements, account_id: Hash32, nonce: Hash32, *, confirmed: bool) -> None:
    """Note how a deposit's transaction ended; the balance itself comes from `observe`.

    One that was given up may be found on the chain all the same, and is confirmed then.
    """
    before = "('planned', 'failed')" if confirmed else "('planned')"
    await _finish(db, "deposits", account_id, id_to_bytes(nonce), before, confirmed=confirmed)


async def cancel_deposit(db: Statements, account_id: Hash32, nonce: Hash32) -> None:
    """End a planned deposit of which nothing was sent, for a reason that is not the payer's: the try does not count."""
    row = await db.row(
        "UPDATE deposits SET state = 'failed', tries = tries - 1 "
        "WHERE account_id = $1 AND nonce = $2 AND state = 'planned' RETURNING nonce",
        id_to_bytes(account_id),
        id_to_bytes(nonce),
    )
    if row is None:
        raise WrongState(
            f"deposits: nothing is planned under nonce {nonce} of account {account_id}", account=account_id
        )


async def plan_refund(db: Statements, account_id: Hash32, nonce: int, amount: int, outbox_id: str) -> Account:
    """Set free money of the account aside, before the refund is broadcast: no call can reserve it any more."""
    account = await locked_account(db, account_id)
    taken = await db.row(
        "SELECT state FROM refunds WHERE account_id = $1 AND nonce = $2", id_to_bytes(account_id), nonce
    )
    if not 0 < amount <= account.free or (taken is not None and taken.text("state") != "failed"):
        raise RefundTooHigh(
            f"refund {nonce} of {amount} on account {account_id}: {account.free} is free, and the nonce must be new",
            account=account_id,
            amount=amount,
            free=account.free,
        )
    await db.rows(
        "INSERT INTO refunds (account_id, nonce, amount, state, outbox_id, planned_at) "
        "VALUES ($1, $2, $3, 'planned', $4, {now}) ON CONFLICT (account_id, nonce) DO UPDATE "
        "SET state = 'planned', amount = excluded.amount, outbox_id = excluded.outbox_id",
        id_to_bytes(account_id),
        nonce,
        Money(amount),
        outbox_id,
    )
    return await _set_refunding(db, account, account.refunding + amount)


async def finish_refund(db: Statements, account_id: Hash32, nonce: int, reading: AccountReading | None) -> Account:
    """End a refund: `reading` is the account after it, None when it failed. Both sides change in one commit."""
    account = await locked_account(db, account_id)
    amount = await _finish(db, "refunds", account_id, nonce, confirmed=reading is not None)
    if reading is not None:
        account = await observe(db, reading)
    return await _set_refunding(db, account, account.refunding - amount)


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


async def account_list(db: Statements, after: Hash32 | None, limit: int, kind: AccountKind | None) -> list[Account]:
    """Return accounts by id, from the one after `after`, of one kind or of all."""
    rows = await db.rows(
        f"SELECT {ACCOUNT_COLUMNS} FROM accounts WHERE id > $1 AND COALESCE($3, kind) = kind ORDER BY id LIMIT $2",
        id_to_bytes(after) if after else b"",
        limit,
        kind and kind.value,
    )
    return [account_of(row) for row in rows]


async def find_accounts(db: Statements, ids: Sequence[Hash32]) -> dict[Hash32, Account]:
    """Return the accounts with these ids; an unknown id is missing."""
    found = [account_of(row) for row in await rows_by_id(db, f"SELECT {ACCOUNT_COLUMNS} FROM accounts WHERE id", ids)]
    return {account.id: account for account in found}


async def account_count(db: Statements) -> int:
    """Return how many accounts there are."""
    [row] = await db.rows("SELECT count(*) AS accounts FROM accounts")
    return row.integer("accounts")


async def _insert(db: Statements, reading: AccountReading) -> None:
    identity = reading.identity
    await db.rows(
        f"INSERT INTO accounts ({ACCOUNT_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, -1, $7, $7, $7, 0, $7, 0, $7, $7, "
        "$7, $7, NULL, 0) ON CONFLICT (id) DO NOTHING",
        id_to_bytes(identity.id),
        identity.kind.value,
        identity.chain_id,
        id_to_bytes(identity.owner),
        id_to_bytes(identity.signer),
        id_to_bytes(identity.token),
        Money(0),
    )


async def _set_refunding(db: Statements, account: Account, refunding: int) -> Account:
    await db.rows("UPDATE accounts SET refunding = $2 WHERE id = $1", id_to_bytes(account.id), Money(refunding))
    return await locked_account(db, account.id)


async def _finish(
    db: Statements, table: str, account_id: Hash32, nonce: bytes | int, before: str = "('planned')", *, confirmed: bool
) -> int:
    """End a deposit or refund in one of the states `before` by compare-and-set, and return its amount."""
    row = await db.row(
        f"UPDATE {table} SET state = $3 WHERE account_id = $1 AND nonce = $2 AND state IN {before} RETURNING amount",
        id_to_bytes(account_id),
        nonce,
        "confirmed" if confirmed else "failed",
    )
    if row is None:
        raise WrongState(
            f"{table}: nothing is planned under nonce {nonce!r} of account {account_id}", account=account_id
        )
    return row.money("amount")
