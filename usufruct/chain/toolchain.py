"""Where forge and anvil are: exact versions that npm put into node_modules, or what the machine offers.

npm's `@foundry-rs/anvil` is a JavaScript wrapper that costs 50 ms a start and hides signals; the platform's binary lies
in a separate package beside it, and that one is used. `python -m usufruct.chain.toolchain forge` prints where it is.
"""

import platform
import shutil
import subprocess
import sys
from pathlib import Path

from usufruct.chain.npm_folders import ToolMissing, roots

__all__ = ["VERSION", "ToolMissing", "find", "install_anvil", "package_of"]

VERSION = "1.7.1"
"""The Foundry release that everything here is tested with."""

_ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


def package_of(tool: str) -> str:
    """Return the npm package that holds `tool` for this machine, such as `@foundry-rs/anvil-linux-amd64`."""
    system = {"linux": "linux", "darwin": "darwin", "win32": "win32"}.get(sys.platform)
    architecture = _ARCHITECTURES.get(platform.machine().lower())
    if system is None or architecture is None:
        message = f"there is no {tool} for {sys.platform} {platform.machine()}; use another machine, or an RPC address"
        raise ToolMissing(message, tool=tool)
    return f"@foundry-rs/{tool}-{system}-{architecture}"


def find(tool: str, data_folder: Path | None = None) -> Path:
    """Return the path of `forge` or `anvil`.

    Looks into `node_modules` of the package's folder, the current folder, each folder above them and `data_folder`,
    then on PATH.

    Raises:
        ToolMissing: when it is nowhere; says how to get it.
    """
    package = package_of(tool)
    name = f"{tool}.exe" if sys.platform == "win32" else tool
    for root in roots(data_folder):
        binary = root / "node_modules" / package / "bin" / name
        if binary.is_file():
            return binary
    if on_path := shutil.which(tool):
        return Path(on_path)
    message = (
        f"{tool} is not installed; run `npm install {package}@{VERSION}` here, or put {tool} on PATH "
        "(https://getfoundry.sh)"
    )
    raise ToolMissing(message, tool=tool, package=package, version=VERSION)


def install_anvil(data_folder: Path) -> Path:
    """Fetch anvil at the exact version into `data_folder` with npm, and return its path.

    Raises:
        ToolMissing: when npm is missing or fails, with its last output.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise ToolMissing("npm is not on PATH; install Node.js 20 or newer, or anvil itself (https://getfoundry.sh)")
    data_folder.mkdir(parents=True, exist_ok=True)
    package = f"{package_of('anvil')}@{VERSION}"
    command = [npm, "install", "--silent", "--no-save", "--no-package-lock", "--prefix", str(data_folder), package]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip() or "no output").splitlines()[-1]
        raise ToolMissing(f"npm could not install {package}: {last}", tool="anvil", package=package)
    return find("anvil", data_folder)


def main(arguments: list[str]) -> int:
    """Print the path of the one tool named; 1 when it is missing, 2 when called wrongly."""
    if len(arguments) != 1 or arguments[0] not in {"forge", "anvil"}:
        sys.stderr.write("usage: python -m usufruct.chain.toolchain forge|anvil\n")
        return 2
    try:
        sys.stdout.write(f"{find(arguments[0])}\n")
    except ToolMissing as error:
        sys.stderr.write(f"{error.message}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
