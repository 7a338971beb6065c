"""Verbs on calls: reserved -> serving -> metered | released, each step a compare-and-set on state and epoch.

A step, the channel's new numbers and the entries are one transaction. A step asked for twice, because the first answer
got lost, is taken once. Whoever comes too late (the lease ended, the call was released) gets `CallLost` and bills
nothing.
"""

from dataclasses import replace

from usufruct.core import Hash32, PaymentRequired, asset_to_bytes, hash32_from_bytes, id_to_bytes
from usufruct.payments.errors import AnswerMissing, CallLost, CallUnknown, KeyMismatch, OverCeiling, StillRunning
from usufruct.payments.ledger.admission import (
    accepted_voucher,
    chain_time,
    free_key,
    hold_key,
    keep_answer,
    refuse_published,
    replayed,
)
from usufruct.payments.ledger.backend import Money, Row, Verb, ask, ask_one
from usufruct.payments.ledger.entries import move
from usufruct.payments.ledger.records import Bill, Call, Channel, Lease, Replay, Reservation, Reserved
from usufruct.payments.ledger.rows import CALL_COLUMNS, call_of, locked_channel
from usufruct.payments.model import OPEN_STATES, CallState
from usufruct.payments.voucher import VerifiedVoucher

_OPEN = "state IN ('reserved', 'serving')"


def reserve(request: Reservation, owner: str, lease_seconds: int, answer_seconds: int) -> Verb[Reserved | Replay]:
    """Set the call's ceiling aside on its channel, with a voucher that covers it; or find the answer of the same call.

    Raises:
        ChannelUnknown, ChannelWithdrawing, BalanceTooLow, LimitReached, VoucherOverBalance, VoucherTooLow,
            VoucherPublished: nothing was reserved.
        StillRunning, KeyMismatch: the idempotency key is taken.
        CallLost: when the same call id was used before and is final, or for another channel.
    """
    channel = yield from locked_channel(request.channel)
    try:
        yield from refuse_published(request)
        answer = yield from replayed(request, channel.reading.config)
        if answer is not None:
            return answer
        voucher = accepted_voucher(request, channel, (yield from chain_time(request, channel)))
        new = yield from _insert(request, voucher, owner, lease_seconds)
    except (PaymentRequired, StillRunning, KeyMismatch):
        if (yield from _find(request.call)) is None:
            raise
        new = False
    if not new:
        return (yield from _reserved_before(request, channel))
    yield from hold_key(request, channel.reading.config, answer_seconds)
    reserved = channel.reserved + request.ceiling
    yield from ask(
        "UPDATE channels SET reserved = $2, voucher_amount = $3, voucher_signature = $4 WHERE id = $1",
        id_to_bytes(request.channel),
        Money(reserved),
        Money(voucher.max_claimable),
        voucher.signature,
    )
    yield from move(request.channel, "available", "reserved", request.ceiling, call=request.call)
    return Reserved(Lease(request.call, request.channel, 1), replace(channel, reserved=reserved, voucher=voucher))


def replay(request: Reservation) -> Verb[Replay | None]:
    """Find the answer of the same call, for a request that may reserve nothing; None when none was kept.

    Raises:
        ChannelUnknown: when there is no such channel.
        VoucherPublished: when anybody could send this.
        StillRunning, KeyMismatch: the idempotency key is taken.
    """
    channel = yield from locked_channel(request.channel)
    yield from refuse_published(request)
    return (yield from replayed(request, channel.reading.config))


def start(lease: Lease, lease_seconds: int) -> Verb[None]:
    """Note that upstream is being asked, and renew the lease.

    Raises:
        CallLost: when the call is no longer this replica's.
    """
    changed = yield from ask_one(
        "UPDATE calls SET state = 'serving', lease_until = {now} + $3 WHERE id = $1 AND epoch = $2 "
        f"AND {_OPEN} RETURNING id",
        id_to_bytes(lease.call),
        lease.epoch,
        lease_seconds,
    )
    if changed is None:
        raise _lost(call_of((yield from _known(lease.call))))


def renew(owner: str, lease_seconds: int) -> Verb[frozenset[Hash32]]:
    """Renew the leases of every open call of `owner`, and return those calls: one missing here was lost."""
    rows = yield from ask(
        f"UPDATE calls SET lease_until = {{now}} + $2 WHERE owner = $1 AND {_OPEN} RETURNING id", owner, lease_seconds
    )
    return frozenset(hash32_from_bytes(row["id"]) for row in rows)


def meter(lease: Lease, bill: Bill, sealed: bytes | None, answer_seconds: int) -> Verb[Call]:
    """Charge a call: once, at most its ceiling; the rest of what it reserved is free again.

    Raises:
        CallLost: when the call is no longer this replica's; nothing is billed.
        OverCeiling: when the charge is above the ceiling.
        AnswerMissing: when the call has an idempotency key and no answer to keep was given.
    """
    channel = yield from locked_channel(lease.channel)
    row = yield from _known(lease.call)
    call = call_of(row)
    if call.lease == lease and call.bill == bill:
        return call
    if call.lease != lease or call.state not in OPEN_STATES:
        raise _lost(call)
    if not 0 <= bill.charge <= call.ceiling:
        raise OverCeiling(f"a charge of {bill.charge} passes the ceiling {call.ceiling} of call {lease.call}")
    if row["answer_awaited"] and sealed is None:
        raise AnswerMissing(f"call {lease.call} has an idempotency key; meter it with the answer to keep")
    charged = channel.charged + bill.charge
    finished = yield from ask_one(
        "UPDATE calls SET state = 'metered', finished_at = {now}, charge = $4, cumulative = $5, input_tokens = $6, "
        "cached_input_tokens = $7, output_tokens = $8, flagged = $9, model_digest = $10, response_hash = $11 "
        "WHERE id = $1 AND state = $2 AND epoch = $3 RETURNING finished_at",
        id_to_bytes(lease.call),
        call.state.value,
        lease.epoch,
        Money(bill.charge),
        Money(charged),
        bill.usage.input_tokens,
        bill.usage.cached_input_tokens,
        bill.usage.output_tokens,
        bill.flagged,
        id_to_bytes(bill.model_digest),
        id_to_bytes(bill.response_hash),
    )
    if finished is None:
        raise _lost(call)
    yield from ask(
        "UPDATE channels SET charged = $2, reserved = $3 WHERE id = $1",
        id_to_bytes(lease.channel),
        Money(charged),
        Money(channel.reserved - call.ceiling),
    )
    yield from move(lease.channel, "reserved", "charged", bill.charge, call=lease.call, asset=call.asset)
    yield from move(lease.channel, "reserved", "available", call.ceiling - bill.charge, call=lease.call)
    if sealed is not None:
        yield from keep_answer(lease.call, sealed, answer_seconds)
    return replace(call, state=CallState.METERED, finished_at=finished[0], bill=bill, cumulative=charged)


def release(lease: Lease, reason: str) -> Verb[Call]:
    """End a call that is charged nothing; its idempotency key is free again.

    Raises:
        CallLost: when the call is no longer this replica's.
    """
    channel = yield from locked_channel(lease.channel)
    call = call_of((yield from _known(lease.call)))
    if call.lease == lease and call.state is CallState.RELEASED:
        return call
    if call.lease != lease or call.state not in OPEN_STATES:
        raise _lost(call)
    return (yield from _release(call, channel, lease.epoch, reason))


def expire(lease: Lease) -> Verb[bool]:
    """Release a call whose lease has ended by the database's clock, and take it from its owner; say whether it was."""
    channel = yield from locked_channel(lease.channel)
    found = yield from ask_one(
        f"SELECT {CALL_COLUMNS} FROM calls WHERE id = $1 AND epoch = $2 AND {_OPEN} AND lease_until < {{now}}",
        id_to_bytes(lease.call),
        lease.epoch,
    )
    if found is not None:
        yield from _release(call_of(found), channel, lease.epoch + 1, "lease_ended")
    return found is not None


def lapsed(limit: int) -> Verb[list[Lease]]:
    """Return open calls whose lease has ended, the longest first."""
    rows = yield from ask(
        f"SELECT id, channel_id, epoch FROM calls WHERE {_OPEN} AND lease_until < {{now}} "
        "ORDER BY lease_until LIMIT $1",
        limit,
    )
    return [Lease(hash32_from_bytes(row["id"]), hash32_from_bytes(row["channel_id"]), row["epoch"]) for row in rows]


def find_call(call: Hash32) -> Verb[Call | None]:
    """Return a call, or None."""
    row = yield from _find(call)
    return None if row is None else call_of(row)


def metered_between(channel: Hash32, after: int, limit: int) -> Verb[list[Call]]:
    """Return a channel's charged calls in the order of its spending, from the cumulative position `after`."""
    rows = yield from ask(
        f"SELECT {CALL_COLUMNS} FROM calls WHERE channel_id = $1 AND cumulative > $2 ORDER BY cumulative LIMIT $3",
        id_to_bytes(channel),
        Money(after),
        limit,
    )
    return [call_of(row) for row in rows]


def _find(call: Hash32) -> Verb[Row | None]:
    return (
        yield from ask_one(
            f"SELECT {CALL_COLUMNS}, EXISTS (SELECT 1 FROM answers WHERE call_id = calls.id AND sealed IS NULL) "
            "AS answer_awaited FROM calls WHERE id = $1",
            id_to_bytes(call),
        )
    )


def _known(call: Hash32) -> Verb[Row]:
    row = yield from _find(call)
    if row is None:
        raise CallUnknown(f"call {call} was never reserved", call=call)
    return row


def _insert(request: Reservation, voucher: VerifiedVoucher, owner: str, lease_seconds: int) -> Verb[bool]:
    """Write the call's row; False when there is one already."""
    inserted = yield from ask_one(
        "INSERT INTO calls (id, channel_id, asset, state, owner, epoch, lease_until, ceiling, price_card_version, "
        "request_hash, reserved_at, voucher_amount, voucher_signature) "
        "VALUES ($1, $2, $3, 'reserved', $4, 1, {now} + $5, $6, $7, $8, {now}, $9, $10) "
        "ON CONFLICT (id) DO NOTHING RETURNING id",
        id_to_bytes(request.call),
        id_to_bytes(request.channel),
        asset_to_bytes(request.asset),
        owner,
        lease_seconds,
        Money(request.ceiling),
        request.price_card_version,
        id_to_bytes(request.request_hash),
        Money(voucher.max_claimable),
        voucher.signature,
    )
    return inserted is not None


def _reserved_before(request: Reservation, channel: Channel) -> Verb[Reserved]:
    """Return what the same request got before."""
    call = call_of((yield from _known(request.call)))
    if call.state not in OPEN_STATES or call.lease.channel != request.channel or call.ceiling != request.ceiling:
        raise _lost(call)
    return Reserved(call.lease, channel)


def _release(call: Call, channel: Channel, epoch: int, reason: str) -> Verb[Call]:
    lease = call.lease
    finished = yield from ask_one(
        "UPDATE calls SET state = 'released', epoch = $4, reason = $5, finished_at = {now} "
        "WHERE id = $1 AND state = $2 AND epoch = $3 RETURNING finished_at",
        id_to_bytes(lease.call),
        call.state.value,
        lease.epoch,
        epoch,
        reason,
    )
    if finished is None:
        raise _lost(call)
    reserved = channel.reserved - call.ceiling
    yield from ask("UPDATE channels SET reserved = $2 WHERE id = $1", id_to_bytes(lease.channel), Money(reserved))
    yield from move(lease.channel, "reserved", "available", call.ceiling, call=lease.call)
    yield from free_key(lease.call)
    ended = replace(lease, epoch=epoch)
    return replace(call, lease=ended, state=CallState.RELEASED, finished_at=finished[0], reason=reason)


def _lost(call: Call) -> CallLost:
    return CallLost(
        f"call {call.lease.call} is {call.state} in epoch {call.lease.epoch}: it is no longer held by this lease",
        call=call.lease.call,
        state=call.state,
    )
