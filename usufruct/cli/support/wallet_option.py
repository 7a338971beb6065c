"""Whose key signs what a command sends: `--wallet`."""

import sys
from pathlib import Path
from secrets import token_bytes
from typing import Annotated

import typer
from typer import Option

from usufruct.chain import keys
from usufruct.chain.keys import InvalidKey, KeySigner, KeystoreMissing, write_keystore
from usufruct.cli.support.prompts import at_terminal, interruptible
from usufruct.config import Config, KeysConfig
from usufruct.core import Address, ChainId, Invalid, address
from usufruct.core.networks import is_devnet

Wallet = Annotated[
    str,
    Option(
        "--wallet",
        "-w",
        help="Who signs: the name of a wallet (see `usufruct wallet list`), a keystore file, or, on a devnet, the "
        "number of one of its rich accounts (0 to 9).",
    ),
]


_DEVNET_ACCOUNTS = {str(index): index for index in range(len(keys.DEVNET_ADDRESSES))}


def keystore_of(name: str, config: Config) -> Path:
    """Return the file a wallet's name stands for: a path as it is, a bare name in the keys folder."""
    path = Path(name)
    return path if path.suffix == ".json" or len(path.parts) > 1 else config.keys.folder / f"{name}.json"


def open_wallet(name: str, config: Config) -> KeySigner:
    """Return the key behind `--wallet`; asks for the keystore's password when the configuration has none."""
    index = _devnet_account(name, config)
    if index is not None:
        return keys.devnet_signer(index, ChainId(config.chain.id))
    path = keystore_of(name, config)
    if not path.is_file():
        raise KeystoreMissing(f"wallet {name!r} does not exist at {path}; `usufruct wallet new {path.stem}` makes one")
    return keys.open_keystore(path, config.keys.password.reveal() or _asked(f"password of {path.name}"))


def write_new_key(path: Path, config: Config) -> Address:
    """Make a key in a new keystore file, under the configured password or one that is asked for twice.

    `keys.scrypt_n` is for the configured password: one that a person types may be guessed.
    """
    password, scrypt_n = config.keys.password.reveal(), config.keys.scrypt_n
    if not password:
        password, scrypt_n = _asked("password", twice=True), max(scrypt_n, KeysConfig().scrypt_n)
    return write_keystore(path, token_bytes(32), password, scrypt_n=scrypt_n)


def _asked(what: str, *, twice: bool = False) -> str:
    """Ask for a password at the terminal; without one it may come by a pipe, as one line."""
    if at_terminal():
        with interruptible(f"nothing was done: no {what} was typed"):
            return str(typer.prompt(what, hide_input=True, confirmation_prompt=twice, err=True))
    if typed := sys.stdin.readline().rstrip("\r\n"):
        return typed
    raise Invalid(
        f"{what} is needed, and this is not a terminal; set USUFRUCT_KEYS_PASSWORD, or keys.password in "
        "the configuration file",
        code="password_missing",
    )


def account(text: str, config: Config, field: str = "holder") -> Address:
    """Return the address that an address, a wallet's name or a devnet account's number stands for."""
    if text.startswith("0x"):
        return address(text, field)
    index = _devnet_account(text, config)
    if index is not None:
        return keys.DEVNET_ADDRESSES[index]
    path = keystore_of(text, config)
    if not path.is_file():
        raise KeystoreMissing(f"{field} {text!r} is neither an address nor a wallet: {path} does not exist")
    if found := keys.keystore_address(path):
        return found
    raise InvalidKey(f"{path} is not a keystore: it names no address")


def _devnet_account(text: str, config: Config) -> int | None:
    """Return the number of a devnet's rich account; None for other text, and where money is real."""
    return _DEVNET_ACCOUNTS.get(text) if is_devnet(config.chain.id) else None
