"""Files of the user's commands: whole or not there, whoever is killed or removes one meanwhile."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from usufruct.cli.support.local_store import (
    InvalidSavedFile,
    NoSavedKey,
    SavedKey,
    find_keys,
    forget_key,
    save_channel,
    save_key,
    saved_channel,
    use_key,
)
from usufruct.config import Config, DataConfig, KeysConfig
from usufruct.core import Address, Hash32
from usufruct_client.wire import ChannelConfig

CHANNEL = Hash32("0x" + "c1" * 32)
SOMEBODY = Address("0x" + "11" * 20)
OF = ChannelConfig(SOMEBODY, SOMEBODY, SOMEBODY, SOMEBODY, SOMEBODY, 86_400, CHANNEL)
KEY = SavedKey("http://here", "key_01", CHANNEL, "uf_01")
DIES = """
import os, signal, sys
from pathlib import Path
from tests.cli.test_local_store import OF, CHANNEL, config_in
from usufruct.cli.support import local_store

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

setattr(*{"write": (os, "fsync", die), "replace": (Path, "replace", die)}[sys.argv[2]])
local_store.save_channel(config_in(Path(sys.argv[1])), CHANNEL, OF)
"""


def config_in(folder: Path) -> Config:
    return Config(data=DataConfig(folder), keys=KeysConfig(folder / "keys"))


@pytest.mark.parametrize("line", ["write", "replace"])
def test_a_file_is_as_it_was_when_its_writer_is_killed(tmp_path: Path, line: str):
    config = config_in(tmp_path)
    before = replace(OF, withdraw_delay=90_000)
    save_channel(config, CHANNEL, before)
    killed = subprocess.run(
        [sys.executable, "-c", DIES, str(tmp_path), line], cwd=Path(__file__).parents[2], check=False
    )
    assert killed.returncode == -9
    assert saved_channel(config, CHANNEL).channel_config == before
    save_channel(config, CHANNEL, OF)
    assert saved_channel(config, CHANNEL).channel_config == OF


def test_a_key_that_another_process_forgets_is_as_if_it_had_not_been(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    config = config_in(tmp_path)
    older, newer = save_key(config, KEY), save_key(config, replace(KEY, id="key_02", key="uf_02"))
    assert newer.stat().st_mode & 0o777 == 0o600
    listed = Path.glob
    monkeypatch.setattr(Path, "glob", lambda folder, pattern: [*listed(folder, pattern), folder / "key_03.json"])
    assert [key.id for key in find_keys(config, "http://here")] == ["key_02", "key_01"]
    checked = Path.is_file
    monkeypatch.setattr(Path, "is_file", lambda path: (path == newer and path.unlink()) or checked(path))
    assert [key.id for key in find_keys(config, "http://here")] == ["key_01"]
    monkeypatch.undo()
    older.write_text("{")
    with pytest.raises(InvalidSavedFile):
        find_keys(config, "http://here")
    forget_key(config, "key_01")
    with pytest.raises(NoSavedKey):
        find_keys(config, "http://here")


def test_a_kept_key_is_named_or_put_first(tmp_path: Path):
    config = config_in(tmp_path)
    older, newer = save_key(config, KEY), save_key(config, replace(KEY, id="key_02", key="uf_02"))
    os.utime(older, (1, 1))
    os.utime(newer, (2, 2))
    assert [key.id for key in find_keys(config, "http://here", named="key_01")] == ["key_01"]
    use_key(config, "key_01")
    assert [key.id for key in find_keys(config, "http://here")] == ["key_01", "key_02"]
    with pytest.raises(NoSavedKey, match="no key key_03"):
        use_key(config, "key_03")
