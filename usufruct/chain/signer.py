"""Keys that sign: a keystore file, a configured secret, or a devnet's well-known keys. Secrets never show.

A key service (KMS) implements `Signer` with two things of its own, `address` and `sign_digest`; `DigestSigner` adds
the rest. Digests of vouchers are made in `payments`, which signs thousands of them a second.
"""

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import orjson
from coincurve import PrivateKey

from usufruct.chain.hashing import address_of_key, keccak
from usufruct.chain.transaction import SignedTransaction, Transaction
from usufruct.core import Address, ChainId, Denied, Invalid, NotFound, recursion_limit_kept
from usufruct.core import address as read_address

with recursion_limit_kept():
    from eth_account.hdaccount import key_from_seed, seed_from_mnemonic
    from eth_account.messages import encode_typed_data
    from eth_keyfile.keyfile import create_keyfile_json, decode_keyfile_json

DEVNET_CHAINS = frozenset({ChainId(31337), ChainId(1337)})
"""The chain ids on which keys that everybody knows may sign."""

_DEVNET_MNEMONIC = "test test test test test test test test test test test junk"

DEVNET_ADDRESSES = (
    Address("0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"),
    Address("0x70997970c51812dc3a010c7d01b50e0d17dc79c8"),
    Address("0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc"),
    Address("0x90f79bf6eb2c4f870365e785982e1f101e93b906"),
    Address("0x15d34aaf54267db7d7c367839aaf71a00a2c6a65"),
    Address("0x9965507d1a55bcc2695c58ba16fb37d819b0a4dc"),
    Address("0x976ea74026e726554db657fa54763abd0c3a0aa9"),
    Address("0x14dc79964da2c08b23698b3d3cc7ca32193d9955"),
    Address("0x23618e81e3f5cdf7f54c3d65f7fbc0abf5b21e8f"),
    Address("0xa0ee7a142d267c1f36714e4a8f75612f20a79720"),
)
"""The accounts anvil fills at start, in order."""


class DevnetKeyRefused(Denied):
    """A key that everybody knows was to be used where money is real."""

    code = "devnet_key_refused"


class InvalidKey(Invalid):
    """A secret that is no secp256k1 key, or a keystore that the password does not open."""

    code = "invalid_key"


class KeystoreMissing(NotFound):
    """No keystore file where one should be."""

    code = "keystore_missing"


class Signer(Protocol):
    """What can sign as one address."""

    @property
    def address(self) -> Address:
        """Return the address it signs as."""

    async def sign_digest(self, digest: bytes) -> bytes:
        """Sign a 32-byte digest; returns r, s and v (27 or 28), 65 bytes."""

    async def sign_transaction(self, transaction: Transaction) -> SignedTransaction:
        """Sign a transaction."""

    async def sign_typed_data(self, document: Mapping[str, Any]) -> bytes:
        """Sign an EIP-712 document (`types`, `primaryType`, `domain`, `message`), 65 bytes."""


class DigestSigner(ABC):
    """Signs everything by signing its digest."""

    __slots__ = ()

    @property
    @abstractmethod
    def address(self) -> Address:
        """Return the address it signs as."""

    @abstractmethod
    async def sign_digest(self, digest: bytes) -> bytes:
        """Sign a 32-byte digest; returns r, s and v (27 or 28), 65 bytes."""

    async def sign_transaction(self, transaction: Transaction) -> SignedTransaction:
        """Sign a transaction."""
        return transaction.signed(await self.sign_digest(transaction.digest()))

    async def sign_typed_data(self, document: Mapping[str, Any]) -> bytes:
        """Sign an EIP-712 document (`types`, `primaryType`, `domain`, `message`), 65 bytes."""
        message = encode_typed_data(full_message=dict(document))
        return await self.sign_digest(keccak(b"\x19" + message.version + message.header + message.body))


class KeySigner(DigestSigner):
    """A private key in this process's memory."""

    __slots__ = ("_address", "_key")

    def __init__(self, secret: bytes, field: str = "key") -> None:
        try:
            self._key = PrivateKey(secret if len(secret) == 32 else b"")  # it would pad a shorter one
        except (ValueError, TypeError):
            raise InvalidKey(f"{field} is no secp256k1 private key of 32 bytes", field=field) from None
        self._address = address_of_key(self._key.public_key.format(compressed=False))

    @classmethod
    def from_text(cls, secret: str, field: str = "key") -> "KeySigner":
        """Read a key as configuration gives it: 64 hex digits, with or without 0x.

        Raises:
            InvalidKey: when it is not; names `field`, never the text.
        """
        try:
            return cls(bytes.fromhex(secret.strip().removeprefix("0x")), field)
        except ValueError:
            raise InvalidKey(f"{field} must be 64 hex digits", field=field) from None

    @property
    def address(self) -> Address:
        """Return the address it signs as."""
        return self._address

    def __repr__(self) -> str:
        return f"KeySigner({self._address})"

    def __reduce__(self) -> str:
        raise TypeError("a key is not copied out of the process")

    def sign(self, digest: bytes) -> bytes:
        """Sign a 32-byte digest (RFC 6979, s in the lower half); returns r, s and v (27 or 28), 65 bytes."""
        signature = self._key.sign_recoverable(digest, hasher=None)
        return signature[:64] + bytes([signature[64] + 27])

    async def sign_digest(self, digest: bytes) -> bytes:
        """Sign a 32-byte digest; returns r, s and v (27 or 28), 65 bytes."""
        return self.sign(digest)


def devnet_signer(index: int, chain_id: ChainId) -> KeySigner:
    """Return anvil's account number `index` (0 to 9), rich on every devnet and known to everybody.

    Raises:
        DevnetKeyRefused: on any chain id but 31337 and 1337.
    """
    seed = seed_from_mnemonic(_DEVNET_MNEMONIC, "")
    signer = KeySigner(bytes(key_from_seed(seed, f"m/44'/60'/0'/0/{index}")))
    refuse_devnet_key(signer.address, chain_id)
    return signer


def refuse_devnet_key(address: Address, chain_id: ChainId) -> None:
    """Stop a well-known key from signing on a public chain, however it was configured.

    Raises:
        DevnetKeyRefused: when `address` is one of anvil's and the chain is no devnet.
    """
    if chain_id not in DEVNET_CHAINS and address in DEVNET_ADDRESSES:
        raise DevnetKeyRefused(
            f"{address} is a devnet key that everybody knows; chain {chain_id} needs a key of your own",
            address=address,
            chain_id=chain_id,
        )


def write_keystore(path: Path, secret: bytes, password: str, *, iterations: int = 1 << 18) -> Address:
    """Encrypt a key (scrypt) into a new file that only its owner may read, and return its address.

    Raises:
        InvalidKey: when `secret` is no key.
        FileExistsError: when there is a file; nothing is overwritten.
    """
    address = KeySigner(secret).address
    document = create_keyfile_json(secret, password.encode(), kdf="scrypt", iterations=iterations)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(orjson.dumps(document))
        file.flush()
        os.fsync(file.fileno())  # whoever is told the address may send money to it
    return address


def keystore_address(path: Path) -> Address | None:
    """Return the address that a keystore file names beside its secret, which stays shut; None if it names none."""
    try:
        content = orjson.loads(path.read_bytes())
        return read_address("0x" + str(content["address"]).removeprefix("0x"))
    except (OSError, ValueError, KeyError, TypeError, Invalid):
        return None


def open_keystore(path: Path, password: str) -> KeySigner:
    """Decrypt a keystore file.

    Raises:
        KeystoreMissing: when there is no such file.
        InvalidKey: when others may read it, it is no keystore, or the password is wrong.
    """
    if not path.is_file():
        raise KeystoreMissing(f"there is no keystore at {path}; make one or correct the path", path=str(path))
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise InvalidKey(f"others can read {path}; run chmod 600 on it", path=str(path))
    try:
        secret = decode_keyfile_json(orjson.loads(path.read_bytes()), password.encode())
    except (ValueError, KeyError, TypeError):
        raise InvalidKey(f"{path} is no keystore, or the password is wrong", path=str(path)) from None
    return KeySigner(bytes(secret))
