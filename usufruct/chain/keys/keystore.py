"""Keystore files: a key encrypted by a password, as other wallets write and read it (Web3 Secret Storage, version 3).

Written here because eth-keyfile loads a pairing library for another kind of key: most of a second and many megabytes
in every process that opens a file. The tests hold both to the same files.
"""

import hmac
import os
from collections.abc import Mapping
from functools import lru_cache
from hashlib import pbkdf2_hmac, scrypt
from pathlib import Path
from secrets import token_bytes
from typing import Any
from uuid import uuid4

import orjson
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

from usufruct.chain.hashing import keccak
from usufruct.chain.keys.signer import InvalidKey, KeySigner
from usufruct.core import Address, Invalid, NotFound
from usufruct.core import address as read_address
from usufruct.core.files import create_file

_BLOCK_SIZE = 8
"""scrypt's r; a round takes 128 * r bytes of memory."""
_MOST_MEMORY_BYTES = 1 << 30


class KeystoreMissing(NotFound, code="keystore_missing"):
    """No keystore file where one should be."""


def write_keystore(path: Path, secret: bytes, password: str, *, scrypt_n: int) -> Address:
    """Encrypt a key (scrypt) into a new file that only its owner may read, and return its address.

    A file opens with as much work as it was written with: 2^18, the setting `keys.scrypt_n` by default, takes most of
    a second.

    Raises:
        InvalidKey: when `secret` is not a key.
        FileExistsError: when there is a file; nothing is overwritten.
    """
    address = KeySigner(secret).address
    derivation = {"dklen": 32, "n": scrypt_n, "r": _BLOCK_SIZE, "p": 1, "salt": token_bytes(16).hex()}
    derived, start = _derived("scrypt", derivation, password), token_bytes(16)
    text = _aes(derived, start, secret)
    document = {
        "address": address.removeprefix("0x"),
        "crypto": {
            "cipher": "aes-128-ctr",
            "cipherparams": {"iv": start.hex()},
            "ciphertext": text.hex(),
            "kdf": "scrypt",
            "kdfparams": derivation,
            "mac": keccak(derived[16:32] + text).hex(),
        },
        "id": str(uuid4()),
        "version": 3,
    }
    create_file(path, orjson.dumps(document), 0o600)  # money may be sent to the address as soon as it is known
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
        KeystoreMissing: when the file does not exist.
        InvalidKey: when others may read it, it is not a keystore, or the password is wrong.
    """
    if not path.is_file():
        raise KeystoreMissing(f"{path} does not exist; make a keystore or correct the path", path=str(path))
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise InvalidKey(f"others can read {path}; run chmod 600 on it", path=str(path))
    try:
        return _opened(path.read_bytes(), password)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, MemoryError):
        raise InvalidKey(f"{path} is not a keystore, or the password is wrong", path=str(path)) from None


@lru_cache(maxsize=16)
def _opened(content: bytes, password: str) -> KeySigner:
    """Decrypt a keystore once in a process: that may take most of a second, on purpose."""
    return KeySigner(_unsealed(orjson.loads(content), password))


def _unsealed(document: Mapping[str, Any], password: str) -> bytes:
    """Return the secret; ValueError, KeyError and their like when it is not a keystore or the password is wrong."""
    crypto = document["crypto"] if "crypto" in document else document["Crypto"]  # as older wallets spell it
    if document["version"] != 3 or crypto["cipher"] != "aes-128-ctr":
        raise ValueError("an unknown kind of keystore")
    derived = _derived(crypto["kdf"], crypto["kdfparams"], password)
    text = bytes.fromhex(crypto["ciphertext"])
    if not hmac.compare_digest(keccak(derived[16:32] + text), bytes.fromhex(crypto["mac"])):
        raise ValueError("the password is wrong")
    return _aes(derived, bytes.fromhex(crypto["cipherparams"]["iv"]), text)


def _derived(kind: str, parameters: Mapping[str, Any], password: str) -> bytes:
    salt, length = bytes.fromhex(parameters["salt"]), parameters["dklen"]
    if kind == "pbkdf2" and parameters["prf"] == "hmac-sha256":
        return pbkdf2_hmac("sha256", password.encode(), salt, parameters["c"], length)
    if kind != "scrypt":
        raise ValueError("an unknown way to make a key of a password")
    n, r, p = parameters["n"], parameters["r"], parameters["p"]
    return scrypt(password.encode(), salt=salt, n=n, r=r, p=p, maxmem=_MOST_MEMORY_BYTES, dklen=length)


def _aes(derived: bytes, start: bytes, text: bytes) -> bytes:
    cipher = Cipher(AES(derived[:16]), CTR(start)).encryptor()
    return cipher.update(text) + cipher.finalize()
