"""An installation on a devnet for each file of tests of commands; a service to sell."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from devnet_template import DevnetTemplate


def _load(folder: str, name: str) -> ModuleType:
    spec = spec_from_file_location(name, Path(__file__).parents[1] / folder / f"{name}.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def cli_world() -> ModuleType:
    """`tests/cli/cli_world.py`."""
    return _load("cli", "cli_world")


@pytest.fixture(scope="session")
def liars() -> ModuleType:
    """`tests/cli/lying_gateway.py`."""
    return _load("cli", "lying_gateway")


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
