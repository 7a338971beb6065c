"""The order in which things are looked at: what rests on a thing that is wrong is not looked at."""

from contextlib import AsyncExitStack, suppress

import typer
from rich.console import Console

from usufruct.app import open_installation
from usufruct.chain import connect, open_chain
from usufruct.cli.doctor.books import check_books
from usufruct.cli.doctor.chain import (
    check_contracts,
    check_gas,
    check_keys,
    check_logs,
    check_node,
    check_till,
    check_token,
)
from usufruct.cli.doctor.findings import Check, Finding, Verdict, ask, bad, good, skipped
from usufruct.cli.doctor.jobs import check_jobs
from usufruct.cli.doctor.machine import check_database, check_disk, check_gateway, check_software
from usufruct.cli.doctor.trade import check_channels, check_hanging, check_passes, check_payees, check_upstreams
from usufruct.cli.support.output import Json, print_json, words
from usufruct.cli.support.runner import run
from usufruct.config import Config, check_operator, load_config
from usufruct.core import UsufructError
from usufruct.store import open_database

_STYLES = {Verdict.OK: "green", Verdict.PROBLEM: "red", Verdict.SKIPPED: "dim"}


def doctor(as_json: Json = False) -> None:
    """Look at everything an operator can get wrong, and say for each thing what to do; ends with 1 if one is wrong."""
    findings = run(_examine)
    if as_json:
        print_json([finding.as_json() for finding in findings])
    else:
        show_findings(findings)
    if any(finding.verdict is Verdict.PROBLEM for finding in findings):
        raise typer.Exit(1)


async def _examine() -> list[Finding]:
    found = await ask("software", check_software)
    try:
        config = load_config()
        check_operator(config)
    except UsufructError as error:
        return [*found, bad("configuration", error.message, "")]
    found.append(good("configuration", f"data in {config.data.folder}"))
    found += await ask("disk", lambda: check_disk(config.data.folder))
    ground = await _database(config) + await _node(config)
    found += ground + await ask("keys", lambda: check_keys(config))
    if any(finding.verdict is Verdict.PROBLEM and finding.subject not in ("jobs", "logs") for finding in ground):
        found.append(skipped("contracts, till, services", "not looked at: database and node come first"))
    else:
        found += await _chain(config)
    return found + await ask("gateway", lambda: check_gateway(config))


async def _database(config: Config) -> list[Finding]:
    try:
        database = open_database(config.database.url)
    except UsufructError as error:
        return [bad("database", error.message, "")]
    found = await ask("database", lambda: check_database(database))
    if all(finding.verdict is not Verdict.PROBLEM for finding in found):
        found += await ask("jobs", lambda: check_jobs(database))
    await database.close()
    return found


async def _node(config: Config) -> list[Finding]:
    async with AsyncExitStack() as stack:
        database = None
        with suppress(UsufructError):
            database = open_database(config.database.url)
            stack.push_async_callback(database.close)
        try:
            client = await connect(config, stack)
        except UsufructError as error:
            return [bad("node", error.message, "")]
        found = await ask("node", lambda: check_node(config, client))
        return found + await ask("logs", lambda: check_logs(config, client, database))


async def _chain(config: Config) -> list[Finding]:
    """Look at what stands on the chain, then at what is sold."""
    found: list[Finding] = []
    try:
        async with open_chain(config) as chain:
            checks: dict[str, Check] = {
                "contracts": lambda: check_contracts(chain),
                "token": lambda: check_token(chain),
                "till": lambda: check_till(chain),
                "gas money": lambda: check_gas(chain),
            }
            for subject, check in checks.items():
                found += await ask(subject, check)
        if any(finding.verdict is Verdict.PROBLEM for finding in found if finding.subject in ("contracts", "token")):
            return [*found, skipped("services", "not looked at: contracts and token come first")]
        async with open_installation(config) as installation:
            checks = {
                "payees": lambda: check_payees(installation),
                "upstreams": lambda: check_upstreams(installation),
                "passes": lambda: check_passes(installation),
                "calls": lambda: check_hanging(installation),
                "channels": lambda: check_channels(installation),
                "books": lambda: check_books(installation),
            }
            for subject, check in checks.items():
                found += await ask(subject, check)
    except UsufructError as error:
        found.append(bad("contracts", error.message, ""))
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
