"""EIP-1559 transactions: what is signed, and what is broadcast."""

from collections.abc import Callable, Sequence

from usufruct.chain.contract_base import Call
from usufruct.chain.fees import Offer
from usufruct.chain.hashing import keccak
from usufruct.core import ChainId

_TYPE = b"\x02"
_Field = int | bytes | Sequence["_Field"]


def signed_transaction(
    chain_id: ChainId, nonce: int, offer: Offer, gas: int, call: Call, sign: Callable[[bytes], bytes]
) -> bytes:
    """Return the bytes a node takes; `sign` makes of a 32-byte digest r, s and v (27 or 28), 65 bytes."""
    fields: list[_Field] = [chain_id, nonce, offer.tip, offer.max_fee, gas, bytes.fromhex(call.to[2:]), call.value]
    fields += [call.data, []]
    signature = sign(keccak(_TYPE + _rlp(fields)))
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
    return _TYPE + _rlp([*fields, signature[64] - 27, r, s])


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
