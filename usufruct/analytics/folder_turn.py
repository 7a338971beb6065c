"""Which of several workers has a folder: the others leave it alone."""

from fcntl import LOCK_EX, LOCK_NB, flock
from io import BufferedWriter
from pathlib import Path
from typing import Final

_LOCK: Final = "lock"


class FolderTurn:
    """The turn of the worker that holds the folder's lock, as long as it lives."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: BufferedWriter | None = None

    def take(self) -> bool:
        """Tell whether it is this process's turn."""
        if self._held is not None:
            return True
        self._folder.mkdir(parents=True, exist_ok=True)
        file = (self._folder / _LOCK).open("ab")
        try:
            flock(file, LOCK_EX | LOCK_NB)
        except OSError:
            file.close()
            return False
        self._held = file
        return True

    def give_back(self) -> None:
        """Let another worker have it."""
        if self._held is not None:
            self._held.close()
            self._held = None
