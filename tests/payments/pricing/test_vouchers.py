"""Vouchers and channel ids against the PyPI x402 package and eth_account, and every way a voucher can be wrong."""

from dataclasses import replace
from types import ModuleType

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from hypothesis import given, settings
from hypothesis import strategies as st
from x402.mechanisms.evm.batch_settlement.constants import BATCH_SETTLEMENT_ADDRESS, VOUCHER_TYPES
from x402.mechanisms.evm.batch_settlement.facilitator.utils import verify_batch_settlement_voucher_typed_data
from x402.mechanisms.evm.batch_settlement.types import ChannelConfig as TheirConfig
from x402.mechanisms.evm.batch_settlement.utils import compute_channel_id, get_batch_settlement_eip712_domain

from usufruct.chain.escrow import SETTLEMENT
from usufruct.chain.keys import InvalidSignature, KeySigner, recover_signer
from usufruct.core import UINT128_MAX, Address, ChainId, Hash32, PaymentRequired
from usufruct.payments.pricing.vouchers import (
    ChannelConfig,
    Escrow,
    Voucher,
    channel_id,
    sign_voucher,
    verify_voucher,
    voucher_digest,
)
from usufruct_client.signing import HALF_ORDER

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
addresses = st.binary(min_size=20, max_size=20).map(lambda b: Address("0x" + b.hex()))
hashes = st.binary(min_size=32, max_size=32).map(lambda b: Hash32("0x" + b.hex()))
chains = st.one_of(st.sampled_from([1, 8453, 31337]), st.integers(1, 2**64)).map(ChainId)
keys = st.integers(1, ORDER - 1).map(lambda n: n.to_bytes(32, "big"))
amounts = st.one_of(st.integers(0, 10**9), st.integers(0, UINT128_MAX), st.just(UINT128_MAX))
configs = st.builds(
    ChannelConfig, addresses, addresses, addresses, addresses, addresses, st.integers(0, 2**40 - 1), hashes
)


def theirs(config: ChannelConfig) -> TheirConfig:
    return TheirConfig(*vars(config).values())


def test_the_escrow_is_where_x402_puts_it():
    assert BATCH_SETTLEMENT_ADDRESS.lower() == SETTLEMENT


@settings(max_examples=150, deadline=None)
@given(config=configs, chain=chains)
def test_channel_ids_are_those_of_x402(config: ChannelConfig, chain: ChainId):
    assert channel_id(Escrow(chain), config) == compute_channel_id(theirs(config), chain)


@settings(max_examples=100, deadline=None)
@given(config=configs, chain=chains, key=keys, amount=amounts)
def test_what_x402_clients_sign_is_accepted_and_what_we_sign_x402_accepts(config, chain, key, amount):
    account = Account.from_key(key)
    config = replace(config, payer_authorizer=Address(account.address.lower()))
    escrow = Escrow(chain)
    channel = channel_id(escrow, config)
    message = {"channelId": bytes.fromhex(channel[2:]), "maxClaimableAmount": amount}
    domain = get_batch_settlement_eip712_domain(chain)
    signature = bytes(Account.sign_typed_data(key, domain, VOUCHER_TYPES, message).signature)
    assert verify_voucher(escrow, config, Voucher(channel, amount, signature)).signature == signature
    ours = sign_voucher(escrow, channel, amount, KeySigner(key))
    assert ours.signature == signature
    assert verify_batch_settlement_voucher_typed_data(
        signer=None,
        channel_id=channel,
        max_claimable_amount=str(amount),
        payer_authorizer=config.payer_authorizer,
        payer=config.payer,
        signature="0x" + ours.signature.hex(),
        chain_id=chain,
    )
    recovered = Account.recover_message(encode_typed_data(domain, VOUCHER_TYPES, message), signature=signature)
    assert recover_signer(voucher_digest(escrow, channel, amount), signature) == recovered.lower()


@settings(max_examples=100, deadline=None)
@given(key=keys, digest=st.binary(min_size=32, max_size=32), junk=st.binary(min_size=65, max_size=65))
def test_other_signatures_recover_as_eth_account_says_or_are_refused(key, digest, junk):
    try:
        ours = recover_signer(digest, junk)
    except InvalidSignature:
        return
    assert ours == Account._recover_hash(digest, signature=junk).lower()


@pytest.fixture
def escrow(world: ModuleType) -> Escrow:
    return world.ESCROW


def test_a_voucher_for_another_chain_contract_or_channel_is_refused(world: ModuleType, escrow: Escrow):
    voucher = world.voucher(100)
    assert verify_voucher(escrow, world.config(), voucher) == voucher
    for foreign in (Escrow(ChainId(1)), Escrow(world.CHAIN, world.TILL)):
        with pytest.raises(PaymentRequired, match="channelId"):
            verify_voucher(foreign, world.config(), voucher)
        moved = Voucher(channel_id(foreign, world.config()), 100, voucher.signature)
        with pytest.raises(PaymentRequired, match="is signed by"):
            verify_voucher(foreign, world.config(), moved)
    with pytest.raises(PaymentRequired, match="channelId"):
        verify_voucher(escrow, world.config(1), voucher)


def test_a_changed_amount_or_another_signer_is_refused(world: ModuleType, escrow: Escrow):
    with pytest.raises(PaymentRequired, match="is signed by"):
        verify_voucher(escrow, world.config(), replace(world.voucher(100), max_claimable=101))
    stranger = sign_voucher(escrow, world.channel(), 100, KeySigner(b"\x01" * 32))
    with pytest.raises(PaymentRequired, match="is signed by") as caught:
        verify_voucher(escrow, world.config(), stranger)
    assert caught.value.details["expected"] == world.SESSION.address


def test_the_high_s_twin_of_a_signature_is_refused(world: ModuleType, escrow: Escrow):
    signature = world.voucher(100).signature
    s = int.from_bytes(signature[32:64], "big")
    assert s <= HALF_ORDER
    twin = signature[:32] + (ORDER - s).to_bytes(32, "big") + bytes((55 - signature[64],))
    assert (
        Account._recover_hash(voucher_digest(escrow, world.channel(), 100), signature=twin).lower()
        == world.SESSION.address
    )
    with pytest.raises(InvalidSignature, match="high s"):
        verify_voucher(escrow, world.config(), replace(world.voucher(100), signature=twin))


@pytest.mark.parametrize("v", [0, 1, 26, 29, 255])
def test_a_v_the_chain_would_not_take_is_refused(world: ModuleType, escrow: Escrow, v: int):
    voucher = world.voucher(100)
    with pytest.raises(InvalidSignature, match="27 or 28"):
        verify_voucher(escrow, world.config(), replace(voucher, signature=voucher.signature[:64] + bytes((v,))))


@pytest.mark.parametrize(
    "signature", [b"", b"\x00" * 64, b"\x00" * 66, bytes(64) + b"\x1b", b"\xff" * 32 + bytes(32) + b"\x1b"]
)
def test_what_is_no_signature_is_refused(world: ModuleType, escrow: Escrow, signature: bytes):
    with pytest.raises(InvalidSignature):
        verify_voucher(escrow, world.config(), replace(world.voucher(100), signature=signature))


def test_a_channel_without_authorizer_is_refused(world: ModuleType, escrow: Escrow):
    config = replace(world.config(), payer_authorizer=Address("0x" + "0" * 40))
    with pytest.raises(PaymentRequired, match="payerAuthorizer"):
        verify_voucher(escrow, config, sign_voucher(escrow, channel_id(escrow, config), 1, world.SESSION))


def test_numbers_that_do_not_fit_are_refused(world: ModuleType, escrow: Escrow):
    for amount in (-1, UINT128_MAX + 1):
        with pytest.raises(PaymentRequired, match="maxClaimableAmount"):
            voucher_digest(escrow, world.channel(), amount)
