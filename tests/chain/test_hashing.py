"""Addresses: the published examples, and eth-utils on random ones."""

import pytest
from eth_utils import to_checksum_address
from hypothesis import given
from hypothesis import strategies as st

from usufruct.chain import keccak
from usufruct.chain.hashing import create2_address
from usufruct.core import Address, checksum

addresses = st.binary(min_size=20, max_size=20).map(lambda raw: Address("0x" + raw.hex()))


@given(addresses)
def test_checksums_are_eip_55(address: Address):
    assert checksum(address) == to_checksum_address(address)


def test_keccak_is_not_sha3():
    assert keccak(b"").hex() == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"


@pytest.mark.parametrize(
    ("deployer", "salt", "code", "address"),
    [
        ("00" * 20, "00" * 32, "00", "0x4d1a2e2bb4f88f0250f26ffff098b0b30b26bf38"),
        ("deadbeef" + "00" * 16, "00" * 32, "00", "0xb928f69bb1d91cd65274e3c79d8986362984fda3"),
        ("00" * 16 + "deadbeef", "00" * 28 + "cafebabe", "deadbeef", "0x60f3f640a8508fc6a86d45df051962668e1e8ac7"),
        ("00" * 20, "00" * 32, "", "0xe33c0c7f7df4809055c3eba6c09cfe4baf1bd9e0"),
    ],
)
def test_create2_addresses_are_those_of_eip_1014(deployer: str, salt: str, code: str, address: str):
    assert create2_address(Address("0x" + deployer), bytes.fromhex(salt), bytes.fromhex(code)) == address
