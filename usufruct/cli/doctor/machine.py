"""Checks of this machine: Python, packages, disk, the gateway's address."""

import platform
import re
import shutil
import sys
from collections.abc import AsyncIterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from usufruct import __version__
from usufruct.cli.support.instance_lock import live_gateway_url
from usufruct.config import Config
from usufruct.core.diagnostics import Finding, bad, good

_LEAST_PYTHON = (3, 11)
_LEAST_FREE = 1 << 30
_REQUIREMENT = re.compile(r"(?P<name>[\w.-]+)(?:\[[^]]*])?>=(?P<least>[\d.]+)")


async def check_software() -> AsyncIterator[Finding]:
    """Python and the packages, each at least what this version was made for."""
    python = platform.python_version()
    if sys.version_info < _LEAST_PYTHON:
        yield bad("software", f"Python {python} is too old", "use Python 3.11 or newer")
        return
    outdated = [line for line in _needed() if line]
    if outdated:
        yield bad("software", "; ".join(outdated), "install the package again: pip install --upgrade usufruct")
    else:
        yield good("software", f"usufruct {__version__} on Python {python}")


def _needed() -> list[str]:
    """Return what is missing or too old among our requirements, extras left out."""
    try:
        lines = [line for line in requires("usufruct") or () if "extra ==" not in line]
    except PackageNotFoundError:  # run from the sources alone: an import would fail
        return []
    found = []
    for line in lines:
        wanted = _REQUIREMENT.match(line)
        if wanted is None or ("sys_platform" in line and sys.platform == "win32"):
            continue
        name, least = wanted["name"], wanted["least"]
        try:
            there = version(name)
        except PackageNotFoundError:
            found.append(f"{name} is missing")
            continue
        if _numbers(there) < _numbers(least):
            found.append(f"{name} is {there}, needed is {least}")
    return found


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3])


async def check_disk(folder: Path) -> AsyncIterator[Finding]:
    """Room for the database and the logs."""
    there = next(each for each in (folder, *folder.parents) if each.exists())
    free = shutil.disk_usage(there).free
    says = f"{free / (1 << 30):.1f} GiB free for {folder}"
    yield good("disk", says) if free >= _LEAST_FREE else bad("disk", says, "make room, or move data.folder")


async def check_gateway(config: Config) -> AsyncIterator[Finding]:
    """Check that a gateway answers at the address that callers use."""
    url = await live_gateway_url(config)
    if url:
        yield good("gateway", f"answers at {url}")
    else:
        there = f"{config.gateway.host}:{config.gateway.port}"
        yield bad("gateway", f"nothing answers at {there}", "run `usufruct up`, or correct gateway.host and .port")
