"""Signatures of externally owned accounts: 65 bytes r, s, v as the contracts take them.

What this accepts, the chain accepts: v is 27 or 28, s is in the lower half, and nothing shorter or longer is read.
"""

from usufruct.core import Address, Invalid
from usufruct_client import signing


class InvalidSignature(Invalid, code="invalid_signature"):
    """Not a signature the chain would accept for this digest."""


def recover_signer(digest: bytes, signature: bytes) -> Address:
    """Return the account that signed `digest`.

    Raises:
        InvalidSignature: for another length, v, a high s (the same signature in a second form), or no such point.
    """
    try:
        return signing.recover_signer(digest, signature)
    except ValueError as error:
        raise InvalidSignature(str(error)) from error
