"""Stored answers are encrypted: they are the only place where what a model said is kept."""

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from usufruct.core import Hash32, Unavailable

_NONCE = 12


class AnswerUnreadable(Unavailable):
    """A stored answer that this secret does not open: it was changed, or damaged."""

    code = "answer_unreadable"


class AnswerVault:
    """Seals answers with AES-256-GCM under a key derived from the configured secret, each bound to its call."""

    def __init__(self, secret: str) -> None:
        self._cipher = AESGCM(HKDF(SHA256(), 32, salt=None, info=b"usufruct stored answers").derive(secret.encode()))

    def seal(self, call: Hash32, answer: bytes) -> bytes:
        """Encrypt an answer."""
        nonce = secrets.token_bytes(_NONCE)
        return nonce + self._cipher.encrypt(nonce, answer, call.encode())

    def open(self, call: Hash32, sealed: bytes) -> bytes:
        """Decrypt an answer.

        Raises:
            AnswerUnreadable: when it was sealed under another secret or for another call, or changed since.
        """
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], call.encode())
        except InvalidTag as error:
            raise AnswerUnreadable(
                f"the stored answer of call {call} does not open; was ledger.answer_secret changed?", call=call
            ) from error
