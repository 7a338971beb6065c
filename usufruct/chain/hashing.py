"""Keccak, 32-byte words, selectors, and the addresses that keys and CREATE2 give."""

from functools import lru_cache

from usufruct.core import Address
from usufruct_client.identifiers import address_of_key, keccak
from usufruct_client.typed_data import word

__all__ = ["address_of_key", "create2_address", "keccak", "word"]


@lru_cache(maxsize=1024)
def selector(signature: str) -> bytes:
    """Return the four bytes that name a function or an error by its signature, such as "transfer(address,uint256)"."""
    return keccak(signature.encode())[:4]


def create2_address(deployer: Address, salt: bytes, init_code: bytes) -> Address:
    """Return where CREATE2 of `init_code` under a 32-byte `salt` by `deployer` puts the contract."""
    image = b"\xff" + bytes.fromhex(deployer[2:]) + salt + keccak(init_code)
    return Address("0x" + keccak(image)[-20:].hex())
