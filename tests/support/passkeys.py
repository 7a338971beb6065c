"""Passkeys in software, and what a browser and an authenticator answer with them."""

import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from usufruct.accounts.passkeys import typed_digest
from usufruct.chain import Call
from usufruct.chain.codec import encode
from usufruct.core import Address, ChainId, address
from usufruct_client.eip712_messages import DEPOSIT, Domain, MessageType
from usufruct_client.typed_data import MessageHasher, domain_separator

BATCH_MODE = b"\x01" + bytes(31)
CURVE_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
PRESENT, VERIFIED, HAS_CREDENTIAL = 0x01, 0x04, 0x40


@dataclass
class Answer:
    """What a browser's `create` or `get` answers; `signature` in DER."""

    authenticator_data: bytes
    client_data: bytes
    signature: bytes = b""

    def body(self, **more: object) -> dict[str, object]:
        """Return it as our requests carry it."""
        found = {"authenticatorData": hexed(self.authenticator_data), "clientData": hexed(self.client_data)}
        return found | ({"signature": hexed(self.signature)} if self.signature else {}) | more


class SoftwarePasskey:
    """A P-256 key that answers as an authenticator does, in a browser at `site`."""

    def __init__(self, secret: int, site: str = "https://example.org") -> None:
        self._key = ec.derive_private_key(secret, ec.SECP256R1())
        self.credential = sha256(b"credential %d" % secret).digest()
        self.site = site
        self.flags = PRESENT | VERIFIED
        self.high_s = False

    @property
    def key(self) -> bytes:
        """The public key: x and y."""
        numbers = self._key.public_key().public_numbers()
        return numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")

    def signer(self, verifier: Address) -> bytes:
        """The signer's ERC-7913 bytes."""
        return bytes.fromhex(verifier[2:]) + self.key

    def create(self, challenge: bytes) -> Answer:
        """Answer as `navigator.credentials.create` does."""
        x, y = self.key[:32], self.key[32:]
        cose = bytes.fromhex("a5010203262001215820") + x + bytes.fromhex("225820") + y
        attested = bytes(16) + len(self.credential).to_bytes(2, "big") + self.credential + cose
        data = self._head(self.flags | HAS_CREDENTIAL) + attested
        return Answer(data, self._client_data("webauthn.create", challenge))

    def get(self, challenge: bytes) -> Answer:
        """Answer as `navigator.credentials.get` does; s is high or low as told."""
        data, client_data = self._head(self.flags), self._client_data("webauthn.get", challenge)
        r, s = decode_dss_signature(self._key.sign(data + sha256(client_data).digest(), ec.ECDSA(SHA256())))
        low = min(s, CURVE_ORDER - s)
        return Answer(data, client_data, encode_dss_signature(r, CURVE_ORDER - low if self.high_s else low))

    def sign(self, verifier: Address, challenge: bytes) -> bytes:
        """The account's signature: which signer, and the assertion over a 32-byte hash."""
        answer = self.get(challenge)
        r, s = decode_dss_signature(answer.signature)
        proof = encode(
            ("bytes32", "bytes32", "uint256", "uint256", "bytes", "string"),
            (
                r.to_bytes(32, "big"),
                s.to_bytes(32, "big"),
                answer.client_data.index(b'"challenge"'),
                answer.client_data.index(b'"type"'),
                answer.authenticator_data,
                answer.client_data.decode(),
            ),
        )
        return encode(("bytes[]", "bytes[]"), ((self.signer(verifier),), (proof,)))

    def _head(self, flags: int) -> bytes:
        return sha256((urlsplit(self.site).hostname or "").encode()).digest() + bytes([flags]) + bytes(4)

    def _client_data(self, kind: str, challenge: bytes) -> bytes:
        text = urlsafe_b64encode(challenge).rstrip(b"=").decode()
        content = {"type": kind, "challenge": text, "origin": self.site, "crossOrigin": False}
        return json.dumps(content, separators=(",", ":")).encode()


def deposit_digest(document: dict[str, Any], account: Address) -> bytes:
    """Return what a browser hashes of a deposit's document."""
    return document_digest(document, DEPOSIT, account)


def document_digest(document: dict[str, Any], kind: MessageType, account: Address) -> bytes:
    """Return what a browser hashes of a document of a kind."""
    domain, message = document["domain"], document["message"]
    chain_id = ChainId(domain["chainId"])
    place = address(domain["verifyingContract"])
    separator = domain_separator(Domain(domain["name"], domain["version"]), chain_id, place)
    values = [_value(solidity, message[name]) for solidity, name in kind.fields]
    contents = MessageHasher(kind).struct_hash(*values)
    return typed_digest(chain_id, account, kind, separator, contents)


def _value(solidity: str, text: str) -> str | int:
    if solidity.startswith("uint"):
        return int(text)
    return text.lower() if solidity == "address" else text


def hexed(content: bytes) -> str:
    """Write bytes as `0x` and hex."""
    return "0x" + content.hex()


def batch(*calls: Call) -> bytes:
    """What the account's `execute` takes as execution data."""
    return encode(("(address,uint256,bytes)[]",), (tuple((call.to, call.value, call.data) for call in calls),))
