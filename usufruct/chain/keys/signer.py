"""Keys that sign: a secret in this process's memory, or a devnet's well-known keys. Secrets never show."""

from coincurve import PrivateKey

from usufruct.chain.hashing import address_of_key
from usufruct.core import Address, ChainId, Denied, Invalid
from usufruct.core.networks import is_devnet
from usufruct_client import signing

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
"""Keys of the accounts anvil fills at start, in order, as it prints them; publicly known."""


class InvalidKey(Invalid, code="invalid_key"):
    """A secret that is not a secp256k1 key, or a keystore that the password does not open."""


class InvalidSignature(Invalid, code="invalid_signature"):
    """Not a signature the chain would accept for this digest."""


class KeySigner:
    """A private key in this process's memory."""

    __slots__ = ("_key", "address")

    def __init__(self, secret: bytes) -> None:
        try:
            self._key = PrivateKey(secret if len(secret) == 32 else b"")  # it would pad a shorter one
        except (ValueError, TypeError):
            raise InvalidKey("key is not a secp256k1 private key of 32 bytes", field="key") from None
        self.address = address_of_key(self._key.public_key.format(compressed=False))

    def __repr__(self) -> str:
        return f"KeySigner({self.address})"

    def __reduce__(self) -> str:
        raise TypeError("a key is not copied out of the process")

    def sign(self, digest: bytes) -> bytes:
        """Sign a 32-byte digest (RFC 6979, s in the lower half); returns r, s and v (27 or 28), 65 bytes."""
        signature = self._key.sign_recoverable(digest, hasher=None)
        return signature[:64] + bytes([signature[64] + 27])


def recover_signer(digest: bytes, signature: bytes) -> Address:
    """Return the externally owned account that signed `digest`, by 65 bytes r, s, v as the contracts take them.

    Raises:
        InvalidSignature: for another length, v, a high s (the same signature in a second form), or no such point.
    """
    try:
        return signing.recover_signer(digest, signature)
    except ValueError as error:
        raise InvalidSignature(str(error)) from error


DEVNET_ADDRESSES = tuple(KeySigner(bytes.fromhex(key)).address for key in _DEVNET_KEYS)
"""The accounts anvil fills at start, in order."""


def devnet_signer(index: int, chain_id: ChainId) -> KeySigner:
    """Return anvil's account number `index` (0 to 9), rich on every devnet and publicly known.

    Raises:
        Denied: on any chain id but 31337 and 1337.
    """
    signer = KeySigner(bytes.fromhex(_DEVNET_KEYS[index]))
    refuse_devnet_key(signer.address, chain_id)
    return signer


def refuse_devnet_key(address: Address, chain_id: ChainId) -> None:
    """Stop a well-known key from signing on a public chain, however it was configured.

    Raises:
        Denied: when `address` is one of anvil's and the chain is not a devnet.
    """
    if not is_devnet(chain_id) and address in DEVNET_ADDRESSES:
        message = f"{address} is a publicly known devnet key; chain {chain_id} needs your own key"
        raise Denied(message, code="devnet_key_refused", address=address, chain_id=chain_id)
