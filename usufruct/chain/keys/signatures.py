"""Signatures of externally owned accounts: 65 bytes r, s, v as the contracts take them.

What this accepts, the chain accepts: v is 27 or 28, s is in the lower half, and nothing shorter or longer is read.
"""

from coincurve import PublicKey

from usufruct.chain.hashing import address_of_key
from usufruct.core import Address, Invalid

HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0


class InvalidSignature(Invalid):
    """Not a signature the chain would accept for this digest."""

    code = "invalid_signature"


def recover_signer(digest: bytes, signature: bytes) -> Address:
    """Return the account that signed `digest`.

    Raises:
        InvalidSignature: for another length, v, a high s (the same signature in a second form), or no such point.
    """
    if len(signature) != 65:
        raise InvalidSignature(f"signature must be 65 bytes (r, s, v), not {len(signature)}", length=len(signature))
    if signature[64] not in (27, 28):
        raise InvalidSignature(f"signature's last byte (v) must be 27 or 28, not {signature[64]}", v=signature[64])
    if int.from_bytes(signature[32:64], "big") > HALF_ORDER:
        raise InvalidSignature("signature has a high s; use the lower one of the two equivalent forms")
    try:
        key = PublicKey.from_signature_and_message(signature[:64] + bytes((signature[64] - 27,)), digest, hasher=None)
    except Exception as error:  # coincurve raises bare Exception when no key fits
        raise InvalidSignature("signature fits no key: r or s is out of range") from error
    return address_of_key(key.format(compressed=False))
