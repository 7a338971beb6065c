"""WebAuthn, as much of it as passkey accounts need: ES256, the answers of `create` and `get`, their checks.

https://www.w3.org/TR/webauthn-3/. No attestation is asked for: which device made a passkey does not matter here.
"""

import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from usufruct.chain.codec import encode
from usufruct.core import Denied

CREATE, GET = "webauthn.create", "webauthn.get"
PRESENT, VERIFIED, HAS_CREDENTIAL = 0x01, 0x04, 0x40
KEY_BYTES = 64
"""Of a public key: x and y."""

CURVE_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

_HASH_BYTES, _HEAD_BYTES, _AAGUID_BYTES = 32, 37, 16
_LONGEST_ID = 1_023
_ES256_KEY = (bytes.fromhex("a5010203262001215820"), bytes.fromhex("225820"))
"""COSE's key of ES256 as CTAP2 writes it, before x and before y."""


class PasskeyRefused(Denied, code="passkey_refused"):
    """A passkey's answer is not one that is taken here; names the field."""


class PasskeyUnknown(Denied, code="passkey_unknown"):
    """A passkey is not known here; its account's address would find it on the chain."""


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """The site that passkeys are made for, such as `https://ai.example.org`; `id` is its host."""

    origin: str

    @classmethod
    def of(cls, url: str) -> "RelyingParty":
        """Return the site of an address, without its path."""
        parts = urlsplit(url)
        return cls(f"{parts.scheme}://{parts.netloc}")

    @property
    def id(self) -> str:
        """The host name that passkeys are bound to."""
        return urlsplit(self.origin).hostname or ""

    @property
    def fits(self) -> bool:
        """Whether browsers make passkeys here: at a name over HTTPS, or at `localhost`."""
        if self.id == "localhost":
            return True
        is_name = any(letter.isalpha() for letter in self.id) and ":" not in self.id
        return self.origin.startswith("https://") and is_name

    @property
    def at_localhost(self) -> str:
        """The same server, as this machine's browsers reach it by name."""
        port = urlsplit(self.origin).port
        return f"http://localhost{f':{port}' if port else ''}"

    def check(self) -> None:
        """Refuse a site where browsers make no passkeys.

        Raises:
            PasskeyRefused: names an address that works.
        """
        if not self.fits:
            raise PasskeyRefused(
                f"browsers make no passkeys at {self.origin}: open {self.at_localhost} on this machine, or use a name "
                "with https",
                code="passkey_site",
                field="host",
            )


@dataclass(frozen=True, slots=True)
class Assertion:
    """A passkey's signature over a challenge: what `navigator.credentials.get` answers; r and s are numbers."""

    authenticator_data: bytes
    client_data: bytes
    r: int
    s: int

    @classmethod
    def of_der(cls, authenticator_data: bytes, client_data: bytes, signature: bytes) -> "Assertion":
        """Return an assertion whose signature is in DER, as browsers give it, with s made low.

        Raises:
            PasskeyRefused: when it is not DER.
        """
        try:
            r, s = decode_dss_signature(signature)
        except ValueError:
            raise PasskeyRefused("the signature is not in DER; send the browser's answer", field="signature") from None
        return cls(authenticator_data, client_data, r, s).normalized()

    def normalized(self) -> "Assertion":
        """Return the same with s in the lower half of the curve's order, as the chain takes it."""
        return Assertion(self.authenticator_data, self.client_data, self.r, min(self.s, CURVE_ORDER - self.s))

    def is_by(self, key: bytes, challenge: bytes, site: RelyingParty) -> bool:
        """Tell whether `check` takes it as this key's."""
        try:
            self.check(key, challenge, site)
        except PasskeyRefused:
            return False
        return True

    def check(self, key: bytes, challenge: bytes, site: RelyingParty) -> None:
        """Refuse what `key` (64 bytes) did not sign for this challenge, at this site, with its user verified.

        Raises:
            PasskeyRefused: says what is wrong.
        """
        check_client_data(self.client_data, GET, challenge, site)
        check_authenticator_data(self.authenticator_data, site)
        signed = self.authenticator_data + sha256(self.client_data).digest()
        try:
            _public_key(key).verify(encode_dss_signature(self.r, self.s), signed, ec.ECDSA(SHA256()))
        except (InvalidSignature, ValueError):
            raise PasskeyRefused("the passkey did not sign this; try again", field="signature") from None

    def proof(self, challenge: bytes) -> bytes:
        """Return the assertion as an account takes it.

        Raises:
            PasskeyRefused: when the browser wrote its client data in another form than the chain reads.
        """
        at = self.client_data.find(b'"challenge":"' + encoded(challenge).encode() + b'"')
        kind = self.client_data.find(b'"type":"' + GET.encode() + b'"')
        if at < 0 or kind < 0:
            raise PasskeyRefused("the browser's client data is in a form that the chain does not read", field="client")
        kinds = ("bytes32", "bytes32", "uint256", "uint256", "bytes", "string")
        words = (number.to_bytes(32, "big") for number in (self.r, self.s))
        return encode(kinds, (*words, at, kind, self.authenticator_data, self.client_data.decode()))


def encoded(challenge: bytes) -> str:
    """Return bytes as client data writes them: base64url without padding."""
    return urlsafe_b64encode(challenge).rstrip(b"=").decode()


def check_client_data(content: bytes, kind: str, challenge: bytes, site: RelyingParty) -> None:
    """Refuse client data of another kind, challenge or origin, or of a frame in another site's page.

    Raises:
        PasskeyRefused: says which.
    """
    try:
        found: Any = json.loads(content)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise PasskeyRefused("client data is not a JSON object; send the browser's answer", field="client")
    if found.get("type") != kind:
        raise PasskeyRefused(f"the answer is not of {kind}; send the browser's answer", field="client")
    if found.get("challenge") != encoded(challenge):
        raise PasskeyRefused("the passkey signed another challenge; try again", field="challenge")
    if found.get("origin") != site.origin or found.get("crossOrigin") or "topOrigin" in found:
        message = f"the passkey was used at {str(found.get('origin'))[:100]}, and this is {site.origin}"
        raise PasskeyRefused(message, field="origin")


def check_authenticator_data(data: bytes, site: RelyingParty) -> None:
    """Refuse authenticator data of another site, or without its user present and verified (finger, face, PIN).

    Raises:
        PasskeyRefused: says which.
    """
    if len(data) < _HEAD_BYTES:
        raise PasskeyRefused("authenticator data is cut off; send the browser's answer", field="authenticator")
    if data[:_HASH_BYTES] != sha256(site.id.encode()).digest():
        raise PasskeyRefused(f"the passkey belongs to another site than {site.id}", field="authenticator")
    if not data[_HASH_BYTES] & PRESENT or not data[_HASH_BYTES] & VERIFIED:
        message = "the device did not verify its user; set up a finger, a face or a PIN, and try again"
        raise PasskeyRefused(message, code="passkey_unverified", field="authenticator")


@dataclass(frozen=True, slots=True)
class NewPasskey:
    """A passkey that a browser made: its credential id, and its public key (x and y)."""

    credential: bytes
    key: bytes

    @classmethod
    def read(cls, authenticator_data: bytes, client_data: bytes, challenge: bytes, site: RelyingParty) -> "NewPasskey":
        """Read what `navigator.credentials.create` answers.

        Raises:
            PasskeyRefused: when it is not for this challenge and site, or not a key of ES256.
        """
        check_client_data(client_data, CREATE, challenge, site)
        check_authenticator_data(authenticator_data, site)
        if not authenticator_data[_HASH_BYTES] & HAS_CREDENTIAL:
            raise PasskeyRefused("the answer holds no new passkey; send the browser's answer", field="authenticator")
        rest = authenticator_data[_HEAD_BYTES + _AAGUID_BYTES :]
        length = int.from_bytes(rest[:2], "big")
        credential, key = rest[2 : 2 + length], rest[2 + length :]
        before_x, before_y = _ES256_KEY
        x = key[len(before_x) :][:32]
        y = key[len(before_x) + 32 + len(before_y) :][:32]
        if not 0 < len(credential) == length <= _LONGEST_ID or not key.startswith(before_x + x + before_y + y):
            raise PasskeyRefused("the passkey's key is not one of ES256", field="authenticator")
        try:
            _public_key(x + y)
        except ValueError:
            raise PasskeyRefused("the passkey's key is not on the curve P-256", field="authenticator") from None
        return cls(credential, x + y)


def _public_key(key: bytes) -> ec.EllipticCurvePublicKey:
    """Return a public key; raises ValueError when it is not on the curve."""
    if len(key) != KEY_BYTES:
        raise ValueError("a public key has 64 bytes")
    x, y = int.from_bytes(key[:32], "big"), int.from_bytes(key[32:], "big")
    return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
