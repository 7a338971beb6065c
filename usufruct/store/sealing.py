"""Secrets at rest, and promises to be known again: keys are derived from one secret, one for each purpose."""

from hashlib import sha256
from hmac import compare_digest
from hmac import digest as hmac_digest
from secrets import token_bytes

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from usufruct.core import Faulty, Invalid

_VERSION = b"\x01"
_NONCE_BYTES = 12
_SHORTEST = 16
_MARK_BYTES = 16


class Unsealable(Faulty, code="unsealable"):
    """What is stored was sealed under another secret, for another row, or was changed."""


class Stamp:
    """Marks what we said, so that any replica knows it again: HMAC-SHA256, cut to 16 bytes.

    Made with a secret of under 16 bytes, it raises `Invalid`; so does `Seal`.
    """

    def __init__(self, secret: bytes, purpose: str) -> None:
        self._key = _derived(secret, purpose)

    def mark(self, words: bytes) -> bytes:
        """Return the mark of `words`: 16 bytes."""
        return hmac_digest(self._key, words, sha256)[:_MARK_BYTES]

    def knows(self, words: bytes, mark: bytes) -> bool:
        """Tell whether `mark` is ours over `words`, in constant time."""
        return compare_digest(self.mark(words), mark)


class Seal:
    """Seals values for one purpose; `context` binds each to the row it is stored in."""

    def __init__(self, secret: bytes, purpose: str) -> None:
        self._cipher = AESGCM(_derived(secret, purpose))

    def close(self, plain: bytes, context: str) -> bytes:
        """Return version, nonce and ciphertext."""
        nonce = token_bytes(_NONCE_BYTES)
        return _VERSION + nonce + self._cipher.encrypt(nonce, plain, context.encode())

    def open(self, sealed: bytes, context: str) -> bytes:
        """Return what `close` was given.

        Raises:
            Unsealable: when secret, context or bytes differ.
        """
        start = len(_VERSION) + _NONCE_BYTES
        try:
            if not sealed.startswith(_VERSION):
                raise InvalidTag
            return self._cipher.decrypt(sealed[len(_VERSION) : start], sealed[start:], context.encode())
        except (InvalidTag, ValueError) as error:
            raise Unsealable(f"{context} cannot be unsealed; was the installation's secret changed?") from error


class MasterSecret:
    """The installation's secret, which a key is derived from for each purpose."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def seal(self, purpose: str) -> Seal:
        """Return what seals values for a purpose."""
        return Seal(self._secret, purpose)

    def stamp(self, purpose: str) -> Stamp:
        """Return what marks words for a purpose."""
        return Stamp(self._secret, purpose)


def _derived(secret: bytes, purpose: str) -> bytes:
    if len(secret) < _SHORTEST:
        message = f"{purpose}: the secret must have at least {_SHORTEST} bytes; use 32 random ones"
        raise Invalid(message, code="weak_secret")
    return HKDF(SHA256(), 32, None, purpose.encode()).derive(secret)
