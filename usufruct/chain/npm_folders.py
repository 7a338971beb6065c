"""Where npm put what we run or read: the folders that may hold a `node_modules`."""

from pathlib import Path

from usufruct.core import Unavailable


class ToolMissing(Unavailable, code="tool_missing"):
    """A program that is needed is not on this machine."""


def roots(data_folder: Path | None = None) -> list[Path]:
    """Return the folders whose `node_modules` are looked into: the package's, the current one, those above, data's."""
    folders = [*Path(__file__).resolve().parents, Path.cwd(), *Path.cwd().parents]
    return [*folders, data_folder] if data_folder else folders
