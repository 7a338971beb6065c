"""Addresses and hashes as types of their own, and EIP-55's checksum; nothing but Keccak is imported."""

from functools import lru_cache
from typing import NewType

import sha3

Address = NewType("Address", str)
"""20 bytes as `0x` and 40 lowercase hex digits; compare with `==`. `checksum` writes it for display."""

Hash32 = NewType("Hash32", str)
"""32 bytes as `0x` and 64 lowercase hex digits: channel ids, transaction hashes, digests."""


@lru_cache(maxsize=4096)
def checksum(address: str) -> str:
    """Write an address in EIP-55's mixed case: for people and for files they read; compare `Address`es instead."""
    digits = address[2:]
    marks = sha3.keccak_256(digits.encode()).hexdigest()
    return "0x" + "".join(d.upper() if int(m, 16) >= 8 else d for d, m in zip(digits, marks, strict=False))


def is_mistyped(address: str) -> bool:
    """Tell whether an address is in mixed case and its EIP-55 checksum does not hold: a character of it is wrong."""
    digits = address[2:]
    return digits not in (digits.lower(), digits.upper()) and address != checksum(address.lower())
