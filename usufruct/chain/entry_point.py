"""ERC-4337's EntryPoint 0.9: its address, and how a local chain gets it.

Public chains have it. Its code is under the GPL, so this package does not carry it: npm's artifact is fetched when a
local chain is started, as anvil is, and refused unless it is the one whose hash is recorded here.
"""

import hashlib
import shutil
import subprocess
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson

from usufruct.chain.client import Client
from usufruct.chain.hashing import keccak
from usufruct.chain.npm_folders import ToolMissing, roots
from usufruct.core import Address, Unavailable

__all__ = ["ENTRY_POINT", "PACKAGE", "EntryPointUnavailable", "fetch_artifact", "find_artifact", "place_entry_point"]

ENTRY_POINT = Address("0x433709009b8330fda32311df1c2afa402ed8d009")
"""The same on every chain, and in the bytecode of passkey accounts."""

PACKAGE = "@account-abstraction/contracts@0.9.0-rc.1"
"""The newest code of 0.9 that npm has; constructed at `ENTRY_POINT`."""

_ARTIFACT = Path("node_modules", "@account-abstraction", "contracts", "artifacts", "EntryPoint.json")
_SHA256 = "46e41ce399d12bc0aa6d8917deb6ecf63a9df4558189f42792f83027cb254b46"
_MEMBER = "package/artifacts/EntryPoint.json"
_MAKER = Address("0x" + keccak(b"usufruct: constructs the EntryPoint of a local chain")[-20:].hex())
"""An address without a key: a local chain lets anyone send from it."""
_COINS = 10**18


class EntryPointUnavailable(Unavailable, code="entry_point_unavailable"):
    """The EntryPoint's artifact cannot be had, or is another one."""


def find_artifact(data_folder: Path | None = None) -> Path | None:
    """Return where npm's artifact is, in `node_modules` here or in the data folder; None where it is nowhere."""
    return next((path for root in roots(data_folder) if (path := root / _ARTIFACT).is_file()), None)


def fetch_artifact(data_folder: Path) -> Path:
    """Fetch the artifact, and nothing else of its package, into `data_folder` with npm; return its path.

    Raises:
        ToolMissing: when npm is missing or fails, with its last output.
        EntryPointUnavailable: when what came is another file.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise ToolMissing("npm is not on PATH; install Node.js 20 or newer")
    with TemporaryDirectory(prefix="usufruct-npm-") as place:
        command = [npm, "pack", "--silent", "--pack-destination", place, PACKAGE]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        archive = next(Path(place).glob("*.tgz"), None)
        if done.returncode or archive is None:
            last = (done.stderr.strip() or "no output").splitlines()[-1]
            raise ToolMissing(f"npm could not fetch {PACKAGE}: {last}", tool="npm", package=PACKAGE)
        with tarfile.open(archive) as files:
            member = files.extractfile(_MEMBER)
            content = member.read() if member else b""
    _check(content)
    path = data_folder / _ARTIFACT
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


async def place_entry_point(client: Client, artifact: bytes) -> None:
    """Construct the EntryPoint at its address on a local chain, so that its immutables hold that address.

    The constructor runs there twice: in a call, which returns the code, and in a transaction, which creates the
    contract that it needs.

    Raises:
        EntryPointUnavailable: when the artifact is not the one whose hash is recorded.
    """
    _check(artifact)
    await client.ask("anvil_setBalance", _MAKER, hex(_COINS))
    await client.ask("anvil_impersonateAccount", _MAKER)
    await client.ask("anvil_setCode", ENTRY_POINT, orjson.loads(artifact)["bytecode"])
    construct = {"from": _MAKER, "to": ENTRY_POINT}
    code = await client.ask("eth_call", construct, "latest")
    await client.ask("eth_sendTransaction", construct)
    await client.ask("anvil_mine", "0x1")
    await client.ask("anvil_setCode", ENTRY_POINT, code)
    await client.ask("anvil_stopImpersonatingAccount", _MAKER)


def _check(content: bytes) -> None:
    if hashlib.sha256(content).hexdigest() != _SHA256:
        raise EntryPointUnavailable(
            f"the EntryPoint's artifact is not the one of {PACKAGE} whose SHA-256 is recorded; remove it and fetch it "
            "again",
            package=PACKAGE,
        )
