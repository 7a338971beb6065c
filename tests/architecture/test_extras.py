"""What the core does works without the libraries of the extras, as `make demo` installs none."""

import subprocess
import sys
from pathlib import Path

from usufruct.cli.commands import PANELS
from usufruct.cli.support.extras import EXTRAS

WITHOUT = """
import asyncio, sys
from importlib import import_module
for name in {names!r}:
    sys.modules[name] = None
from usufruct.app.components import PACKAGES
from usufruct.cli.commands import load
from usufruct.store import migrate, open_database
for name in PACKAGES:
    import_module(f"usufruct.{{name}}.component")
for name in {commands!r}:
    load(name)
async def main():
    database = open_database("sqlite:///{file}")
    await migrate(database)
    await database.close()
asyncio.run(main())
"""


def test_the_core_needs_no_library_of_an_extra(tmp_path: Path):
    """Its components and commands load, and the tables of all packages are created."""
    commands = [name for panel, names in PANELS.items() if panel != "Markets" for name in names]
    code = WITHOUT.format(names=sorted({*EXTRAS, "pandas"}), commands=commands, file=tmp_path / "new.db")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2_000:]
    assert (tmp_path / "new.db").stat().st_size > 0
