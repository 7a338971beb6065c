"""Keys sign what eth-account signs, never show themselves, and devnet keys stay on devnets."""

import copy
import pickle
from typing import Any

import pytest
from eth_account import Account
from hypothesis import given, settings
from hypothesis import strategies as st

from usufruct.chain.keys import DEVNET_ADDRESSES, InvalidKey, KeySigner, devnet_signer, refuse_devnet_key
from usufruct.chain.keys.signer import DevnetKeyRefused
from usufruct.chain.transaction import Transaction
from usufruct.core import Address, ChainId, checksum

SECRET = bytes.fromhex("4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318")
secrets = st.integers(1, 2**255).map(lambda number: number.to_bytes(32, "big"))
addresses = st.binary(min_size=20, max_size=20).map(lambda raw: Address("0x" + raw.hex()))
wei = st.integers(0, 2**128)

DOCUMENT: dict[str, Any] = {
    "types": {
        "EIP712Domain": [{"name": "name", "type": "string"}, {"name": "chainId", "type": "uint256"}],
        "Voucher": [{"name": "channelId", "type": "bytes32"}, {"name": "maxClaimableAmount", "type": "uint128"}],
    },
    "primaryType": "Voucher",
    "domain": {"name": "x402 Batch Settlement", "chainId": 31337},
    "message": {"channelId": bytes(range(32)), "maxClaimableAmount": 5},
}


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
async def test_transactions_are_signed_as_by_eth_account(
    secret: bytes, chain_id: int, nonce: int, tip: int, max_fee: int, value: int, to: Address, data: bytes
):
    transaction = Transaction(ChainId(chain_id), nonce, tip, max_fee, 21_000, to, value, data)
    ours = await KeySigner(secret).sign_transaction(transaction)
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
    assert ours.raw == bytes(theirs.raw_transaction)
    assert ours.hash == "0x" + bytes(theirs.hash).hex()


@given(secrets, st.binary(min_size=32, max_size=32))
@settings(max_examples=30, deadline=None)
async def test_digests_are_signed_as_by_eth_account(secret: bytes, digest: bytes):
    assert await KeySigner(secret).sign_digest(digest) == bytes(Account.unsafe_sign_hash(digest, secret).signature)


async def test_typed_data_is_signed_as_by_eth_account():
    theirs = Account.sign_typed_data(SECRET, full_message=DOCUMENT)
    assert await KeySigner(SECRET).sign_typed_data(DOCUMENT) == bytes(theirs.signature)


def test_a_key_never_shows_itself():
    signer = KeySigner(SECRET)
    for shown in (repr(signer), str(signer), f"{signer}", repr([signer]), repr(vars(type(signer)))):
        assert SECRET.hex() not in shown
        assert str(SECRET) not in shown
    for copied in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError, match="not copied"):
            copied(signer)


@pytest.mark.parametrize("text", ["", "0x12", "zz" * 32, SECRET.hex() + "00", "0x" + "00" * 32, "ff" * 32])
def test_text_that_is_no_key_is_refused_without_being_shown(text: str):
    with pytest.raises(InvalidKey, match=r"roles\.relayer") as caught:
        KeySigner.from_text(text, "roles.relayer")
    assert text == "" or text not in f"{caught.value!r}{caught.value.details}"


@pytest.mark.parametrize("text", [SECRET.hex(), "0x" + SECRET.hex().upper(), f"  {SECRET.hex()}\n"])
def test_text_that_is_a_key_is_read(text: str):
    assert KeySigner.from_text(text).address == KeySigner(SECRET).address


@pytest.mark.parametrize("chain_id", [31337, 1337])
def test_devnet_keys_are_anvils(chain_id: int):
    assert tuple(devnet_signer(index, ChainId(chain_id)).address for index in range(10)) == DEVNET_ADDRESSES


@pytest.mark.parametrize("chain_id", [1, 8453, 84532, 31338])
def test_devnet_keys_are_refused_elsewhere(chain_id: int):
    with pytest.raises(DevnetKeyRefused, match=f"chain {chain_id} needs your own key"):
        devnet_signer(3, ChainId(chain_id))
    for address in DEVNET_ADDRESSES:
        with pytest.raises(DevnetKeyRefused):
            refuse_devnet_key(address, ChainId(chain_id))
    refuse_devnet_key(KeySigner(SECRET).address, ChainId(chain_id))
