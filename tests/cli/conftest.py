"""An installation on a devnet for each file of tests of commands; a service to sell."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.support import command_line, lying_gateway
from tests.support.devnet_template import DevnetTemplate


@pytest.fixture(scope="session")
def cli_world() -> ModuleType:
    """The support of commands, `tests/support/command_line.py`."""
    return command_line


@pytest.fixture(scope="session")
def liars() -> ModuleType:
    """The gateway that lies, `tests/support/lying_gateway.py`."""
    return lying_gateway


@pytest.fixture(scope="module")
def commands(
    cli_world: ModuleType, devnet_template: DevnetTemplate, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    """Commands on an installation whose chain runs and whose contracts are deployed; no gateway runs."""
    folder = tmp_path_factory.mktemp("installation")
    with devnet_template.copy(folder) as anvil:
        yield cli_world.Commands(cli_world.settings(folder, anvil.url))


@pytest.fixture
def restore(commands: Any, tmp_path: Path) -> Any:
    """Restores a backup of the installation's database into a folder of its own; gives commands on it."""

    def copy(change: str = ""):
        folder = commands.config.data.folder
        shutil.copy(folder / "31337.json", tmp_path)
        with (
            closing(sqlite3.connect(folder / "usufruct.db")) as live,
            closing(sqlite3.connect(tmp_path / "usufruct.db")) as backup,
        ):
            live.backup(backup)
            with backup:
                backup.executescript(change)
        return replace(commands, own=commands.own | {"USUFRUCT_DATA_FOLDER": str(tmp_path)})

    return copy
