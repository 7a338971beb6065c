"""Computed files: written whole by one worker, mapped into memory by every gateway of the machine.

A folder holds a folder for each state, and `current`, the name of the newest. It is replaced in one step once
everything is written; a reader keeps what it has mapped, also after the folder was removed.
"""

import mmap
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Generic, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from usufruct.analytics.snapshot import RowTable
from usufruct.core import Clock, Unavailable
from usufruct.core.files import replace_file

CURRENT: Final = "current"
FRESH_SECONDS: Final = 2.0
"""For so long a reader does not look for a newer state."""
_KEPT = 2

T = TypeVar("T")


class NoMarketData(Unavailable, code="no_market_data"):
    """Nothing was computed yet."""


class MappedRows(Sequence[bytes]):
    """Rows of a file by their offsets."""

    def __init__(self, path: Path, offsets: NDArray[np.int64]) -> None:
        self._offsets = offsets
        self._content: mmap.mmap | bytes = b""
        if offsets[-1]:
            with path.open("rb") as file:
                self._content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def __len__(self) -> int:
        return len(self._offsets) - 1

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[bytes]: ...
    def __getitem__(self, index: int | slice) -> bytes | Sequence[bytes]:
        """Return a row, or several."""
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self)))]
        return self._content[self._offsets[index] : self._offsets[index + 1]]


def write_rows(path: Path, table: RowTable) -> None:
    """Write a table as `path` with the endings .npz and .json."""
    offsets = np.cumsum([0, *(len(row) for row in table.rows)], dtype=np.int64)
    np.savez(path.with_suffix(".npz"), times=table.times, columns=table.columns, offsets=offsets)
    path.with_suffix(".json").write_bytes(b"".join(table.rows))


def read_rows(path: Path) -> RowTable:
    """Map what `write_rows` wrote."""
    with np.load(path.with_suffix(".npz")) as index:
        rows = MappedRows(path.with_suffix(".json"), index["offsets"])
        return RowTable(index["times"], index["columns"], rows)


def replace_current(folder: Path, name: str, write: Callable[[Path], None]) -> None:
    """Let `write` fill a new folder, and make it the current one; all but the last two are removed."""
    there, part = folder / name, folder / f".{name}"
    if part.exists():
        shutil.rmtree(part)
    part.mkdir(parents=True)
    write(part)
    if there.exists():
        shutil.rmtree(there)
    part.rename(there)
    replace_file(folder / CURRENT, name.encode())
    _remove_old(folder, name)


def current_folder(folder: Path) -> Path:
    """Return the folder of the newest state.

    Raises:
        FileNotFoundError: when there is none.
    """
    return folder / (folder / CURRENT).read_text()


class CurrentReader(Generic[T]):
    """The newest state of a folder, by `read`; looks for a newer one every `FRESH_SECONDS`."""

    def __init__(self, folder: Path, read: Callable[[Path], T], clock: Clock) -> None:
        self._folder = folder
        self._read = read
        self._clock = clock
        self._looked = float("-inf")
        self._found: tuple[str, T] | None = None

    def current(self) -> T:
        """Return it; raises as `read` does."""
        now = self._clock.monotonic()
        if self._found is None or now - self._looked > FRESH_SECONDS:
            self._looked = now
            name = self._name()
            if self._found is None or name != self._found[0]:
                self._found = name, self._read(self._folder)
        return self._found[1]

    def _name(self) -> str:
        try:
            return (self._folder / CURRENT).read_text()
        except FileNotFoundError:
            return ""


def _remove_old(folder: Path, newest: str) -> None:
    there = sorted((each for each in folder.iterdir() if each.is_dir()), key=lambda each: each.stat().st_mtime)
    for old in [each for each in there if each.name != newest][: -(_KEPT - 1)]:
        shutil.rmtree(old)
