"""EIP-1559 transactions: what is signed, and what is broadcast."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from usufruct.chain.hashing import keccak
from usufruct.core import Address, ChainId, Hash32

_TYPE = b"\x02"
_Field = int | bytes | Sequence["_Field"]


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """The bytes a node takes, and the hash the chain will know them by."""

    raw: bytes
    hash: Hash32


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction before it is signed; fees in wei per gas, value in wei."""

    chain_id: ChainId
    nonce: int
    max_priority_fee: int
    max_fee: int
    gas: int
    to: Address
    value: int
    data: bytes

    def _fields(self) -> "list[_Field]":
        receiver = bytes.fromhex(self.to[2:])
        fees = [self.max_priority_fee, self.max_fee, self.gas]
        return [self.chain_id, self.nonce, *fees, receiver, self.value, self.data, []]

    def signed(self, sign: Callable[[bytes], bytes]) -> SignedTransaction:
        """Sign the transaction; `sign` makes of a 32-byte digest r, s and v (27 or 28), 65 bytes."""
        signature = sign(keccak(_TYPE + _rlp(self._fields())))
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
        raw = _TYPE + _rlp([*self._fields(), signature[64] - 27, r, s])
        return SignedTransaction(raw, Hash32("0x" + keccak(raw).hex()))


def _rlp(field: _Field) -> bytes:
    """Encode in recursive length prefix (the Ethereum yellow paper's appendix B); numbers without leading zeros."""
    if isinstance(field, int):
        field = field.to_bytes((field.bit_length() + 7) // 8, "big")
    if isinstance(field, bytes):
        return field if len(field) == 1 and field[0] < 0x80 else _length(len(field), 0x80) + field
    items = b"".join(map(_rlp, field))
    return _length(len(items), 0xC0) + items


def _length(length: int, base: int) -> bytes:
    if length < 56:
        return bytes([base + length])
    size = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([base + 55 + len(size)]) + size
