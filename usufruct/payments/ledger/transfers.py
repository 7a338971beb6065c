"""Verbs on transfers: deposits into accounts and refunds out of them, from the plan to the end of the transaction."""

from collections.abc import Sequence

from usufruct.core import Address, Hash32, PaymentRequired, id_to_bytes, value
from usufruct.payments.ledger.account_verbs import observe
from usufruct.payments.ledger.errors import DepositUnderWay, DuplicateDeposit, OtherDeposit, RefundTooHigh, WrongState
from usufruct.payments.ledger.records import Account, AccountReading
from usufruct.payments.ledger.rows import PAGE, locked_account, rows_by_id
from usufruct.payments.ledger.sql_statements import Money, Parameter, Row, Statements

MOST_DEPOSITS = 20
"""Deposits of one payer that an operator sends in a day."""


@value
class Transfer:
    """A deposit or refund whose transaction has not ended; `nonce` is a refund's number or a deposit's hash."""

    account: Hash32
    nonce: Hash32 | int
    amount: int
    outbox_id: str
    planned_at: int = 0


@value
class RefundRecord:
    """A refund and its end: `state` is planned, confirmed or failed; `planned_at` by the database's clock."""

    account: Hash32
    nonce: int
    amount: int
    state: str
    outbox_id: str
    planned_at: int


async def plan_deposit(
    db: Statements,
    account: Hash32,
    nonce: Hash32,
    amount: int,
    outbox_id: str,
    payer: Address,
    seen: int | None = None,
) -> None:
    """Take note of a deposit authorization before it is broadcast; one that failed may be tried again.

    A payer has one deposit under way at a time, and `MOST_DEPOSITS` in a day, tries that failed included: the same
    money may stand behind many authorizations, and each try costs the operator gas. `seen`: see `check_deposits_seen`.

    Raises:
        OtherDeposit: as `check_deposits_seen`.
        DepositUnderWay: while another deposit of the payer is.
        PaymentRequired: when the payer made too many in a day.
        DuplicateDeposit: when this one was handed in before.
    """
    await check_deposits_seen(db, payer, seen, nonce)
    latest = await db.rows(
        "SELECT nonce, state, tries FROM deposits WHERE payer = $1 AND planned_at > {now} - 86400",
        id_to_bytes(payer),
    )
    if any(row.text("state") == "planned" and row.hash32("nonce") != nonce for row in latest):
        raise DepositUnderWay(f"another deposit of {payer} is on its way; ask again", payer=payer)
    tries = sum(row.integer("tries") for row in latest)
    known = next((row for row in latest if row.hash32("nonce") == nonce), None)
    if tries >= MOST_DEPOSITS and (known is None or known.text("state") == "failed"):
        raise PaymentRequired(
            f"{payer} made {tries} deposits in a day; deposit more at once, or deposit on the chain yourself",
            code="too_many_deposits",
            payer=payer,
            most=MOST_DEPOSITS,
        )
    noted = await db.row(
        "INSERT INTO deposits (account_id, nonce, amount, state, outbox_id, planned_at, payer, tries) "
        "VALUES ($1, $2, $3, 'planned', $4, {now}, $5, 1) ON CONFLICT (account_id, nonce) DO UPDATE "
        "SET state = 'planned', amount = excluded.amount, outbox_id = excluded.outbox_id, "
        "planned_at = excluded.planned_at, tries = deposits.tries + 1 WHERE deposits.state = 'failed' RETURNING nonce",
        id_to_bytes(account),
        id_to_bytes(nonce),
        Money(amount),
        outbox_id,
        id_to_bytes(payer),
    )
    if noted is None:
        raise DuplicateDeposit(f"deposit {nonce} was handed in before; sign one with another nonce", nonce=nonce)


async def deposit_count(db: Statements, payer: Address, besides: Hash32 | None = None) -> int:
    """Return how many deposits of a payer are made or under way, without the one whose nonce is `besides`."""
    [row] = await db.rows(
        "SELECT count(*) AS deposits FROM deposits WHERE payer = $1 AND state IN ('planned', 'confirmed') "
        "AND nonce <> $2",
        id_to_bytes(payer),
        id_to_bytes(besides) if besides else b"",
    )
    return row.integer("deposits")


async def check_deposits_seen(db: Statements, payer: Address, seen: int | None, besides: Hash32 | None = None) -> None:
    """Check that a payer has made no other deposits than the `seen` ones that they know of; None: nothing is compared.

    Raises:
        OtherDeposit: when there are more, made or under way, without the one whose nonce is `besides`.
    """
    made = 0 if seen is None else await deposit_count(db, payer, besides)
    if seen is not None and made > seen:
        raise OtherDeposit(
            f"{payer} has {made} deposits made or under way, and {seen} were known when this one was signed; look at "
            "them, then sign again if this one is meant too",
            payer=payer,
            made=made,
            seen=seen,
        )


async def finish_deposit(db: Statements, account: Hash32, nonce: Hash32, *, confirmed: bool) -> None:
    """Note how a deposit's transaction ended; its money arrives by `observe`.

    One that was given up may be found on the chain all the same, and is confirmed then.
    """
    if confirmed:
        await _end(db, "deposits", account, nonce, "state = 'confirmed'", "('planned', 'failed')")
    else:
        await _end(db, "deposits", account, nonce, "state = 'failed'")


async def cancel_deposit(db: Statements, account: Hash32, nonce: Hash32) -> None:
    """End a planned deposit of which nothing was sent, for a reason that is not the payer's: the try does not count."""
    await _end(db, "deposits", account, nonce, "state = 'failed', tries = tries - 1")


async def deposited(db: Statements, account: Hash32, nonce: Hash32) -> Transfer | None:
    """Return the deposit with this nonce if it was confirmed."""
    which = "account_id = $1 AND nonce = $2 AND state = 'confirmed'"
    return next(iter(await _transfers(db, "deposits", which, id_to_bytes(account), id_to_bytes(nonce))), None)


async def deposits_of(db: Statements, payer: Address, limit: int = PAGE) -> list[Transfer]:
    """Return a payer's confirmed deposits, the newest first."""
    rows = await db.rows(
        "SELECT account_id, nonce, amount, outbox_id, planned_at FROM deposits WHERE payer = $1 "
        "AND state = 'confirmed' ORDER BY planned_at DESC, nonce LIMIT $2",
        id_to_bytes(payer),
        limit,
    )
    return [_transfer(row) for row in rows]


async def pending_deposits(db: Statements) -> list[Transfer]:
    """Return the deposits whose transaction has not ended, oldest first."""
    return await _transfers(db, "deposits", "state = 'planned'")


async def pending_deposit_of(db: Statements, payer: Address) -> Transfer | None:
    """Return the payer's deposit whose transaction has not ended, if there is one."""
    found = await _transfers(db, "deposits", "payer = $1 AND state = 'planned'", id_to_bytes(payer))
    return next(iter(found), None)


async def plan_refund(db: Statements, account: Hash32, nonce: int, amount: int, outbox_id: str) -> Account:
    """Set free money of the account aside, before the refund is broadcast: no call can reserve it any more."""
    before = await locked_account(db, account)
    if not 0 < amount <= before.free or await _refund_state(db, account, nonce) not in (None, "failed"):
        raise RefundTooHigh(
            f"refund {nonce} of {amount} on account {account}: {before.free} is free, and the nonce must be new",
            account=account,
            amount=amount,
            free=before.free,
        )
    await db.rows(
        "INSERT INTO refunds (account_id, nonce, amount, state, outbox_id, planned_at) "
        "VALUES ($1, $2, $3, 'planned', $4, {now}) ON CONFLICT (account_id, nonce) DO UPDATE "
        "SET state = 'planned', amount = excluded.amount, outbox_id = excluded.outbox_id, "
        "planned_at = excluded.planned_at",
        id_to_bytes(account),
        nonce,
        Money(amount),
        outbox_id,
    )
    return await _set_refunding(db, account, before.refunding + amount)


async def finish_refund(db: Statements, account: Hash32, nonce: int, reading: AccountReading | None) -> Account:
    """End a refund: `reading` is the account after it, None when it failed. Both sides change in one commit.

    A confirmed one is in `refunds_to_report` from the same commit on.
    """
    before = await locked_account(db, account)
    change = "state = 'failed'" if reading is None else "state = 'confirmed'"
    amount = await _end(db, "refunds", account, nonce, change)
    if reading is not None:
        await observe(db, reading)
        await db.rows(
            "INSERT INTO refunds_to_report (account_id, nonce) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            id_to_bytes(account),
            nonce,
        )
    return await _set_refunding(db, account, before.refunding - amount)


async def refund_ended(db: Statements, account: Hash32, nonce: int) -> bool | None:
    """Return whether a refund was confirmed or failed; None while it is under way, or if there is none."""
    return {"confirmed": True, "failed": False}.get(await _refund_state(db, account, nonce) or "")


async def pending_refunds(db: Statements, account: Hash32 | None = None) -> list[Transfer]:
    """Return the refunds whose transaction has not ended, oldest first: all, or an account's."""
    if account is None:
        return await _transfers(db, "refunds", "state = 'planned'")
    return await _transfers(db, "refunds", "state = 'planned' AND account_id = $1", id_to_bytes(account))


async def refunds_to_report(db: Statements, limit: int = PAGE) -> list[Transfer]:
    """Return confirmed refunds that were not reported to their payers."""
    rows = await db.rows(
        "SELECT refunds.account_id, refunds.nonce, amount, outbox_id, planned_at FROM refunds_to_report "
        "JOIN refunds ON refunds.account_id = refunds_to_report.account_id AND refunds.nonce = refunds_to_report.nonce "
        "ORDER BY planned_at, refunds.account_id LIMIT $1",
        limit,
    )
    return [_transfer(row) for row in rows]


async def refund_reported(db: Statements, account: Hash32, nonce: int) -> None:
    """Note that a refund was reported to its payer."""
    await db.rows("DELETE FROM refunds_to_report WHERE account_id = $1 AND nonce = $2", id_to_bytes(account), nonce)


async def newest_refunds(db: Statements, ids: Sequence[Hash32]) -> dict[Hash32, RefundRecord]:
    """Return the newest refund out of each of these accounts that has had one."""
    columns = "account_id, nonce, amount, state, outbox_id, planned_at"
    found: dict[Hash32, RefundRecord] = {}
    for row in await rows_by_id(db, f"SELECT {columns} FROM refunds WHERE account_id", ids):
        account, nonce = row.hash32("account_id"), row.integer("nonce")
        if account not in found or nonce > found[account].nonce:
            texts = row.text("state"), row.text("outbox_id")
            found[account] = RefundRecord(account, nonce, row.money("amount"), *texts, row.integer("planned_at"))
    return found


async def last_paid_for(db: Statements, account: Hash32) -> int:
    """Return when a deposit into the account or a refund out of it was last sent from here; 0: never."""
    row = await db.row(
        "SELECT MAX(planned_at) AS at FROM ("
        "SELECT planned_at FROM deposits WHERE account_id = $1 AND state <> 'failed' UNION ALL "
        "SELECT planned_at FROM refunds WHERE account_id = $1 AND state <> 'failed') AS sent",
        id_to_bytes(account),
    )
    return (row and row.maybe(row.integer, "at")) or 0


async def _transfers(db: Statements, table: str, which: str, *parameters: Parameter) -> list[Transfer]:
    columns = "account_id, nonce, amount, outbox_id, planned_at"
    rows = await db.rows(f"SELECT {columns} FROM {table} WHERE {which} ORDER BY planned_at, nonce", *parameters)
    return [_transfer(row) for row in rows]


def _transfer(row: Row) -> Transfer:
    nonce = row.integer("nonce") if isinstance(row.columns["nonce"], int) else row.hash32("nonce")
    return Transfer(
        row.hash32("account_id"), nonce, row.money("amount"), row.text("outbox_id"), row.integer("planned_at")
    )


async def _refund_state(db: Statements, account: Hash32, nonce: int) -> str | None:
    row = await db.row("SELECT state FROM refunds WHERE account_id = $1 AND nonce = $2", id_to_bytes(account), nonce)
    return None if row is None else row.text("state")


async def _set_refunding(db: Statements, account: Hash32, refunding: int) -> Account:
    await db.rows("UPDATE accounts SET refunding = $2 WHERE id = $1", id_to_bytes(account), Money(refunding))
    return await locked_account(db, account)


async def _end(
    db: Statements, table: str, account: Hash32, nonce: Hash32 | int, change: str, before: str = "('planned')"
) -> int:
    """End a deposit or refund in one of the states `before` by compare-and-set, and return its amount."""
    row = await db.row(
        f"UPDATE {table} SET {change} WHERE account_id = $1 AND nonce = $2 AND state IN {before} RETURNING amount",
        id_to_bytes(account),
        nonce if isinstance(nonce, int) else id_to_bytes(nonce),
    )
    if row is None:
        raise WrongState(f"{table}: nothing is planned under nonce {nonce} of account {account}", account=account)
    return row.money("amount")
