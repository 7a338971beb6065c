"""EIP-1559 transactions: what is signed, and what is broadcast."""

from dataclasses import dataclass

import rlp  # type: ignore[import-untyped]

from usufruct.chain.hashing import keccak
from usufruct.core import Address, ChainId, Hash32

_TYPE = b"\x02"


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

    def _fields(self) -> list[object]:
        receiver = bytes.fromhex(self.to[2:])
        fees = [self.max_priority_fee, self.max_fee, self.gas]
        return [self.chain_id, self.nonce, *fees, receiver, self.value, self.data, []]

    def digest(self) -> bytes:
        """Return the 32 bytes to sign."""
        return keccak(_TYPE + rlp.encode(self._fields()))

    def signed(self, signature: bytes) -> SignedTransaction:
        """Join a 65-byte signature (r, s, v of 27 or 28) to the transaction."""
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
        raw = _TYPE + rlp.encode([*self._fields(), signature[64] - 27, r, s])
        return SignedTransaction(raw, Hash32("0x" + keccak(raw).hex()))
