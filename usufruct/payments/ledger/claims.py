"""Verbs on claims: from what was charged to what the chain has paid, exactly once.

A claim takes a channel's claimed total to a cumulative position. Calls tile a channel's charged total without gap or
overlap, so the part of every call inside two positions adds up to the distance between them: the splits.
"""

from collections import Counter

from usufruct.core import Hash32, asset_from_bytes, hash32_from_bytes, id_to_bytes
from usufruct.payments.errors import ClaimPending, NothingToClaim, WrongState
from usufruct.payments.ledger.backend import Money, Row, Verb, ask, ask_one
from usufruct.payments.ledger.entries import move
from usufruct.payments.ledger.records import Channel, Claim, Split
from usufruct.payments.ledger.rows import (
    CHANNEL_COLUMNS,
    channel_of,
    find_channel,
    locked_channel,
    money,
    voucher_of,
)
from usufruct.payments.voucher import VerifiedVoucher


def splits_between(channel: Hash32, start: int, end: int) -> Verb[tuple[Split, ...]]:
    """Return each asset's part of what the channel was charged from `start` to `end`, by asset."""
    rows = yield from ask(
        "SELECT asset, charge, cumulative FROM calls WHERE channel_id = $1 AND cumulative > $2 ORDER BY cumulative",
        id_to_bytes(channel),
        Money(start),
    )
    parts: Counter[bytes] = Counter()
    for row in rows:
        cumulative = money(row["cumulative"])
        part = min(cumulative, end) - max(cumulative - money(row["charge"]), start)
        if part > 0:
            parts[row["asset"]] += part
    return tuple(Split(asset_from_bytes(asset), amount) for asset, amount in sorted(parts.items()))


def pay_splits(channel: Hash32, start: int, end: int) -> Verb[None]:
    """Enter in the books that the assets were paid what they earned from `start` to `end`."""
    for split in (yield from splits_between(channel, start, end)):
        yield from move(channel, "charged", "paid", split.amount, asset=split.asset)


def claimable(limit: int, offset: int = 0) -> Verb[list[Channel]]:
    """Return channels with money to claim or split and no claim under way; those being withdrawn from first."""
    rows = yield from ask(
        f"SELECT {CHANNEL_COLUMNS} FROM channels WHERE total_split < charged AND NOT EXISTS "
        "(SELECT 1 FROM claims WHERE channel_id = channels.id AND state IN ('planned', 'sent')) "
        "ORDER BY withdraw_at = 0, withdraw_at, id LIMIT $1 OFFSET $2",
        limit,
        offset,
    )
    return [channel_of(row) for row in rows]


def plan_claim(claim: Hash32, channel_id: Hash32, up_to: int | None = None) -> Verb[Claim]:
    """Fix what to claim on a channel next: all that is charged, as far as voucher, balance and `up_to` allow."""
    channel = yield from locked_channel(channel_id)
    if (known := (yield from _find(claim))) is not None:
        return (yield from _claim_of(known, channel))
    if (
        yield from ask_one(f"SELECT id FROM claims WHERE channel_id = $1 AND {_PENDING}", id_to_bytes(channel_id))
    ) is not None:
        raise ClaimPending(f"channel {channel_id} has a claim under way; wait for its end", channel=channel_id)
    covered = channel.voucher.max_claimable if channel.voucher else 0
    cumulative = min(channel.charged, covered, channel.reading.balance)
    if up_to is not None:
        cumulative = min(cumulative, up_to)
    if channel.voucher is None or cumulative <= channel.total_split:
        raise NothingToClaim(
            f"channel {channel_id} is claimed and split up to {channel.total_split}; "
            f"charged {channel.charged}, voucher {covered}, balance {channel.reading.balance}",
            channel=channel_id,
        )
    voucher = yield from _least_voucher(channel, cumulative)
    yield from ask(
        "INSERT INTO claims (id, channel_id, split_from, cumulative, voucher_amount, voucher_signature, state, "
        "planned_at) VALUES ($1, $2, $3, $4, $5, $6, 'planned', {now})",
        id_to_bytes(claim),
        id_to_bytes(channel_id),
        Money(channel.total_split),
        Money(cumulative),
        Money(voucher.max_claimable),
        voucher.signature,
    )
    return (yield from _claim_of((yield from _find(claim)), channel))


def _least_voucher(channel: Channel, cumulative: int) -> Verb[VerifiedVoucher]:
    """Return the lowest voucher that covers a claim: what goes to the chain anybody can read.

    A call's own voucher covers it, so the lowest that came with an unclaimed call is never worse than the best.
    """
    assert channel.voucher is not None
    row = yield from ask_one(
        "SELECT voucher_amount, voucher_signature FROM calls WHERE channel_id = $1 AND cumulative > $2 "
        "AND voucher_amount >= $3 ORDER BY voucher_amount LIMIT 1",
        id_to_bytes(channel.reading.id),
        Money(channel.total_split),
        Money(cumulative),
    )
    if row is None:
        return channel.voucher
    return voucher_of(channel.reading.id, row["voucher_amount"], row["voucher_signature"])


def send_claim(claim: Hash32, channel_id: Hash32, outbox_id: str) -> Verb[Claim]:
    """Note in which transaction of the sender's outbox a planned claim travels."""
    return (yield from _step(claim, channel_id, "sent", ("planned",), outbox_id))


def confirm_claim(claim: Hash32, channel_id: Hash32) -> Verb[Claim]:
    """Take a claim's transaction as final: its position is claimed, and the assets are paid."""
    channel = yield from locked_channel(channel_id)
    before = yield from _find(claim)
    done = yield from _step(claim, channel_id, "confirmed", ("planned", "sent"))
    if before is not None and before["state"] != "confirmed":
        split = max(channel.total_split, done.cumulative)
        yield from pay_splits(channel_id, channel.total_split, split)
        yield from ask(
            "UPDATE channels SET total_claimed = $2, total_split = $3 WHERE id = $1",
            id_to_bytes(channel_id),
            Money(max(channel.reading.total_claimed, done.cumulative)),
            Money(split),
        )
    return done


def fail_claim(claim: Hash32, channel_id: Hash32) -> Verb[Claim]:
    """Give a claim up: its transaction reverted, or will never be mined. Its money can be claimed again."""
    return (yield from _step(claim, channel_id, "failed", ("planned", "sent")))


def pending_claims() -> Verb[list[Claim]]:
    """Return the claims that have not ended, oldest first: what a claimer looks at when it starts."""
    found: list[Claim] = []
    for row in (yield from ask(f"SELECT {_COLUMNS} FROM claims WHERE {_PENDING} ORDER BY planned_at, id")):
        channel = yield from find_channel(hash32_from_bytes(row["channel_id"]))
        found += [(yield from _claim_of(row, channel))]
    return found


_PENDING = "state IN ('planned', 'sent')"
_COLUMNS = "id, channel_id, split_from, cumulative, voucher_amount, voucher_signature, state, outbox_id"


def _find(claim: Hash32) -> Verb[Row | None]:
    return (yield from ask_one(f"SELECT {_COLUMNS} FROM claims WHERE id = $1", id_to_bytes(claim)))


def _step(
    claim: Hash32, channel_id: Hash32, state: str, allowed: tuple[str, ...], outbox_id: str | None = None
) -> Verb[Claim]:
    """Move a claim to `state` by compare-and-set; taking the same step twice is taking it once."""
    channel = yield from locked_channel(channel_id)
    row = yield from _find(claim)
    found = row["state"] if row is not None and row["channel_id"] == id_to_bytes(channel_id) else "absent"
    if found != state:
        if found not in allowed:
            raise WrongState(f"claim {claim} is {found}; it must be {' or '.join(allowed)}", claim=claim, state=found)
        ended = "NULL" if state == "sent" else "{now}"
        yield from ask(
            "UPDATE claims SET state = $2, outbox_id = COALESCE($3, outbox_id), "
            f"finished_at = {ended} WHERE id = $1 AND state = $4",
            id_to_bytes(claim),
            state,
            outbox_id,
            found,
        )
        row = yield from _find(claim)
    return (yield from _claim_of(row, channel))


def _claim_of(row: Row, channel: Channel) -> Verb[Claim]:
    start, end = money(row["split_from"]), money(row["cumulative"])
    return Claim(
        id=hash32_from_bytes(row["id"]),
        channel=channel.reading.id,
        config=channel.reading.config,
        split_from=start,
        cumulative=end,
        voucher=voucher_of(channel.reading.id, row["voucher_amount"], row["voucher_signature"]),
        state=row["state"],
        outbox_id=row["outbox_id"],
        splits=(yield from splits_between(channel.reading.id, start, end)),
    )
