"""The librarian as a real process, started once."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def librarian_process(*arguments: str | Path) -> Iterator[str]:
    """Start the librarian; gives its base URL, and stops it afterwards."""
    command = [sys.executable, "-m", "usufruct.connectors.librarian", "--port", "0", *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())["url"]
        finally:
            process.terminate()
            process.wait(10)


@pytest.fixture(scope="session")
def librarian_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with librarian_process("--cache", tmp_path_factory.mktemp("vocabulary")) as url:
        yield url
