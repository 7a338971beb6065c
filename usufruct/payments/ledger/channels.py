"""Verbs on channels: what the chain says about them, deposits into them, refunds out of them."""

from usufruct.core import Address, Hash32, address_from_bytes, hash32_from_bytes, id_to_bytes
from usufruct.payments.errors import (
    DepositUnderWay,
    DuplicateDeposit,
    RefundTooHigh,
    TooManyDeposits,
    WrongState,
)
from usufruct.payments.ledger.backend import Money, Verb, ask, ask_one
from usufruct.payments.ledger.claims import pay_splits
from usufruct.payments.ledger.entries import move
from usufruct.payments.ledger.records import Channel, ChannelReading, Totals
from usufruct.payments.ledger.rows import CHANNEL_COLUMNS, channel_of, locked_channel, money

MOST_DEPOSITS = 20
"""Deposits of one payer that an operator sends in a day."""


def observe(reading: ChannelReading) -> Verb[Channel]:
    """Take over what the chain says, unless a newer block was read before; open the channel at first sight.

    A claimed total above our charged one means that our records were lost and restored: it becomes the charged total,
    claimed and split, so that nothing is asked for twice.
    """
    yield from _insert(reading)
    channel = yield from locked_channel(reading.id)
    if reading.block < channel.reading.block:
        return channel
    difference = reading.balance - channel.reading.balance
    sides = ("escrow", "available") if difference > 0 else ("available", "escrow")
    yield from move(reading.id, *sides, abs(difference))
    total_claimed = max(channel.reading.total_claimed, reading.total_claimed)
    charged, total_split = channel.charged, channel.total_split
    if total_claimed > charged:
        yield from pay_splits(reading.id, total_split, charged)
        yield from move(reading.id, "available", "paid", total_claimed - charged)
        charged = total_split = total_claimed
    yield from ask(
        "UPDATE channels SET block = $2, balance = $3, total_claimed = $4, withdraw_at = $5, charged = $6, "
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
    return (yield from locked_channel(reading.id))


def plan_deposit(channel_id: Hash32, nonce: Hash32, amount: int, outbox_id: str, payer: Address) -> Verb[None]:
    """Take note of a deposit authorization before it is broadcast; one that failed may be tried again.

    A payer has one deposit under way at a time, and `MOST_DEPOSITS` in a day, tries that failed included: the same
    money may stand behind many authorizations, and each try costs the operator gas.
    """
    latest = yield from ask(
        "SELECT nonce, state, tries FROM deposits WHERE payer = $1 AND planned_at > {now} - 86400",
        id_to_bytes(payer),
    )
    if any(row["state"] == "planned" and hash32_from_bytes(row["nonce"]) != nonce for row in latest):
        raise DepositUnderWay(f"another deposit of {payer} is on its way; ask again", payer=payer)
    tries = sum(row["tries"] for row in latest)
    known = next((row for row in latest if hash32_from_bytes(row["nonce"]) == nonce), None)
    if tries >= MOST_DEPOSITS and (known is None or known["state"] == "failed"):
        raise TooManyDeposits(
            f"{payer} made {tries} deposits in a day; deposit more at once, or deposit on the chain yourself",
            payer=payer,
            most=MOST_DEPOSITS,
        )
    noted = yield from ask_one(
        "INSERT INTO deposits (channel_id, nonce, amount, state, outbox_id, planned_at, payer, tries) "
        "VALUES ($1, $2, $3, 'planned', $4, {now}, $5, 1) ON CONFLICT (channel_id, nonce) DO UPDATE "
        "SET state = 'planned', amount = excluded.amount, outbox_id = excluded.outbox_id, "
        "planned_at = excluded.planned_at, tries = deposits.tries + 1 WHERE deposits.state = 'failed' RETURNING nonce",
        id_to_bytes(channel_id),
        id_to_bytes(nonce),
        Money(amount),
        outbox_id,
        id_to_bytes(payer),
    )
    if noted is None:
        raise DuplicateDeposit(f"deposit {nonce} was handed in before; sign one with another nonce", nonce=nonce)


def finish_deposit(channel_id: Hash32, nonce: Hash32, *, confirmed: bool) -> Verb[None]:
    """Note how a deposit's transaction ended; the balance itself comes from `observe`.

    One that was given up may be found on the chain all the same, and is confirmed then.
    """
    before = "('planned', 'failed')" if confirmed else "('planned')"
    yield from _finish("deposits", channel_id, id_to_bytes(nonce), before, confirmed=confirmed)


def cancel_deposit(channel_id: Hash32, nonce: Hash32) -> Verb[None]:
    """End a planned deposit of which nothing was sent, for a reason that is not the payer's: the try does not count."""
    row = yield from ask_one(
        "UPDATE deposits SET state = 'failed', tries = tries - 1 "
        "WHERE channel_id = $1 AND nonce = $2 AND state = 'planned' RETURNING nonce",
        id_to_bytes(channel_id),
        id_to_bytes(nonce),
    )
    if row is None:
        raise WrongState(
            f"deposits: nothing is planned under nonce {nonce} of channel {channel_id}", channel=channel_id
        )


def plan_refund(channel_id: Hash32, nonce: int, amount: int, outbox_id: str) -> Verb[Channel]:
    """Set free money of the channel aside, before the refund is broadcast: no call can reserve it any more."""
    channel = yield from locked_channel(channel_id)
    taken = yield from ask_one(
        "SELECT state FROM refunds WHERE channel_id = $1 AND nonce = $2", id_to_bytes(channel_id), nonce
    )
    if not 0 < amount <= channel.free or (taken is not None and taken["state"] != "failed"):
        raise RefundTooHigh(
            f"refund {nonce} of {amount} on channel {channel_id}: {channel.free} is free, and the nonce must be new",
            channel=channel_id,
            amount=amount,
            free=channel.free,
        )
    yield from ask(
        "INSERT INTO refunds (channel_id, nonce, amount, state, outbox_id, planned_at) "
        "VALUES ($1, $2, $3, 'planned', $4, {now}) ON CONFLICT (channel_id, nonce) DO UPDATE "
        "SET state = 'planned', amount = excluded.amount, outbox_id = excluded.outbox_id",
        id_to_bytes(channel_id),
        nonce,
        Money(amount),
        outbox_id,
    )
    return (yield from _set_refunding(channel, channel.refunding + amount))


def finish_refund(channel_id: Hash32, nonce: int, reading: ChannelReading | None) -> Verb[Channel]:
    """End a refund: `reading` is the channel after it, None when it failed. Both sides change in one commit."""
    channel = yield from locked_channel(channel_id)
    amount = yield from _finish("refunds", channel_id, nonce, confirmed=reading is not None)
    if reading is not None:
        channel = yield from observe(reading)
    return (yield from _set_refunding(channel, channel.refunding - amount))


def totals() -> Verb[list[Totals]]:
    """Return each token's gauges."""
    sums: dict[bytes, list[int]] = {}
    for row in (yield from ask("SELECT token, reserved, charged, total_claimed FROM channels")):
        sum_of = sums.setdefault(row["token"], [0, 0, 0])
        charged = money(row["charged"])
        for i, value in enumerate((money(row["reserved"]), charged, charged - money(row["total_claimed"]))):
            sum_of[i] += value
    return [Totals(address_from_bytes(token), *values) for token, values in sorted(sums.items())]


def channel_list(after: Hash32 | None, limit: int) -> Verb[list[Channel]]:
    """Return channels by id, from the one after `after`."""
    rows = yield from ask(
        f"SELECT {CHANNEL_COLUMNS} FROM channels WHERE id > $1 ORDER BY id LIMIT $2",
        id_to_bytes(after) if after else b"",
        limit,
    )
    return [channel_of(row) for row in rows]


def _insert(reading: ChannelReading) -> Verb[None]:
    config = reading.config
    yield from ask(
        f"INSERT INTO channels ({CHANNEL_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, -1, $10, $10, $10, 0, "
        "$10, 0, $10, $10, $10, $10, NULL) ON CONFLICT (id) DO NOTHING",
        id_to_bytes(reading.id),
        reading.chain_id,
        id_to_bytes(config.payer),
        id_to_bytes(config.payer_authorizer),
        id_to_bytes(config.receiver),
        id_to_bytes(config.receiver_authorizer),
        id_to_bytes(config.token),
        config.withdraw_delay,
        id_to_bytes(config.salt),
        Money(0),
    )


def _set_refunding(channel: Channel, refunding: int) -> Verb[Channel]:
    yield from ask(
        "UPDATE channels SET refunding = $2 WHERE id = $1", id_to_bytes(channel.reading.id), Money(refunding)
    )
    return (yield from locked_channel(channel.reading.id))


def _finish(
    table: str, channel_id: Hash32, nonce: bytes | int, before: str = "('planned')", *, confirmed: bool
) -> Verb[int]:
    """End a deposit or refund in one of the states `before` by compare-and-set, and return its amount."""
    row = yield from ask_one(
        f"UPDATE {table} SET state = $3 WHERE channel_id = $1 AND nonce = $2 AND state IN {before} RETURNING amount",
        id_to_bytes(channel_id),
        nonce,
        "confirmed" if confirmed else "failed",
    )
    if row is None:
        raise WrongState(
            f"{table}: nothing is planned under nonce {nonce!r} of channel {channel_id}", channel=channel_id
        )
    return money(row["amount"])
