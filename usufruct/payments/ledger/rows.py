"""Rows to records, and the ids in between."""

from functools import lru_cache

from usufruct.core import Address, AssetId, ChainId, Hash32
from usufruct.payments.errors import channel_unknown
from usufruct.payments.ledger.backend import Row, Verb, ask_one
from usufruct.payments.ledger.records import Bill, Call, Channel, ChannelReading, Lease
from usufruct.payments.model import CallState, Usage
from usufruct.payments.voucher import ChannelConfig, VerifiedVoucher, Voucher
from usufruct.store import amount_from_blob

CHANNEL_COLUMNS = (
    "id, chain_id, payer, payer_authorizer, receiver, receiver_authorizer, token, withdraw_delay, salt, block, "
    "balance, total_claimed, total_split, withdraw_at, charged, reserved, refunding, voucher_amount, voucher_signature"
)
CALL_COLUMNS = (
    "id, channel_id, asset, state, owner, epoch, lease_until, ceiling, price_card_version, request_hash, reserved_at, "
    "finished_at, reason, charge, cumulative, input_tokens, output_tokens, flagged, model_digest, response_hash"
)


def money(value: int | bytes) -> int:
    """Read a money column of either database."""
    return amount_from_blob(value) if isinstance(value, bytes) else value


def asset_text(asset: AssetId) -> str:
    """Write an asset as its column keeps it: `0x` and 32 hex digits."""
    return f"0x{asset:032x}"


def asset_of(text: str) -> AssetId:
    """Read what `asset_text` wrote."""
    return AssetId(int(text, 16))


def channel_of(row: Row) -> Channel:
    """Read a channel from a row of `CHANNEL_COLUMNS`."""
    number, chain, *config, block, balance, claimed, split, withdraw_at, charged, reserved, refunding, best, signed = (
        row
    )
    channel = Hash32(number)
    return Channel(
        reading=ChannelReading(
            channel, ChainId(chain), _config(*config), block, money(balance), money(claimed), withdraw_at
        ),
        total_split=money(split),
        charged=money(charged),
        reserved=money(reserved),
        refunding=money(refunding),
        voucher=None if signed is None else voucher_of(channel, best, signed),
    )


@lru_cache(maxsize=1 << 14)
def _config(
    payer: str, authorizer: str, receiver: str, claimer: str, token: str, delay: int, salt: str
) -> ChannelConfig:
    """Make a channel's configuration once: it never changes, and calls read it all the time."""
    return ChannelConfig(
        Address(payer), Address(authorizer), Address(receiver), Address(claimer), Address(token), delay, Hash32(salt)
    )


def voucher_of(channel: Hash32, amount: int | bytes, signature: bytes) -> VerifiedVoucher:
    """Read a voucher; what is stored was verified before it was."""
    return VerifiedVoucher(Voucher(channel, money(amount), signature))


def call_of(row: Row) -> Call:
    """Read a call from a row that begins with `CALL_COLUMNS`."""
    (number, channel, asset, state, owner, epoch, lease_until, ceiling, version, request_hash, reserved_at) = row[:11]
    finished_at, reason, charge, cumulative, inputs, outputs, flagged, model, response = row[11:20]
    bill = None
    if charge is not None:
        usage = Usage(inputs, outputs)
        bill = Bill(money(charge), usage, flagged=bool(flagged), model_digest=model, response_hash=response)
    return Call(
        lease=Lease(Hash32(number), Hash32(channel), epoch),
        asset=asset_of(asset),
        state=CallState(state),
        owner=owner,
        lease_until=lease_until,
        ceiling=money(ceiling),
        price_card_version=version,
        request_hash=Hash32(request_hash),
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
    row = yield from ask_one(f"SELECT {CHANNEL_COLUMNS} FROM channels WHERE id = $1{lock}", channel)
    if row is None:
        raise channel_unknown(channel)
    return channel_of(row)
