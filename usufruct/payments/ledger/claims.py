"""Verbs on claims: from what was charged to what the chain has paid, exactly once.

A claim takes an account's claimed total to a cumulative position. Calls tile an account's charged total without gap or
overlap, so the part of every call inside two positions adds up to the distance between them: the splits.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from usufruct.core import AssetId, Hash32, id_to_bytes
from usufruct.payments.ledger.entries import move
from usufruct.payments.ledger.errors import ClaimPending, NothingToClaim, WrongState
from usufruct.payments.ledger.records import Account, Claim, Split
from usufruct.payments.ledger.rows import ACCOUNT_COLUMNS, PAGE, account_of, locked_account, rows_by_id, voucher_of
from usufruct.payments.ledger.sql_statements import Money, Row, Statements
from usufruct.payments.pricing import VerifiedVoucher

_CLAIMABLE = (
    f"SELECT {ACCOUNT_COLUMNS} FROM accounts WHERE total_split < charged AND NOT EXISTS "
    "(SELECT 1 FROM claims WHERE account_id = accounts.id AND state IN ('planned', 'sent')) AND {} LIMIT $1"
)


async def splits_between(db: Statements, account: Hash32, start: int, end: int) -> tuple[Split, ...]:
    """Return each asset's part of what the account was charged from `start` to `end`, by asset."""
    rows = await db.rows(
        "SELECT asset, charge, cumulative FROM calls WHERE account_id = $1 AND cumulative > $2 AND cumulative <= "
        "COALESCE((SELECT MIN(cumulative) FROM calls WHERE account_id = $1 AND cumulative >= $3), $3)",
        id_to_bytes(account),
        Money(start),
        Money(end),
    )
    parts: Counter[AssetId] = Counter()
    for row in rows:
        cumulative = row.money("cumulative")
        part = min(cumulative, end) - max(cumulative - row.money("charge"), start)
        if part > 0:
            parts[row.asset("asset")] += part
    return tuple(Split(asset, amount) for asset, amount in sorted(parts.items()))


async def pay_splits(db: Statements, account: Hash32, start: int, end: int) -> None:
    """Enter in the books that the assets were paid what they earned from `start` to `end`."""
    for split in await splits_between(db, account, start, end):
        await move(db, account, "charged", "paid", split.amount, asset=split.asset)


async def published(db: Statements, account: Hash32, amount: int) -> bool:
    """Tell whether a claim carried a voucher of this amount: it is in calldata, so everyone can read it."""
    row = await db.row(
        "SELECT id FROM claims WHERE account_id = $1 AND voucher_amount = $2 LIMIT 1",
        id_to_bytes(account),
        Money(amount),
    )
    return row is not None


async def claimable(db: Statements, limit: int = PAGE, after: Account | None = None) -> list[Account]:
    """Return accounts with money to claim or split and no claim under way, from the one behind `after`.

    Those being withdrawn from come first, by time, then the others, by id: each kind is walked once along its index.
    """
    found: list[Row] = []
    leaving = after is None or after.reading.withdraw_at != 0
    if leaving:
        found += await db.rows(
            _CLAIMABLE.format("withdraw_at <> 0 AND (withdraw_at, id) > ($2, $3) ORDER BY withdraw_at, id"),
            limit,
            after.reading.withdraw_at if after else 0,
            id_to_bytes(after.id) if after else b"",
        )
    if len(found) < limit:
        start = id_to_bytes(after.id) if after and not leaving else b""
        found += await db.rows(_CLAIMABLE.format("withdraw_at = 0 AND id > $2 ORDER BY id"), limit - len(found), start)
    return [account_of(row) for row in found]


async def plan_claim(db: Statements, claim: Hash32, account_id: Hash32, up_to: int | None = None) -> Claim:
    """Fix what to claim on an account next: all that is charged, as far as voucher, balance and `up_to` allow."""
    account = await locked_account(db, account_id)
    if (known := await _find(db, claim)) is not None:
        return known
    if await db.row(f"SELECT id FROM claims WHERE account_id = $1 AND {_PENDING}", id_to_bytes(account_id)) is not None:
        raise ClaimPending(f"account {account_id} has a claim under way; wait for its end", account=account_id)
    start, covered = account.total_split, account.voucher.max_claimable if account.voucher else 0
    end = min(account.charged, covered, account.reading.balance)
    if up_to is not None:
        end = min(end, up_to)
    if account.voucher is None or end <= start:
        raise NothingToClaim(
            f"account {account_id} is claimed and split up to {start}; "
            f"charged {account.charged}, voucher {covered}, balance {account.reading.balance}",
            account=account_id,
        )
    voucher = await _least_voucher(db, account, account.voucher, end)
    await db.rows(
        "INSERT INTO claims (id, account_id, split_from, cumulative, voucher_amount, voucher_signature, state, "
        "planned_at) VALUES ($1, $2, $3, $4, $5, $6, 'planned', {now})",
        id_to_bytes(claim),
        id_to_bytes(account_id),
        Money(start),
        Money(end),
        Money(voucher.max_claimable),
        voucher.signature,
    )
    splits = await splits_between(db, account_id, start, end)
    return Claim(claim, account_id, start, end, voucher, "planned", None, splits)


async def _least_voucher(db: Statements, account: Account, best: VerifiedVoucher, cumulative: int) -> VerifiedVoucher:
    """Return the lowest voucher that covers a claim: everyone can read what goes to the chain.

    A call's own voucher covers it, so the lowest that came with an unclaimed call is never worse than the best.
    """
    row = await db.row(
        "SELECT voucher_amount, voucher_signature FROM calls WHERE account_id = $1 AND cumulative > $2 "
        "AND voucher_amount >= $3 ORDER BY voucher_amount LIMIT 1",
        id_to_bytes(account.id),
        Money(account.total_split),
        Money(cumulative),
    )
    if row is None:
        return best
    return voucher_of(account.id, row.money("voucher_amount"), row.raw("voucher_signature"))


async def send_claim(db: Statements, claim: Claim, outbox_id: str) -> Claim:
    """Note in which transaction of the sender's outbox a planned claim travels."""
    _, before = await _locked(db, claim)
    return await _step(db, before, "sent", ("planned",), outbox_id)


async def confirm_claim(db: Statements, claim: Claim) -> Claim:
    """Take a claim's transaction as final: its position is claimed, and the assets are paid."""
    account, before = await _locked(db, claim)
    done = await _step(db, before, "confirmed", ("planned", "sent"))
    if before.state != "confirmed":
        split = max(account.total_split, done.cumulative)
        await pay_splits(db, account.id, account.total_split, split)
        await db.rows(
            "UPDATE accounts SET total_claimed = $2, total_split = $3 WHERE id = $1",
            id_to_bytes(account.id),
            Money(max(account.reading.total_claimed, done.cumulative)),
            Money(split),
        )
    return done


async def fail_claim(db: Statements, claim: Claim) -> Claim:
    """Give a claim up: its transaction reverted, or will never be mined. Its money can be claimed again.

    Never for a time-out: that is pending.
    """
    _, before = await _locked(db, claim)
    return await _step(db, before, "failed", ("planned", "sent"))


async def pending_claims(db: Statements) -> list[Claim]:
    """Return the claims that have not ended, oldest first: what a claimer looks at when it starts."""
    rows = await db.rows(f"SELECT {_COLUMNS} FROM claims WHERE {_PENDING} ORDER BY planned_at, id")
    return [await _claim_of(db, row) for row in rows]


async def find_pending(db: Statements, ids: Sequence[Hash32]) -> dict[Hash32, Claim]:
    """Return those of these claims that have not ended."""
    rows = await rows_by_id(db, f"SELECT {_COLUMNS} FROM claims WHERE {_PENDING} AND id", ids)
    return {row.hash32("id"): await _claim_of(db, row) for row in rows}


async def unclaimed_since(db: Statements, accounts: Sequence[Hash32]) -> dict[Hash32, int]:
    """Return when the oldest call of each account was metered that is not claimed; one without such is missing."""
    oldest = (
        "SELECT id, (SELECT finished_at FROM calls WHERE account_id = accounts.id AND cumulative > total_split "
        "ORDER BY cumulative LIMIT 1) AS since FROM accounts WHERE id"
    )
    rows = await rows_by_id(db, oldest, accounts)
    return {row.hash32("id"): since for row in rows if (since := row.maybe(row.integer, "since")) is not None}


async def oldest_unclaimed(db: Statements) -> int | None:
    """Return when the oldest call was metered that is not claimed, of all accounts; None when there is none."""
    row = await db.row(
        "SELECT MIN(since) AS since FROM (SELECT (SELECT finished_at FROM calls WHERE account_id = accounts.id AND "
        "cumulative > total_split ORDER BY cumulative LIMIT 1) AS since FROM accounts WHERE total_split < charged) AS u"
    )
    return None if row is None else row.maybe(row.integer, "since")


_PENDING = "state IN ('planned', 'sent')"
_COLUMNS = "id, account_id, split_from, cumulative, voucher_amount, voucher_signature, state, outbox_id"


async def _find(db: Statements, claim: Hash32) -> Claim | None:
    row = await db.row(f"SELECT {_COLUMNS} FROM claims WHERE id = $1", id_to_bytes(claim))
    return None if row is None else await _claim_of(db, row)


async def _locked(db: Statements, claim: Claim) -> tuple[Account, Claim]:
    """Lock a claim's account, and return it and the claim as they are now."""
    account = await locked_account(db, claim.account)
    found = await _find(db, claim.id)
    if found is None:
        raise WrongState(f"claim {claim.id} is absent", claim=claim.id, state="absent")
    return account, found


async def _step(
    db: Statements, claim: Claim, state: str, allowed: tuple[str, ...], outbox_id: str | None = None
) -> Claim:
    """Move a claim to `state`, its account being locked; taking the same step twice is taking it once."""
    if claim.state == state:
        return claim
    if claim.state not in allowed:
        raise WrongState(
            f"claim {claim.id} is {claim.state}; it must be {' or '.join(allowed)}", claim=claim.id, state=claim.state
        )
    ended = "NULL" if state == "sent" else "{now}"
    await db.rows(
        f"UPDATE claims SET state = $2, outbox_id = COALESCE($3, outbox_id), finished_at = {ended} WHERE id = $1",
        id_to_bytes(claim.id),
        state,
        outbox_id,
    )
    return replace(claim, state=state, outbox_id=outbox_id or claim.outbox_id)


async def _claim_of(db: Statements, row: Row) -> Claim:
    account, start, end = row.hash32("account_id"), row.money("split_from"), row.money("cumulative")
    return Claim(
        id=row.hash32("id"),
        account=account,
        split_from=start,
        cumulative=end,
        voucher=voucher_of(account, row.money("voucher_amount"), row.raw("voucher_signature")),
        state=row.text("state"),
        outbox_id=row.maybe(row.text, "outbox_id"),
        splits=await splits_between(db, account, start, end),
    )
