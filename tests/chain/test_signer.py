"""Keys sign what eth-account signs, never show themselves, and devnet keys stay on devnets."""

import copy
import pickle

import pytest
from eth_account import Account
from hypothesis import given, settings
from hypothesis import strategies as st

from usufruct.chain import Call, keccak
from usufruct.chain.fees import Offer
from usufruct.chain.keys import DEVNET_ADDRESSES, InvalidKey, KeySigner, devnet_signer, refuse_devnet_key
from usufruct.chain.transaction import signed_transaction
from usufruct.core import Address, ChainId, Denied, checksum

SECRET = bytes.fromhex("4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318")
secrets = st.integers(1, 2**255).map(lambda number: number.to_bytes(32, "big"))
addresses = st.binary(min_size=20, max_size=20).map(lambda raw: Address("0x" + raw.hex()))
wei = st.integers(0, 2**128)


@given(secrets)
@settings(max_examples=30)
def test_addresses_are_those_of_eth_account(secret: bytes):
    assert checksum(KeySigner(secret).address) == Account.from_key(secret).address


@given(
    secrets,
    st.integers(1, 2**64),
    st.integers(0, 2**63),
    wei,
    wei,
    wei,
    addresses,
    st.binary(max_size=300) | st.binary(min_size=70_000, max_size=70_001),
)
@settings(max_examples=60, deadline=None)
def test_transactions_are_signed_as_by_eth_account(
    secret: bytes, chain_id: int, nonce: int, tip: int, max_fee: int, value: int, to: Address, data: bytes
):
    offer, call = Offer(max_fee, tip), Call(to, data, value)
    ours = signed_transaction(ChainId(chain_id), nonce, offer, 21_000, call, KeySigner(secret).sign)
    fields = {
        "type": 2,
        "chainId": chain_id,
        "nonce": nonce,
        "maxPriorityFeePerGas": tip,
        "maxFeePerGas": max_fee,
        "gas": 21_000,
        "to": checksum(to),
        "value": value,
        "data": data,
    }
    theirs = Account.sign_transaction(fields, secret)
    assert ours == bytes(theirs.raw_transaction)
    assert keccak(ours) == bytes(theirs.hash)


@given(secrets, st.binary(min_size=32, max_size=32))
@settings(max_examples=30, deadline=None)
def test_digests_are_signed_as_by_eth_account(secret: bytes, digest: bytes):
    assert KeySigner(secret).sign(digest) == bytes(Account.unsafe_sign_hash(digest, secret).signature)


def test_a_key_never_shows_itself():
    signer = KeySigner(SECRET)
    for shown in (repr(signer), str(signer), f"{signer}", repr([signer]), repr(vars(type(signer)))):
        assert SECRET.hex() not in shown
        assert str(SECRET) not in shown
    for copied in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError, match="not copied"):
            copied(signer)


@pytest.mark.parametrize("secret", [b"", b"\x12", SECRET + b"\0", bytes(32), b"\xff" * 32])
def test_bytes_that_are_no_key_are_refused_without_being_shown(secret: bytes):
    with pytest.raises(InvalidKey) as caught:
        KeySigner(secret)
    assert secret == b"" or secret.hex() not in f"{caught.value!r}{caught.value.details}"


@pytest.mark.parametrize("chain_id", [31337, 1337])
def test_devnet_keys_are_anvils(chain_id: int):
    assert tuple(devnet_signer(index, ChainId(chain_id)).address for index in range(10)) == DEVNET_ADDRESSES


@pytest.mark.parametrize("chain_id", [1, 8453, 84532, 31338])
def test_devnet_keys_are_refused_elsewhere(chain_id: int):
    with pytest.raises(Denied, match=f"chain {chain_id} needs your own key"):
        devnet_signer(3, ChainId(chain_id))
    for address in DEVNET_ADDRESSES:
        with pytest.raises(Denied, match="publicly known devnet key"):
            refuse_devnet_key(address, ChainId(chain_id))
    refuse_devnet_key(KeySigner(SECRET).address, ChainId(chain_id))
