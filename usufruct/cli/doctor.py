"""`usufruct doctor`: what an operator can get wrong, each thing in one line with its remedy."""

import platform
import re
import shutil
import sys
from collections.abc import AsyncIterator, Sequence
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from rich.console import Console
from typer import Exit

from usufruct import __version__
from usufruct.app import build_components, open_context, start_components
from usufruct.chain import open_chain_unchecked
from usufruct.cli.support.instance_lock import live_gateway_url
from usufruct.cli.support.output import Json, print_json, words
from usufruct.cli.support.runner import run
from usufruct.config import Config, check_operator, load_config
from usufruct.core import UsufructError
from usufruct.core.components import Component
from usufruct.core.diagnostics import Diagnostic, Diagnostics, Finding, Verdict, bad, good

_STYLES = {Verdict.OK: "green", Verdict.PROBLEM: "red", Verdict.SKIPPED: "dim"}


def doctor(as_json: Json = False) -> None:
    """Look at everything an operator can get wrong, and say for each thing what to do; ends with 1 if one is wrong."""
    findings = run(examine)
    if as_json:
        print_json([finding.as_json() for finding in findings])
    else:
        show_findings(findings)
    if any(finding.verdict is Verdict.PROBLEM for finding in findings):
        raise Exit(1)


async def examine(*, slow: bool = True) -> list[Finding]:
    """Look at everything in order, or without `slow` at what is soon known."""
    found = await Diagnostic("software", check_software).ask()
    try:
        config = load_config()
        check_operator(config)
    except UsufructError as error:
        return [*found, bad("configuration", error.message, "")]
    found.append(good("configuration", f"data in {config.data.folder}"))
    found += await Diagnostic("disk", lambda: check_disk(config.data.folder)).ask()
    found += await _components(config, slow=slow)
    return found + await Diagnostic("gateway", lambda: check_gateway(config)).ask()


async def _components(config: Config, *, slow: bool) -> list[Finding]:
    """Ask every component: first what stands on its own, then what needs started services."""
    try:
        async with open_chain_unchecked(config) as chain, open_context(chain) as context:
            return await _ask(build_components(context), slow=slow)
    except UsufructError as error:
        return [bad("database", error.message, "")]


async def _ask(components: Sequence[Component], *, slow: bool) -> list[Finding]:
    """Ask what stands on its own, start the services, and ask these."""
    diagnostics = Diagnostics([each for component in components for each in component.diagnostics])

    async def start() -> None:
        await start_components(components)

    return await diagnostics.ask(slow=slow, start=start)


def show_findings(findings: list[Finding]) -> None:
    """Print findings for people, each as one line."""
    console = Console(highlight=False)
    for finding in findings:
        line = words(f"{finding.verdict:<8}", _STYLES[finding.verdict])
        line.append_text(words(f"{finding.subject}: {finding.says}", "default"))
        if finding.remedy:
            line.append_text(words(f"; {finding.remedy}", "bold"))
        console.print(line, soft_wrap=True)


_LEAST_PYTHON = (3, 11)
_LEAST_FREE = 1 << 30
_REQUIREMENT = re.compile(r"(?P<name>[\w.-]+)(?:\[[^]]*])?>=(?P<least>[\d.]+)")


async def check_software() -> AsyncIterator[Finding]:
    """Python and the packages, each at least what this version was made for."""
    python = platform.python_version()
    if sys.version_info < _LEAST_PYTHON:
        yield bad("software", f"Python {python} is too old", "use Python 3.11 or newer")
        return
    if outdated := _needed():
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
