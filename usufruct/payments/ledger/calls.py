"""Verbs on calls: open -> metered | released, each step a compare-and-set on state and epoch.

A step, the account's new numbers and the entries are one transaction. A step asked for twice, because the first answer
got lost, is taken once. A step that comes too late (the lease ended, the call was released) gets `CallLost` and bills
nothing. The verbs of every call (`open_call`, `meter_call`, `release_call`) are pure; the others run statements.
"""

from collections.abc import Callable
from dataclasses import dataclass

from usufruct.core import DAY_SECONDS, Faulty, Hash32, PaymentRequired, id_to_bytes
from usufruct.payments.ledger.call_admission import accepted_voucher, find_replay, refuse_published, scope_of
from usufruct.payments.ledger.errors import CallLost, CallUnknown, KeyMismatch, StillRunning
from usufruct.payments.ledger.records import Account, Bill, Call, CallState, Lease, Reservation, receipt_of
from usufruct.payments.ledger.rows import CALL_COLUMNS, PAGE, call_of
from usufruct.payments.ledger.sql_statements import Money, Statements
from usufruct.payments.ledger.working_set import Admission, Admitted, Entry, KeptKey, WorkingSet
from usufruct.payments.pricing import Receipt, VerifiedVoucher

ReceiptSigner = Callable[[Receipt], bytes]
"""Signs a receipt: 65 bytes."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a replica opens and meters calls under; times in seconds."""

    owner: str
    lease_seconds: int
    answer_seconds: int


def open_call(work: WorkingSet, request: Reservation, terms: Terms) -> Admission:
    """Set the call's ceiling aside on its account, with a voucher that covers it; or find the answer of the same call.

    Raises:
        AccountUnknown, PaymentRequired: as `accepted_voucher` and `find_replay`; nothing was opened.
        StillRunning, KeyMismatch: the idempotency key is taken.
        CallLost: when the same call id was used before and is final, or for another account.
    """
    account, known = work.account(request.account), work.calls.get(request.call)
    try:
        if request.idempotency is None:
            refuse_published(work, request.account, request.promise)
        elif (answer := find_replay(work, request.account, request.idempotency, request.promise)) is not None:
            return answer
    except (PaymentRequired, StillRunning, KeyMismatch):
        if known is None:
            raise
    if known is not None:
        return _opened_before(request, known, account)
    voucher = accepted_voucher(request, account, work.now)
    call = _new_call(work.now, request, terms)
    after = _changed(
        account, work.now, reserved=account.reserved + request.ceiling, voucher=voucher, last_call_at=work.now
    )
    work.add_call(call, voucher)
    work.put_account(after)
    work.move(Entry(request.account, request.call, None, "available", "reserved", request.ceiling))
    if request.idempotency is not None:
        scope, until = scope_of(account.owner, account.signer), work.now + terms.answer_seconds
        key = request.idempotency
        work.take_key(KeptKey(scope, key.key, request.call, key.body_hash, None, until))
    return call, after


def meter_call(
    work: WorkingSet, lease: Lease, bill: Bill, sealed: bytes | None, sign: ReceiptSigner | None, terms: Terms
) -> Call:
    """Charge a call: once, at most its ceiling; the rest of what it reserved is free again.

    Raises:
        CallLost: when the call is no longer this replica's; nothing is billed.
        Faulty: when the charge is above the ceiling, or a call with an idempotency key has no answer to keep.
    """
    account, call = work.account(lease.account), _known(work, lease.call)
    if call.lease == lease and call.bill == bill:
        return call
    if call.lease != lease or call.state is not CallState.OPEN:
        raise _lost(call)
    if not 0 <= bill.charge <= call.ceiling:
        raise Faulty(
            f"a charge of {bill.charge} passes the ceiling {call.ceiling} of call {lease.call}", code="over_ceiling"
        )
    key = work.key_of.get(lease.call)
    if key is not None and key.sealed is None and sealed is None:
        raise Faulty(
            f"call {lease.call} has an idempotency key; meter it with the answer to keep", code="answer_missing"
        )
    charged = account.charged + bill.charge
    signature = sign(receipt_of(call, bill, charged, work.now, account.token)) if sign else None
    metered = _ended(call, CallState.METERED, lease, work.now, bill=bill, cumulative=charged, signature=signature)
    work.end_call(metered, lease.epoch)
    work.put_account(_changed(account, work.now, charged=charged, reserved=account.reserved - call.ceiling))
    work.move(Entry(lease.account, lease.call, call.asset, "reserved", "charged", bill.charge))
    work.move(Entry(lease.account, lease.call, None, "reserved", "available", call.ceiling - bill.charge))
    if key is not None and sealed is not None:
        until = work.now + terms.answer_seconds
        work.keep_answer(KeptKey(key.scope, key.key, key.call, key.body_hash, sealed, until))
    return metered


def release_call(work: WorkingSet, lease: Lease, reason: str) -> Call:
    """End a call that is charged nothing; its idempotency key is free again.

    Raises:
        CallLost: when the call is no longer this replica's.
    """
    call = _known(work, lease.call)
    if call.lease == lease and call.state is CallState.RELEASED:
        return call
    if call.lease != lease or call.state is not CallState.OPEN:
        raise _lost(call)
    return _released(work, call, lease.epoch, reason)


def expire_call(work: WorkingSet, lease: Lease) -> bool:
    """Release a call whose lease has ended by the database's clock, and take it from its owner; tell whether it was."""
    call = work.calls.get(lease.call)
    if call is None or call.lease != lease or call.state is not CallState.OPEN or call.lease_until >= work.now:
        return False
    _released(work, call, lease.epoch + 1, "lease_ended")
    return True


async def renew(db: Statements, terms: Terms) -> frozenset[Hash32]:
    """Renew the leases of every open call of the owner, and return those calls: one missing here was lost."""
    rows = await db.rows(
        "UPDATE calls SET lease_until = {now} + $2 WHERE owner = $1 AND state = 'open' RETURNING id",
        terms.owner,
        terms.lease_seconds,
    )
    return frozenset(row.hash32("id") for row in rows)


async def lapsed(db: Statements) -> list[Lease]:
    """Return open calls whose lease has ended, the longest first: no gateway has released them yet."""
    rows = await db.rows(
        "SELECT id, account_id, epoch FROM calls WHERE state = 'open' AND lease_until < {now} "
        "ORDER BY lease_until LIMIT $1",
        PAGE,
    )
    return [Lease(row.hash32("id"), row.hash32("account_id"), row.integer("epoch")) for row in rows]


async def find_call(db: Statements, call: Hash32) -> Call | None:
    """Return a call, or None."""
    row = await db.row(f"SELECT {CALL_COLUMNS} FROM calls WHERE id = $1", id_to_bytes(call))
    return None if row is None else call_of(row)


async def metered(db: Statements, account: Hash32, after: int = 0, limit: int = PAGE) -> list[Call]:
    """Return an account's metered calls in the order of its spending, from the cumulative position `after`.

    Calls that were charged 0 share a position with the one before them and come after it: reading on from the
    last call's position misses no charged one.
    """
    rows = await db.rows(
        f"SELECT {CALL_COLUMNS} FROM calls WHERE account_id = $1 AND cumulative > $2 "
        "ORDER BY cumulative, charge DESC LIMIT $3",
        id_to_bytes(account),
        Money(after),
        limit,
    )
    return [call_of(row) for row in rows]


def _known(work: WorkingSet, call: Hash32) -> Call:
    found = work.calls.get(call)
    if found is None:
        raise CallUnknown(f"call {call} was never opened", call=call)
    return found


def _lost(call: Call) -> CallLost:
    return CallLost(
        f"call {call.lease.call} is {call.state} in epoch {call.lease.epoch}: it is no longer held by this lease",
        call=call.lease.call,
        state=call.state,
    )


def _new_call(now: int, request: Reservation, terms: Terms) -> Call:
    return Call(
        lease=Lease(request.call, request.account),
        asset=request.asset,
        state=CallState.OPEN,
        owner=terms.owner,
        lease_until=now + terms.lease_seconds,
        ceiling=request.ceiling,
        price_card_version=request.price_card_version,
        request_hash=request.request_hash,
        opened_at=now,
    )


def _opened_before(request: Reservation, call: Call, account: Account) -> Admitted:
    """Return what the same request got before."""
    if call.state is not CallState.OPEN or call.lease.account != request.account or call.ceiling != request.ceiling:
        raise _lost(call)
    return call, account


def _released(work: WorkingSet, call: Call, epoch: int, reason: str) -> Call:
    lease = Lease(call.lease.call, call.lease.account, epoch)
    account = work.account(lease.account)
    released = _ended(call, CallState.RELEASED, lease, work.now, reason=reason)
    work.end_call(released, call.lease.epoch)
    work.put_account(_changed(account, work.now, reserved=account.reserved - call.ceiling))
    work.move(Entry(lease.account, lease.call, None, "reserved", "available", call.ceiling))
    work.free_key(lease.call)
    return released


def _ended(
    call: Call,
    state: CallState,
    lease: Lease,
    now: int,
    *,
    reason: str | None = None,
    bill: Bill | None = None,
    cumulative: int | None = None,
    signature: bytes | None = None,
) -> Call:
    """Return the call in its final state; spelled out, since `dataclasses.replace` costs several times as much."""
    return Call(
        lease=lease,
        asset=call.asset,
        state=state,
        owner=call.owner,
        lease_until=call.lease_until,
        ceiling=call.ceiling,
        price_card_version=call.price_card_version,
        request_hash=call.request_hash,
        opened_at=call.opened_at,
        finished_at=now,
        reason=reason,
        bill=bill,
        cumulative=cumulative,
        receipt_signature=signature,
    )


def _changed(
    account: Account,
    now: int,
    *,
    reserved: int,
    charged: int | None = None,
    voucher: VerifiedVoucher | None = None,
    last_call_at: int | None = None,
) -> Account:
    """Return the account with our side of it changed at `now`; a new day begins with what is charged by then."""
    day = now // DAY_SECONDS
    is_new_day = day > account.day
    return Account(
        reading=account.reading,
        total_split=account.total_split,
        charged=account.charged if charged is None else charged,
        reserved=reserved,
        refunding=account.refunding,
        voucher=voucher or account.voucher,
        last_call_at=account.last_call_at if last_call_at is None else last_call_at,
        day=day if is_new_day else account.day,
        charged_before=account.charged if is_new_day else account.charged_before,
    )
