import io
import json
from pathlib import Path

import pytest

from usufruct.cli.support.wallet_option import write_new_key
from usufruct.config import Config, KeysConfig, Secret


@pytest.mark.parametrize(("configured", "scrypt_n"), [("configured", 1 << 12), ("", 1 << 18)])
def test_a_typed_password_is_protected_by_full_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, configured: str, scrypt_n: int
):
    monkeypatch.setattr("sys.stdin", io.StringIO("typed by a person\n"))
    path = tmp_path / "key.json"
    write_new_key(path, Config(keys=KeysConfig(password=Secret(configured), scrypt_n=1 << 12)))
    assert json.loads(path.read_text())["crypto"]["kdfparams"]["n"] == scrypt_n
