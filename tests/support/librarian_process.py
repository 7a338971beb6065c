"""The demo's service as a real process."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def librarian_process(*arguments: str | Path) -> Iterator[str]:
    """Start the librarian; gives its base URL, and stops it afterwards."""
    command = [sys.executable, "-m", "usufruct_librarian", "--port", "0", *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, "it did not start; after a change of pyproject.toml run `make setup`"
            yield json.loads(line)["url"]
        finally:
            process.terminate()
            process.wait(10)
