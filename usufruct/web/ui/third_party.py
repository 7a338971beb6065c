"""Copy third-party browser files out of npm packages: `python usufruct/web/ui/third_party.py node_modules`.

`third_party.json` names each file, the package's file it comes from, and its SHA-256: a file that differs is refused. A
plain script is made a module by a last line, which exports the value that `exports` names.
"""

import hashlib
import json
import sys
from pathlib import Path

_HERE = Path(__file__).parent
FOLDER = _HERE / "static" / "third_party"
"""Where the copies are; the wheel carries them, the repository does not."""


def copy_third_party(packages: Path, folder: Path = FOLDER) -> None:
    """Copy every file out of the folder of npm packages.

    Raises:
        ValueError: when a file is not the one whose hash is recorded; nothing is copied then.
    """
    contents = {}
    for name, source in json.loads((_HERE / "third_party.json").read_text()).items():
        content = (packages / source["from"]).read_bytes()
        if hashlib.sha256(content).hexdigest() != source["sha256"]:
            raise ValueError(f"{source['from']} is not the file whose SHA-256 third_party.json records; reinstall it")
        contents[name] = content + (
            b"\nexport default %b;\n" % source["exports"].encode() if "exports" in source else b""
        )
    for name, content in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


if __name__ == "__main__":
    copy_third_party(Path(sys.argv[1]))
