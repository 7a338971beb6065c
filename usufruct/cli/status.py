"""`usufruct status`: one screen about the installation; what is wrong, `usufruct doctor` explains."""

import logging
from dataclasses import asdict
from typing import Any

from typer import Exit

from usufruct.accounts.passkeys import PasskeySupport, passkey_support
from usufruct.app import Installation, open_installation
from usufruct.chain.contracts.till import Till
from usufruct.chain.keys import Role, role_address
from usufruct.cli.doctor import examine
from usufruct.cli.support.instance_lock import live_gateway_url, running_instance
from usufruct.cli.support.output import Json, print_facts
from usufruct.cli.support.runner import run
from usufruct.config import Config, load_config
from usufruct.core import Clock, Unavailable, format_units, moment
from usufruct.core.diagnostics import Finding, Verdict
from usufruct.gateway import Catalogue, Operator
from usufruct.payments.ledger import Ledger
from usufruct.store import reported_jobs

UNWELL = 3
"""The exit code when something is wrong, as systemctl's of a unit that does not run; 1: the command itself failed."""

_SENDING = (Role.OWNER, Role.CLAIM, Role.RELAYER)


def status(as_json: Json = False) -> None:
    """Show what runs, what is sold and what money waits, on one screen; ends with 3 if something is wrong."""
    config = load_config()
    logging.getLogger("usufruct").addHandler(logging.NullHandler())  # a node that is away is part of the answer

    async def look() -> tuple[dict[str, Any], list[Finding]]:
        return await _look(config), await examine(slow=False)

    facts, findings = run(look)
    problems = list(dict.fromkeys(found.subject for found in findings if found.verdict is Verdict.PROBLEM))
    print_facts(facts | {"problems": problems} if as_json else _words(facts, problems, config), as_json=as_json)
    if problems:
        raise Exit(UNWELL)


async def _look(config: Config) -> dict[str, Any]:
    """Return everything that the screen shows; what only the node knows is None while it does not answer."""
    up, gateway = running_instance(config.data.folder), await live_gateway_url(config)
    async with open_installation(config, wait_for_node=False) as installation:
        operator, ledger = installation.get(Operator), installation.get(Ledger)
        totals = [each for each in await ledger.totals() if each.token == operator.token]
        last_call = await ledger.last_call_at()
        reporting = {process for process, _ in await reported_jobs(installation.database)}
        try:
            chain, deferred, coins = await _ask_chain(installation)
            passkeys = await passkey_support(installation.client, installation.deployments)
        except Unavailable:
            chain, deferred, coins, passkeys = None, None, None, None
        return {
            "data": str(config.data.folder),
            "process": up and up.get("pid"),
            "gateway": gateway,
            "workers": sum(process.startswith("worker") for process in reporting),
            "services": [each.name for each in await installation.get(Catalogue).list()],
            "last_call": moment(last_call) if last_call else None,
            "money": {
                "symbol": operator.symbol,
                "charged": operator.shown(sum(each.charged for each in totals)),
                "unclaimed": operator.shown(sum(each.claimable for each in totals)),
                "deferred": None if deferred is None else operator.shown(deferred),
            },
            "chain": chain,
            "coins": coins,
            "passkeys": passkeys and asdict(passkeys),
        }


async def _ask_chain(installation: Installation) -> tuple[dict[str, int], int, dict[str, str]]:
    """Return where the chain is, what the till owes payees, and the coins that each key here can pay for gas with."""
    client, operator = installation.client, installation.get(Operator)
    head = await client.head()
    keys = {role: role_address(role, installation.config) for role in _SENDING}
    age = max(0, Clock().now() - head.timestamp)
    chain = {"id": int(installation.chain_id), "block": head.number, "age_seconds": age}
    coins = {str(role): format_units(await client.balance(key), 18) for role, key in keys.items() if key}
    return chain, await Till(operator.till, client).total_owed(operator.token), coins


def _words(facts: dict[str, Any], problems: list[str], config: Config) -> dict[str, object]:
    money, chain = facts["money"], facts["chain"]
    return {
        "installation": f"in {facts['data']}, "
        + (f"up (process {facts['process']})" if facts["process"] else "not kept up here: `usufruct up`"),
        "gateway": facts["gateway"] or f"nothing answers at {config.gateway.host}:{config.gateway.port}",
        "workers": facts["workers"] or "none: nothing is claimed",
        "services": facts["services"] or "none: `usufruct sell`",
        "last call": facts["last_call"] or "none yet",
        "money": f"{money['charged']} {money['symbol']} charged, {money['unclaimed']} of it not claimed yet"
        + (f", {money['deferred']} owed to payees" if money["deferred"] not in (None, "0") else "")
        + ": `usufruct income`",
        "chain": f"{chain['id']}, block {chain['block']}, {chain['age_seconds']} s old"
        if chain
        else f"{config.chain.id}; its node does not answer",
        "coins for gas": facts["coins"],
        "passkey accounts": _passkey_words(facts["passkeys"]),
        "problems": f"{', '.join(problems)}: `usufruct doctor` says what to do" if problems else "none",
    }


def _passkey_words(facts: dict[str, Any] | None) -> str:
    if facts is None:
        return "not known: the node does not answer"
    found = PasskeySupport(**facts)
    return "on" + (found.price and f"; {found.price}") if found.works else "off: `usufruct doctor` says why"
