"""Keccak, and the addresses that keys and CREATE2 give."""

import sha3

from usufruct.core import Address


def keccak(data: bytes) -> bytes:
    """Return the 32-byte Keccak-256 of `data`."""
    return bytes(sha3.keccak_256(data).digest())


def address_of_key(public_key: bytes) -> Address:
    """Return the address of an uncompressed secp256k1 public key (65 bytes, first one 0x04)."""
    return Address("0x" + keccak(public_key[1:])[-20:].hex())


def create2_address(deployer: Address, salt: bytes, init_code: bytes) -> Address:
    """Return where CREATE2 of `init_code` under a 32-byte `salt` by `deployer` puts the contract."""
    image = b"\xff" + bytes.fromhex(deployer[2:]) + salt + keccak(init_code)
    return Address("0x" + keccak(image)[-20:].hex())
