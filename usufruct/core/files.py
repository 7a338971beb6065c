"""Files that are whole or absent: a process that is killed while it writes leaves no part of one behind its name."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EEXIST
from fcntl import LOCK_EX, flock
from pathlib import Path

__all__ = ["create_file", "replace_file"]


def replace_file(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Write a file in place of what was there, in one step, and on the disk."""
    with _written(path, content, mode) as part:
        part.replace(path)


def create_file(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Write a new file in one step, and on the disk.

    Raises:
        FileExistsError: when there is one; nothing is overwritten.
    """
    with _written(path, content, mode) as part:
        try:
            path.hardlink_to(part)
        except FileExistsError:
            raise
        except OSError:  # a file system without hard links, such as FAT: processes create files there in turn
            with _folder_of(path) as folder:
                flock(folder, LOCK_EX)
                if os.path.lexists(path):
                    raise FileExistsError(EEXIST, os.strerror(EEXIST), str(path)) from None
                part.replace(path)


@contextmanager
def _written(path: Path, content: bytes, mode: int) -> Iterator[Path]:
    """Write beside `path`, readable by the owner only until it is whole."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    part = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(descriptor, mode)
            os.fsync(descriptor)
        yield part
        with _folder_of(path) as folder:
            os.fsync(folder)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _folder_of(path: Path) -> Iterator[int]:
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
