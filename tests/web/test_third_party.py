"""Third-party browser files are the ones whose hashes are recorded, or nothing is installed."""

import hashlib
import json
from pathlib import Path

import pytest

from usufruct.web.ui import third_party
from usufruct.web.ui.third_party import FOLDER, copy_third_party

RECORDED = json.loads((Path(third_party.__file__).parent / "third_party.json").read_text())


def packaged(name: str) -> bytes:
    """Return a file as its package has it: without the line that makes a module of a script."""
    exported = RECORDED[name].get("exports")
    content = (FOLDER / name).read_bytes()
    line = f"\nexport default {exported};\n".encode() if exported else b""
    assert content.endswith(line)
    return content.removesuffix(line)


def test_what_is_installed_is_what_is_recorded():
    assert {name: hashlib.sha256(packaged(name)).hexdigest() for name in RECORDED} == {
        name: source["sha256"] for name, source in RECORDED.items()
    }


def test_a_changed_file_is_refused_before_anything_is_copied(tmp_path):
    packages = tmp_path / "packages"
    for name, source in RECORDED.items():
        file = packages / source["from"]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(packaged(name))
    copy_third_party(packages, good := tmp_path / "good")
    assert {str(file.relative_to(good)) for file in good.rglob("*") if file.is_file()} == set(RECORDED)
    last = packages / list(RECORDED.values())[-1]["from"]
    last.write_bytes(last.read_bytes() + b" ")
    with pytest.raises(ValueError, match="SHA-256"):
        copy_third_party(packages, tmp_path / "bad")
    assert not (tmp_path / "bad").exists()
