"""Whether a call may be reserved: its voucher against the account's numbers, its idempotency key against the past."""

from usufruct.core import DAY_SECONDS, Address, Hash32, PaymentRequired, moment
from usufruct.payments.ledger.errors import (
    BalanceTooLow,
    DayLimitReached,
    KeyMismatch,
    LimitReached,
    StillRunning,
    VoucherPublished,
    VoucherTooLow,
)
from usufruct.payments.ledger.records import Account, IdempotencyKey, Replay, Reservation
from usufruct.payments.ledger.rows import PAGE
from usufruct.payments.ledger.sql_statements import Statements
from usufruct.payments.ledger.working_set import WorkingSet
from usufruct.payments.pricing import VerifiedVoucher


def accepted_voucher(request: Reservation, account: Account, now: int = 0) -> VerifiedVoucher:
    """Return the best voucher the account has once this call is admitted.

    Any voucher that covers what is charged, reserved and asked for now is good, not only one that equals it. `now`,
    by the database's clock, matters to a session key's calls while a withdrawal is pending that the payer did not
    announce.

    Raises:
        PaymentRequired: when the payer has begun to withdraw, or the voucher promises more than the account holds.
        BalanceTooLow: when the account does not hold what is needed.
        LimitReached: when what is needed passes the caller's limit.
        DayLimitReached: when it passes the limit of the day.
        VoucherTooLow: when the voucher does not cover what is needed; carries what a client needs to sign again.
    """
    if account.reading.withdraw_at and (request.sign is None or not account.reading.serve_until):
        raise PaymentRequired(
            f"the payer began to withdraw from account {request.account}; open another one",
            code="channel_withdrawing",
            account=request.account,
        )
    needed = account.charged + account.reserved + request.ceiling
    usable = account.kept(now) if account.reading.serve_until else account.usable
    if needed > usable:
        raise BalanceTooLow(
            f"the account holds {usable} and {needed} is needed: {needed - usable} more must be paid in",
            **_numbers(request, account, needed) | {"balance": usable},
        )
    if request.limit is not None and needed > request.limit:
        left = max(0, request.limit - account.charged - account.reserved)
        raise LimitReached(
            f"{request.limit} may be spent in all, {left} of it is left, and this call may cost {request.ceiling}; "
            "wait for running calls, or get a key with a higher limit",
            limit=request.limit,
            needed=needed,
            left=left,
        )
    if request.day_limit is not None:
        _check_day(request, account, request.day_limit, now)
    best = account.voucher
    if request.voucher is None and request.sign is not None:
        return best if best and best.max_claimable >= needed else request.sign(needed)
    if request.voucher is None or request.voucher.max_claimable < needed:
        offered = request.voucher.max_claimable if request.voucher else 0
        raise VoucherTooLow(
            f"the voucher says {offered}, and {needed} is needed: {account.charged} charged, {account.reserved} "
            f"reserved, {request.ceiling} for this call; sign {needed}",
            offered=offered,
            **_numbers(request, account, needed),
            signed_max_claimable=best.max_claimable if best else None,
            signature="0x" + best.signature.hex() if best else None,
        )
    if request.voucher.max_claimable > account.usable + request.offered:
        raise PaymentRequired(
            f"the voucher says {request.voucher.max_claimable}, but the account holds {account.usable}; sign {needed}",
            code="cumulative_exceeds_balance",
            offered=request.voucher.max_claimable,
            **_numbers(request, account, needed),
        )
    return best if best and best.max_claimable > request.voucher.max_claimable else request.voucher


def _check_day(request: Reservation, account: Account, limit: int, now: int) -> None:
    """Refuse a call that could pass the limit of its day, if all running calls cost their ceilings in it."""
    day = max(account.day, now // DAY_SECONDS)
    taken = account.charged_on(day) + account.reserved
    if taken + request.ceiling > limit:
        left, renews_at = max(0, limit - taken), (day + 1) * DAY_SECONDS
        raise DayLimitReached(
            f"{limit} may be spent a day, {left} of it is left, and this call may cost {request.ceiling}; wait for "
            f"running calls, or until the limit renews at {moment(renews_at)}",
            limit=limit,
            needed=taken + request.ceiling,
            left=left,
            renews_at=renews_at,
        )


def refuse_published(work: WorkingSet, account: Hash32, voucher: int | None) -> None:
    """Refuse a voucher that its sender may have read on the chain; None means none.

    Raises:
        VoucherPublished: when a claim carried it.
    """
    if voucher is not None and (account, voucher) in work.published:
        raise VoucherPublished(account, voucher)


def scope_of(owner: Address, signer: Address) -> str:
    """Return the namespace of idempotency keys: all accounts with the same owner and the same signer.

    Anyone can open an account that names another owner; only the signer's key can sign for it.
    """
    return f"{owner}/{signer}"


def find_replay(work: WorkingSet, account: Hash32, key: IdempotencyKey, voucher: int | None) -> Replay | None:
    """Return the answer (still sealed) when the account's payer was given it before; None when the key is free.

    Raises:
        VoucherPublished: when anyone could send the voucher of this amount.
        StillRunning: when the same request has not ended.
        KeyMismatch: when the key came with another body.
    """
    known = work.accounts.get(account)
    if known is None:
        return None
    refuse_published(work, account, voucher)
    kept = work.keys.get((scope_of(known.owner, known.signer), key.key))
    if kept is None:
        return None
    if kept.sealed is not None and kept.expires_at < work.now:
        work.free_key(kept.call)
        return None
    if kept.body_hash != key.body_hash:
        raise KeyMismatch("this idempotency key was used with another body; use a new key")
    if kept.sealed is None:
        raise StillRunning("the call under this key is still running; ask again later")
    return Replay(kept.call, kept.sealed)


async def forget_answers(db: Statements) -> int:
    """Remove a page of answers whose time is over; return how many."""
    rows = await db.rows(
        "DELETE FROM answers WHERE call_id IN (SELECT call_id FROM answers WHERE sealed IS NOT NULL AND "
        "expires_at < {now} LIMIT $1) RETURNING call_id",
        PAGE,
    )
    return len(rows)


def _numbers(request: Reservation, account: Account, needed: int) -> dict[str, int]:
    return {
        "needed": needed,
        "ceiling": request.ceiling,
        "charged": account.charged,
        "reserved": account.reserved,
        "balance": account.usable,
        "total_claimed": account.reading.total_claimed,
    }
