"""Keystore files are those of every other wallet, open for their password only, and are never overwritten."""

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_keyfile.keyfile import create_keyfile_json
from hypothesis import given, settings
from hypothesis import strategies as st

from usufruct.chain.keys import InvalidKey, KeySigner, KeystoreMissing, open_keystore, write_keystore
from usufruct.chain.keys.keystore import keystore_address

SECRET = bytes.fromhex("4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318")


def kept(path: Path, document: Any) -> Path:
    path.write_text(json.dumps(document))
    path.chmod(0o600)
    return path


def test_a_keystore_opens_with_its_password_only(tmp_path: Path):
    path = tmp_path / "relayer.json"
    address = write_keystore(path, SECRET, "correct horse", scrypt_n=1024)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert SECRET.hex() not in path.read_text()
    assert open_keystore(path, "correct horse").address == address == KeySigner(SECRET).address
    with pytest.raises(InvalidKey, match="password is wrong") as caught:
        open_keystore(path, "battery staple")
    assert "battery" not in repr(caught.value)
    assert bytes(Account.decrypt(path.read_text(), "correct horse")) == SECRET


def test_a_keystore_is_never_overwritten(tmp_path: Path):
    path = tmp_path / "relayer.json"
    write_keystore(path, SECRET, "a", scrypt_n=1024)
    with pytest.raises(FileExistsError):
        write_keystore(path, SECRET, "b", scrypt_n=1024)
    assert open_keystore(path, "a").address == KeySigner(SECRET).address


def test_a_keystore_that_others_can_read_is_refused(tmp_path: Path):
    path = tmp_path / "relayer.json"
    write_keystore(path, SECRET, "a", scrypt_n=1024)
    os.chmod(path, 0o640)  # noqa: PTH101
    with pytest.raises(InvalidKey, match="chmod 600"):
        open_keystore(path, "a")


def test_a_missing_or_broken_keystore_is_told_apart(tmp_path: Path):
    with pytest.raises(KeystoreMissing, match="does not exist; make a keystore"):
        open_keystore(tmp_path / "none.json", "a")
    broken = tmp_path / "broken.json"
    broken.write_text("{}")
    broken.chmod(0o600)
    with pytest.raises(InvalidKey, match="is not a keystore"):
        open_keystore(broken, "a")


@given(
    st.integers(1, 2**255).map(lambda n: n.to_bytes(32, "big")),
    st.text(max_size=20),
    st.sampled_from(["scrypt", "pbkdf2"]),
)
@settings(max_examples=25, deadline=None)
def test_files_of_eth_account_open(tmp_path_factory: pytest.TempPathFactory, secret: bytes, password: str, kind: str):
    path = tmp_path_factory.mktemp("keys") / "theirs.json"
    kept(path, create_keyfile_json(secret, password.encode(), kdf=kind, iterations=2))
    signer = open_keystore(path, password)
    assert signer.address == keystore_address(path) == KeySigner(secret).address
    with pytest.raises(InvalidKey, match="password is wrong"):
        open_keystore(path, password + "x")


def test_a_file_of_an_older_wallet_opens(tmp_path: Path):
    document = create_keyfile_json(SECRET, b"a", kdf="scrypt", iterations=2)
    document["Crypto"] = document.pop("crypto")
    assert open_keystore(kept(tmp_path / "old.json", document), "a").address == KeySigner(SECRET).address


@pytest.mark.parametrize(
    "change",
    [
        {"version": 4},
        {"crypto": None},
        {"crypto": {"cipher": "aes-256-cbc"}},
        {"crypto": {"kdf": "argon2id"}},
        {"crypto": {"kdf": "pbkdf2"}},
        {"crypto": {"kdfparams": {}}},
        {"crypto": {"kdfparams": {"n": 3, "r": 8, "p": 1, "dklen": 32, "salt": "00"}}},
        {"crypto": {"kdfparams": {"n": 1 << 40, "r": 8, "p": 1, "dklen": 32, "salt": "00"}}},
        {"crypto": {"kdfparams": {"n": 2, "r": 1, "p": 1, "dklen": 1 << 70, "salt": "00"}}},
        {"crypto": {"cipherparams": {"iv": "00"}}},
        {"crypto": {"ciphertext": "zz"}},
        {"crypto": {"mac": 7}},
    ],
)
def test_what_is_no_keystore_of_ours_is_refused_in_words(tmp_path: Path, change: dict[str, Any]):
    document = create_keyfile_json(SECRET, b"a", kdf="scrypt", iterations=2)
    crypto = (
        document["crypto"] | change.get("crypto") if change.get("crypto") else change.get("crypto", document["crypto"])
    )
    with pytest.raises(InvalidKey, match="is not a keystore"):
        open_keystore(kept(tmp_path / "changed.json", document | change | {"crypto": crypto}), "a")
