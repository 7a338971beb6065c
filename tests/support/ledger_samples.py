"""Channels, vouchers, calls and bills for tests of the ledger: the fixture `world`, and `ledger_crash.py`."""

from dataclasses import replace

from usufruct.chain import keccak
from usufruct.chain.keys import KeySigner
from usufruct.core import UINT128_MAX, Address, AssetId, ChainId, Hash32, hash32_from_bytes
from usufruct.core.price_cards import PriceCard
from usufruct.payments.ledger.records import (
    AccountIdentity,
    AccountKind,
    AccountReading,
    Bill,
    IdempotencyKey,
    Opened,
    Replay,
    Reservation,
)
from usufruct.payments.ledger.service import Ledger
from usufruct.payments.pricing.charges import price_lines
from usufruct.payments.pricing.usage import Usage
from usufruct.payments.pricing.vouchers import ChannelConfig, Escrow, VerifiedVoucher, channel_id, sign_voucher
from usufruct_client.bill_lines import Line

CHAIN = ChainId(31337)
ESCROW = Escrow(CHAIN)
SESSION = KeySigner(keccak(b"session key"))
TILL = Address("0x" + "77" * 20)
TOKEN = Address("0x" + "dd" * 20)
ASSETS = (AssetId(7), AssetId(UINT128_MAX), AssetId(1 << 64))


def named(text: object) -> Hash32:
    """A 32-byte id that always belongs to the same text."""
    return hash32_from_bytes(keccak(str(text).encode()))


def config(name: object = 0) -> ChannelConfig:
    return ChannelConfig(
        payer=Address("0x" + "aa" * 20),
        payer_authorizer=SESSION.address,
        receiver=TILL,
        receiver_authorizer=TILL,
        token=TOKEN,
        withdraw_delay=86_400,
        salt=named(name),
    )


def identity(name: object = 0, payer: Address | None = None) -> AccountIdentity:
    of = config(name)
    return AccountIdentity(
        channel(name), AccountKind.ESCROW_CHANNEL, CHAIN, payer or of.payer, of.payer_authorizer, of.token
    )


def channel(name: object = 0) -> Hash32:
    return channel_id(ESCROW, config(name))


def reading(
    balance: int, name: object = 0, *, block: int = 1, claimed: int = 0, withdraw_at: int = 0, leaving: int = 0
) -> AccountReading:
    return AccountReading(identity(name), block, balance, claimed, withdraw_at, leaving)


def voucher(amount: int, name: object = 0) -> VerifiedVoucher:
    return sign_voucher(ESCROW, channel(name), amount, SESSION)


def reservation(
    call: object,
    ceiling: int,
    name: object = 0,
    *,
    promise: int | None = None,
    asset: AssetId = ASSETS[0],
    key: str | None = None,
    body: str = "body",
) -> Reservation:
    """A call's request: with a voucher over `promise`, or, without one, with the session key to sign."""
    request = Reservation(
        call=named(call),
        account=channel(name),
        asset=asset,
        ceiling=ceiling,
        price_card_version=3,
        request_hash=named(f"request of {call}"),
        idempotency=None if key is None else IdempotencyKey(key, named(body)),
    )
    if promise is None:
        return replace(request, sign=lambda amount: voucher(amount, name))
    return replace(request, voucher=voucher(promise, name))


def lines(charge: int, output: int = 64) -> tuple[Line, ...]:
    """Text tokens at no price, and a call that costs the charge."""
    return price_lines(Usage(212, output, 200).quantities, PriceCard(0, 0, charge, 4_096, 3))


def bill(charge: int, *, output: int = 64) -> Bill:
    return Bill(charge, lines(charge, output), flagged=False, model_digest=named("model"), response_hash=named(charge))


async def open_call(ledger: Ledger, request: Reservation) -> Opened | Replay:
    """Open a call and wait until it is durable."""
    answer = await ledger.open(request)
    if isinstance(answer, Opened):
        await answer.durable()
    return answer
