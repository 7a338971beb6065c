"""Verbs for those who settle: what is under way, who rests, and how to take back what the chain took back."""

from collections.abc import Sequence
from dataclasses import dataclass

from usufruct.core import Address, Hash32, hash32_from_bytes, id_to_bytes
from usufruct.payments.ledger.backend import Money, Row, Verb, ask, ask_one
from usufruct.payments.ledger.channels import observe
from usufruct.payments.ledger.claims import splits_between
from usufruct.payments.ledger.entries import move
from usufruct.payments.ledger.records import Channel, ChannelReading
from usufruct.payments.ledger.rows import CHANNEL_COLUMNS, channel_of, locked_channel, money


@dataclass(frozen=True, slots=True)
class Transfer:
    """A deposit or refund whose transaction has not ended; `nonce` is a refund's number or a deposit's hash."""

    channel: Hash32
    nonce: Hash32 | int
    amount: int
    outbox_id: str
    planned_at: int = 0


_TRANSFER = "channel_id, nonce, amount, outbox_id, planned_at"


def _transfer(row: Row) -> Transfer:
    """Read a transfer from a row of `_TRANSFER`."""
    nonce = row["nonce"] if isinstance(row["nonce"], int) else hash32_from_bytes(row["nonce"])
    return Transfer(
        hash32_from_bytes(row["channel_id"]), nonce, money(row["amount"]), row["outbox_id"], row["planned_at"]
    )


def correct(reading: ChannelReading) -> Verb[Channel]:
    """Take over what the chain says although another block said otherwise: that block is no longer part of the chain.

    Claims that the chain took back can be made again: what they paid is charged and not split once more.
    """
    channel = yield from locked_channel(reading.id)
    total_split, taken_back = channel.total_split, max(0, channel.total_split - reading.total_claimed)
    parts = (yield from splits_between(reading.id, reading.total_claimed, total_split)) if taken_back else ()
    if taken_back and sum(part.amount for part in parts) == taken_back:
        total_split = reading.total_claimed
        for part in parts:
            yield from move(reading.id, "paid", "charged", part.amount, asset=part.asset)
        yield from ask(
            "UPDATE claims SET state = 'failed' WHERE channel_id = $1 AND state = 'confirmed' AND cumulative > $2",
            id_to_bytes(reading.id),
            Money(total_split),
        )
    yield from ask(
        "UPDATE channels SET block = -1, total_claimed = $2, total_split = $3 WHERE id = $1",
        id_to_bytes(reading.id),
        Money(0),
        Money(total_split),
    )
    return (yield from observe(reading))


def resting(before: int, after: Hash32 | None, limit: int) -> Verb[list[Channel]]:
    """Return channels by id, from the one after `after`, without a call since `before`, an open call or a refund.

    They hold something; whether it is free, the caller sees.
    """
    rows = yield from ask(
        f"SELECT {CHANNEL_COLUMNS} FROM channels WHERE id > $1 AND balance > charged AND reserved = $4 "
        "AND refunding = $4 AND NOT EXISTS (SELECT 1 FROM calls WHERE channel_id = channels.id AND reserved_at > $2) "
        "ORDER BY id LIMIT $3",
        id_to_bytes(after) if after else b"",
        before,
        limit,
        Money(0),
    )
    return [channel_of(row) for row in rows]


def pending(table: str) -> Verb[list[Transfer]]:
    """Return the deposits, or the refunds, that have not ended, oldest first."""
    rows = yield from ask(f"SELECT {_TRANSFER} FROM {table} WHERE state = 'planned' ORDER BY planned_at, nonce")
    return [_transfer(row) for row in rows]


def pending_of(payer: Address) -> Verb[Transfer | None]:
    """Return the payer's deposit that has not ended, if there is one."""
    row = yield from ask_one(
        f"SELECT {_TRANSFER} FROM deposits WHERE payer = $1 AND state = 'planned'",
        id_to_bytes(payer),
    )
    return None if row is None else _transfer(row)


def last_paid_for(channel: Hash32) -> Verb[int]:
    """Return when we last sent a deposit into this channel, or a refund out of it; 0: never."""
    times = []
    for table in ("deposits", "refunds"):
        row = yield from ask_one(
            f"SELECT MAX(planned_at) AS at FROM {table} WHERE channel_id = $1 AND state <> 'failed'",
            id_to_bytes(channel),
        )
        times.append(int(row["at"]) if row is not None and row["at"] is not None else 0)
    return max(times)


def deposited(channel: Hash32, nonce: Hash32) -> Verb[Transfer | None]:
    """Return the deposit with this nonce if it was confirmed."""
    row = yield from ask_one(
        f"SELECT {_TRANSFER} FROM deposits WHERE channel_id = $1 AND nonce = $2 AND state = 'confirmed'",
        id_to_bytes(channel),
        id_to_bytes(nonce),
    )
    return None if row is None else _transfer(row)


def last_calls(which: Sequence[Hash32]) -> Verb[dict[Hash32, int]]:
    """Return when each of these channels reserved its newest call, as far as it ever did."""
    found = {}
    for channel in which:
        row = yield from ask_one("SELECT MAX(reserved_at) AS at FROM calls WHERE channel_id = $1", id_to_bytes(channel))
        if row is not None and row["at"] is not None:
            found[channel] = int(row["at"])
    return found
