"""Keys that sign: a configured secret, or a devnet's well-known keys. Secrets never show.

A key service (KMS) implements two members of `Signer`, `address` and `sign_digest`; `DigestSigner` adds
the rest. Digests of vouchers are made in `payments`, which signs thousands of them a second.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from coincurve import PrivateKey

from usufruct.chain.hashing import address_of_key, keccak
from usufruct.chain.transaction import SignedTransaction, Transaction
from usufruct.core import Address, ChainId, Denied, Invalid
from usufruct.core.networks import is_devnet
from usufruct_client.recursion import recursion_limit_kept

if TYPE_CHECKING:
    from eth_account.messages import SignableMessage


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

_DEVNET_KEYS = (
    "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
    "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
    "5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
    "7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6",
    "47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a",
    "8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba",
    "92db14e403b83dfe3df233f83dfa3a0d7096f21ca9b0d6d6b8d88b2b4ec1564e",
    "4bbbf85ce3377467afe5d46f804f221813b2bb87f24d81f60f1fcdbf7cbf4356",
    "dbda1821b80551c9d65939329250298aa3472ba22feea921c0cf5d620ea67b97",
    "2a871d0798f97d79848a013d4936a73bf4cc922c825d33c1cf7073dff6d409c6",
)
"""Their keys, as anvil prints them; publicly known."""


class DevnetKeyRefused(Denied):
    """A publicly known key was to be used where money is real."""

    code = "devnet_key_refused"


class InvalidKey(Invalid):
    """A secret that is not a secp256k1 key, or a keystore that the password does not open."""

    code = "invalid_key"


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
        message = _encode_typed_data(document)
        return await self.sign_digest(keccak(b"\x19" + message.version + message.header + message.body))


def _encode_typed_data(document: Mapping[str, Any]) -> "SignableMessage":
    with recursion_limit_kept():
        from eth_account.messages import encode_typed_data  # takes most of a second to load
    return encode_typed_data(full_message=dict(document))


class KeySigner(DigestSigner):
    """A private key in this process's memory."""

    __slots__ = ("_address", "_key")

    def __init__(self, secret: bytes, field: str = "key") -> None:
        try:
            self._key = PrivateKey(secret if len(secret) == 32 else b"")  # it would pad a shorter one
        except (ValueError, TypeError):
            raise InvalidKey(f"{field} is not a secp256k1 private key of 32 bytes", field=field) from None
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
    """Return anvil's account number `index` (0 to 9), rich on every devnet and publicly known.

    Raises:
        DevnetKeyRefused: on any chain id but 31337 and 1337.
    """
    signer = KeySigner.from_text(_DEVNET_KEYS[index])
    refuse_devnet_key(signer.address, chain_id)
    return signer


def refuse_devnet_key(address: Address, chain_id: ChainId) -> None:
    """Stop a well-known key from signing on a public chain, however it was configured.

    Raises:
        DevnetKeyRefused: when `address` is one of anvil's and the chain is not a devnet.
    """
    if not is_devnet(chain_id) and address in DEVNET_ADDRESSES:
        raise DevnetKeyRefused(
            f"{address} is a publicly known devnet key; chain {chain_id} needs your own key",
            address=address,
            chain_id=chain_id,
        )
