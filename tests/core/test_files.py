"""Files that are whole or absent."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from usufruct.core.files import create_file, replace_file

_KILLED_AT_THE_FLUSH = """
import os, sys
from pathlib import Path
import usufruct.core.files as files
os.fsync = lambda descriptor: os.kill(os.getpid(), 9)  # what is on the disk then is what a cut of the power leaves
getattr(files, sys.argv[1])(Path(sys.argv[2]), b"new")
"""


def test_a_file_is_replaced_with_its_mode(tmp_path):
    file = tmp_path / "file"
    replace_file(file, b"old")
    replace_file(file, b"new", 0o600)
    assert (file.read_bytes(), file.stat().st_mode & 0o777) == (b"new", 0o600)
    assert list(tmp_path.iterdir()) == [file]


@pytest.fixture(params=[True, False], ids=["links", "no links"])
def _links(request, monkeypatch):
    """A file system with hard links, and one without, such as FAT."""

    def link(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    if not request.param:
        monkeypatch.setattr(os, "link", link)


@pytest.mark.usefixtures("_links")
def test_a_new_file_never_takes_the_place_of_another(tmp_path):
    file = tmp_path / "file"
    create_file(file, b"old", 0o600)
    with pytest.raises(FileExistsError):
        create_file(file, b"new")
    assert (file.read_bytes(), file.stat().st_mode & 0o777) == (b"old", 0o600)
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.usefixtures("_links")
def test_of_many_that_create_a_file_one_does(tmp_path):
    file = tmp_path / "file"

    def created(number: int) -> bool:
        try:
            create_file(file, str(number).encode())
        except FileExistsError:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(created, range(40)))
    assert file.read_bytes() == str(results.index(True)).encode()
    assert results.count(True) == 1


@pytest.mark.parametrize(("verb", "before"), [("replace_file", b"old"), ("create_file", None)])
def test_killed_while_it_writes_it_leaves_what_was_there(tmp_path, verb, before):
    file = tmp_path / "file"
    if before is not None:
        file.write_bytes(before)
    killed = subprocess.run([sys.executable, "-c", _KILLED_AT_THE_FLUSH, verb, str(file)], check=False)
    assert killed.returncode == -9
    assert (file.read_bytes() if file.exists() else None) == before
