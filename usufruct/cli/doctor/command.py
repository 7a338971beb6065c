"""The order in which things are looked at: what needs a thing that is wrong is not looked at."""

from collections.abc import Iterable, Sequence

import typer
from rich.console import Console

from usufruct.app import build_components, context_of, start_components
from usufruct.chain import open_chain_unchecked
from usufruct.cli.doctor.machine import check_disk, check_gateway, check_software
from usufruct.cli.support.output import Json, print_json, words
from usufruct.cli.support.runner import run
from usufruct.config import Config, check_operator, load_config
from usufruct.core import UsufructError
from usufruct.core.components import Component
from usufruct.core.diagnostics import Diagnostic, Finding, Verdict, bad, good, skipped

_GROUND = ("database", "node", "contracts", "token")
"""Without these no service works."""

_STYLES = {Verdict.OK: "green", Verdict.PROBLEM: "red", Verdict.SKIPPED: "dim"}


def doctor(as_json: Json = False) -> None:
    """Look at everything an operator can get wrong, and say for each thing what to do; ends with 1 if one is wrong."""
    findings = run(examine)
    if as_json:
        print_json([finding.as_json() for finding in findings])
    else:
        show_findings(findings)
    if any(finding.verdict is Verdict.PROBLEM for finding in findings):
        raise typer.Exit(1)


async def examine() -> list[Finding]:
    """Look at everything, in order."""
    found = await Diagnostic("software", check_software).ask()
    try:
        config = load_config()
        check_operator(config)
    except UsufructError as error:
        return [*found, bad("configuration", error.message, "")]
    found.append(good("configuration", f"data in {config.data.folder}"))
    found += await Diagnostic("disk", lambda: check_disk(config.data.folder)).ask()
    found += await _components(config)
    return found + await Diagnostic("gateway", lambda: check_gateway(config)).ask()


async def _components(config: Config) -> list[Finding]:
    """Ask every component: first what stands on its own, then what needs started services."""
    try:
        async with open_chain_unchecked(config) as chain:
            context = context_of(chain)
            try:
                return await _ask(build_components(context))
            finally:
                await context.close()
    except UsufructError as error:
        return [bad("database", error.message, "")]


async def _ask(components: Sequence[Component]) -> list[Finding]:
    diagnostics = [each for component in components for each in component.diagnostics]
    found = await _ask_in_order(each for each in diagnostics if not each.services)
    if any(finding.verdict is Verdict.PROBLEM and finding.subject in _GROUND for finding in found):
        return [*found, skipped("services", f"not looked at: {', '.join(_GROUND)} come first")]
    try:
        await start_components(components)
    except UsufructError as error:
        return [*found, bad("services", error.message, "")]
    return found + await _ask_in_order(each for each in diagnostics if each.services)


async def _ask_in_order(diagnostics: Iterable[Diagnostic]) -> list[Finding]:
    found: list[Finding] = []
    unsound: set[str] = set()
    for each in diagnostics:
        missing = [need for need in each.needs if need in unsound]
        new = [skipped(each.subject, f"not looked at: {missing[0]} comes first")] if missing else await each.ask()
        if missing or any(finding.verdict is Verdict.PROBLEM for finding in new):
            unsound.add(each.subject)
        found += new
    return found


def show_findings(findings: list[Finding]) -> None:
    """Print findings for people, each as one line."""
    console = Console(highlight=False)
    for finding in findings:
        line = words(f"{finding.verdict:<8}", _STYLES[finding.verdict])
        line.append_text(words(f"{finding.subject}: {finding.says}", "default"))
        if finding.remedy:
            line.append_text(words(f"; {finding.remedy}", "bold"))
        console.print(line, soft_wrap=True)
