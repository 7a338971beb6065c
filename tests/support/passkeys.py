"""Passkeys in software, and the operations that they sign."""

import json
from base64 import urlsafe_b64encode
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from usufruct.chain import Call
from usufruct.chain.codec import encode
from usufruct.core import Address

BATCH_MODE = b"\x01" + bytes(31)
CURVE_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class SoftwarePasskey:
    """A P-256 key that answers as an authenticator does."""

    def __init__(self, secret: int) -> None:
        self._key = ec.derive_private_key(secret, ec.SECP256R1())

    def signer(self, verifier: Address) -> bytes:
        """The signer's ERC-7913 bytes."""
        numbers = self._key.public_key().public_numbers()
        return bytes.fromhex(verifier[2:]) + numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")

    def sign(self, verifier: Address, challenge: bytes) -> bytes:
        """The account's signature: which signer, and the assertion over a 32-byte hash."""
        data = sha256(b"example.org").digest() + b"\x05" + bytes(4)  # user present, user verified
        text = urlsafe_b64encode(challenge).rstrip(b"=").decode()
        client_data = json.dumps(
            {"type": "webauthn.get", "challenge": text, "origin": "https://example.org"}, separators=(",", ":")
        )
        signed = data + sha256(client_data.encode()).digest()
        r, s = decode_dss_signature(self._key.sign(signed, ec.ECDSA(SHA256())))
        proof = encode(
            ("bytes32", "bytes32", "uint256", "uint256", "bytes", "string"),
            (
                r.to_bytes(32, "big"),
                min(s, CURVE_ORDER - s).to_bytes(32, "big"),
                client_data.index('"challenge"'),
                client_data.index('"type"'),
                data,
                client_data,
            ),
        )
        return encode(("bytes[]", "bytes[]"), ((self.signer(verifier),), (proof,)))


def batch(*calls: Call) -> bytes:
    """What the account's `execute` takes as execution data."""
    return encode(("(address,uint256,bytes)[]",), (tuple((call.to, call.value, call.data) for call in calls),))
