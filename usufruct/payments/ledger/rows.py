"""Rows to records, and the ids in between."""

from functools import lru_cache

from usufruct.core import ChainId, Hash32, address_from_bytes, asset_from_bytes, hash32_from_bytes, id_to_bytes
from usufruct.payments.errors import channel_unknown
from usufruct.payments.ledger.backend import Row, Verb, ask_one
from usufruct.payments.ledger.records import Bill, Call, Channel, ChannelReading, Lease
from usufruct.payments.model import CallState, Usage
from usufruct.payments.voucher import ChannelConfig, VerifiedVoucher, Voucher
from usufruct.store import amount_from_blob

CHANNEL_COLUMNS = (
    "id, chain_id, payer, payer_authorizer, receiver, receiver_authorizer, token, withdraw_delay, salt, block, "
    "balance, total_claimed, total_split, withdraw_at, leaving, serve_until, charged, reserved, refunding, "
    "voucher_amount, voucher_signature"
)
CALL_COLUMNS = (
    "id, channel_id, asset, state, owner, epoch, lease_until, ceiling, price_card_version, request_hash, reserved_at, "
    "finished_at, reason, charge, cumulative, input_tokens, cached_input_tokens, output_tokens, flagged, model_digest, "
    "response_hash"
)


def money(value: int | bytes) -> int:
    """Read a money column of either database."""
    return amount_from_blob(value) if isinstance(value, bytes) else value


def channel_of(row: Row) -> Channel:
    """Read a channel from a row of `CHANNEL_COLUMNS`."""
    number, chain, *config, block, balance, claimed, split, withdraw_at, leaving, serve_until = row[:16]
    charged, reserved, refunding, best, signed = row[16:21]
    channel = hash32_from_bytes(number)
    return Channel(
        reading=ChannelReading(
            channel,
            ChainId(chain),
            _config(*config),
            block,
            money(balance),
            money(claimed),
            withdraw_at,
            money(leaving),
            serve_until,
        ),
        total_split=money(split),
        charged=money(charged),
        reserved=money(reserved),
        refunding=money(refunding),
        voucher=None if signed is None else voucher_of(channel, best, signed),
    )


@lru_cache(maxsize=1 << 14)
def _config(
    payer: bytes, authorizer: bytes, receiver: bytes, claimer: bytes, token: bytes, delay: int, salt: bytes
) -> ChannelConfig:
    """Make a channel's configuration once: it never changes, and calls read it all the time."""
    return ChannelConfig(
        address_from_bytes(payer),
        address_from_bytes(authorizer),
        address_from_bytes(receiver),
        address_from_bytes(claimer),
        address_from_bytes(token),
        delay,
        hash32_from_bytes(salt),
    )


def voucher_of(channel: Hash32, amount: int | bytes, signature: bytes) -> VerifiedVoucher:
    """Read a voucher; what is stored was verified before it was."""
    return VerifiedVoucher(Voucher(channel, money(amount), signature))


def call_of(row: Row) -> Call:
    """Read a call from a row that begins with `CALL_COLUMNS`."""
    (number, channel, asset, state, owner, epoch, lease_until, ceiling, version, request_hash, reserved_at) = row[:11]
    finished_at, reason, charge, cumulative, inputs, cached, outputs, flagged, model, response = row[11:21]
    bill = None
    if charge is not None:
        usage = Usage(inputs, outputs, cached)
        bill = Bill(
            money(charge),
            usage,
            flagged=bool(flagged),
            model_digest=hash32_from_bytes(model),
            response_hash=hash32_from_bytes(response),
        )
    return Call(
        lease=Lease(hash32_from_bytes(number), hash32_from_bytes(channel), epoch),
        asset=asset_from_bytes(asset),
        state=CallState(state),
        owner=owner,
        lease_until=lease_until,
        ceiling=money(ceiling),
        price_card_version=version,
        request_hash=hash32_from_bytes(request_hash),
        reserved_at=reserved_at,
        finished_at=finished_at,
        reason=reason,
        bill=bill,
        cumulative=None if cumulative is None else money(cumulative),
    )


def find_channel(channel: Hash32) -> Verb[Channel]:
    """Read a channel, in a verb that changes nothing.

    Raises:
        ChannelUnknown: when there is none.
    """
    return (yield from _channel(channel, ""))


def locked_channel(channel: Hash32) -> Verb[Channel]:
    """Read a channel that nobody else changes until the commit.

    Raises:
        ChannelUnknown: when there is none.
    """
    return (yield from _channel(channel, " FOR UPDATE"))


def _channel(channel: Hash32, lock: str) -> Verb[Channel]:
    row = yield from ask_one(f"SELECT {CHANNEL_COLUMNS} FROM channels WHERE id = $1{lock}", id_to_bytes(channel))
    if row is None:
        raise channel_unknown(channel)
    return channel_of(row)
