"""Addresses and hashes as types of their own, Keccak, and EIP-55's checksum."""

from functools import lru_cache
from typing import NewType

import sha3

Address = NewType("Address", str)
"""20 bytes as `0x` and 40 lowercase hex digits; compare with `==`. `checksum` writes it for display."""

Hash32 = NewType("Hash32", str)
"""32 bytes as `0x` and 64 lowercase hex digits: channel ids, transaction hashes, digests."""

_MOST_REMEMBERED = 4096


def keccak(data: bytes) -> bytes:
    """Return the 32-byte Keccak-256 of `data`."""
    return bytes(sha3.keccak_256(data).digest())


@lru_cache(maxsize=_MOST_REMEMBERED)
def id_to_bytes(value: Address | Hash32) -> bytes:
    """Return the 20 bytes of an address, or the 32 bytes of a hash."""
    return bytes.fromhex(value[2:])


def address_of_key(public_key: bytes) -> Address:
    """Return the address of an uncompressed secp256k1 public key (65 bytes, first one 0x04)."""
    return Address("0x" + keccak(public_key[1:])[-20:].hex())


@lru_cache(maxsize=_MOST_REMEMBERED)
def checksum(address: str) -> str:
    """Write an address in EIP-55's mixed case: for people and for files they read; compare `Address`es instead."""
    digits = address[2:].lower()
    marks = keccak(digits.encode()).hex()
    return "0x" + "".join(d.upper() if int(m, 16) >= 8 else d for d, m in zip(digits, marks, strict=False))


def is_mistyped(address: str) -> bool:
    """Tell whether an address is in mixed case and its EIP-55 checksum does not hold: a character of it is wrong."""
    digits = address[2:]
    return digits not in (digits.lower(), digits.upper()) and address != checksum(address)
