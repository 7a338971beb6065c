"""Write the bindings, or check that they are current: `python -m usufruct.chain.generate [--check]`."""

import argparse
import sys
from pathlib import Path

from usufruct.chain.generate.package import BOUND, Bindings
from usufruct.core import UsufructError

_FOLDER = Path(__file__).resolve().parents[1] / "contracts"


def write(files: dict[str, str], folder: Path) -> list[str]:
    """Make `folder` hold exactly `files`; return the names of those that were written or removed."""
    changed = outdated(files, folder)
    for name in changed:
        if name in files:
            (folder / name).write_text(files[name], encoding="utf-8")
        else:
            (folder / name).unlink()
    return changed


def outdated(files: dict[str, str], folder: Path) -> list[str]:
    """Return the names of files in `folder` that differ from `files`, are missing, or should not be there."""
    present = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir() if path.is_file()}
    return sorted(name for name in files.keys() | present.keys() if files.get(name) != present.get(name))


def main(arguments: list[str]) -> int:
    """Generate or check; 0 when current, 1 when not or when the artifacts are unusable."""
    parser = argparse.ArgumentParser(prog="python -m usufruct.chain.generate", description=__doc__)
    parser.add_argument("--project", type=Path, default=Path("contracts"), help="the Foundry project")
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a file is not current")
    options = parser.parse_args(arguments)
    try:
        files = Bindings(options.project, BOUND, "usufruct.chain.contracts").files()
    except UsufructError as error:
        sys.stderr.write(f"{error.message}\n")
        return 1
    changed = outdated(files, _FOLDER) if options.check else write(files, _FOLDER)
    for name in changed:
        sys.stdout.write(f"{'outdated' if options.check else 'wrote'} {name}\n")
    return int(options.check and bool(changed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
