"""The text of a bearer key: `uf_`, 64 hexadecimal digits of secret, 8 of checksum.

The checksum tells a typing error from an unknown key, without a look at the database. Only the SHA-256 of the secret
is stored: 256 random bits need no slow hash.
"""

from hashlib import sha256
from secrets import token_bytes

from usufruct.web import Unauthenticated

_PREFIX = "uf_"
_SECRET_BYTES = 32
_CHECKSUM_BYTES = 4


def new_bearer() -> tuple[str, bytes]:
    """Make a key; return its text, to be shown once, and the hash to store."""
    secret = token_bytes(_SECRET_BYTES)
    return _PREFIX + (secret + _checksum(secret)).hex(), sha256(secret).digest()


def bearer_hash(authorization: str) -> bytes:
    """Return the stored hash of the key in an `Authorization` header.

    Raises:
        Unauthenticated: when the header is empty or of another scheme, or what follows `Bearer` is not a key.
    """
    scheme, _, text = authorization.partition(" ")
    text = text.strip()
    if scheme.lower() != "bearer" or not text:
        message = "send your key as `Authorization: Bearer uf_...`"
        raise Unauthenticated(message, code="key_missing", field="authorization")
    try:
        raw = bytes.fromhex(text[len(_PREFIX) :]) if text.startswith(_PREFIX) else b""
    except ValueError:
        raw = b""
    secret = raw[:_SECRET_BYTES]
    if len(raw) != _SECRET_BYTES + _CHECKSUM_BYTES or raw[_SECRET_BYTES:] != _checksum(secret):
        message = "the bearer key is mistyped or cut off; copy it again, all of it"
        raise Unauthenticated(message, code="key_mistyped", field="authorization")
    return sha256(secret).digest()


def _checksum(secret: bytes) -> bytes:
    return sha256(b"usufruct bearer key" + secret).digest()[:_CHECKSUM_BYTES]
