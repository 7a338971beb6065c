"""EIP-712 by hand: the few words that vouchers, receipts and proofs need, without a general encoder's cost.

The encoding of a struct is its type hash and one 32-byte word for each field; a text's word is its hash.
"""

from functools import lru_cache

from usufruct.chain.hashing import keccak
from usufruct.core import Address, ChainId, Hash32, id_to_bytes

DOMAIN_TYPE = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"


def word(number: int) -> bytes:
    """Encode an unsigned integer of any width: 32 bytes, big-endian."""
    return number.to_bytes(32, "big")


def address_word(address: Address) -> bytes:
    """Encode an address: 12 zero bytes, then its 20."""
    return bytes(12) + id_to_bytes(address)


def hash_word(value: Hash32) -> bytes:
    """Encode a bytes32."""
    return id_to_bytes(value)


def as_hash32(value: bytes) -> Hash32:
    """Write 32 bytes as a `Hash32`."""
    return Hash32("0x" + value.hex())


def text_word(text: str) -> bytes:
    """Encode a string: its hash."""
    return keccak(text.encode())


@lru_cache(maxsize=64)
def domain_separator(name: str, version: str, chain_id: ChainId, contract: Address) -> bytes:
    """Return the separator that binds a signature to one contract on one chain: 32 bytes."""
    parts = (DOMAIN_TYPE, name, version)
    return keccak(b"".join(map(text_word, parts)) + word(chain_id) + address_word(contract))


def typed_digest(separator: bytes, struct: bytes) -> bytes:
    """Return what is signed: 32 bytes. `struct` is the type hash and the fields' words."""
    return keccak(b"\x19\x01" + separator + keccak(struct))
