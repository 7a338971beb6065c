"""`usufruct init`: an installation with real money, from nothing to ready to sell; may be broken off and run again."""

import json
import os
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from secrets import token_urlsafe
from typing import Annotated, Any

from typer import Option

from usufruct.app import carry_out, site_of
from usufruct.chain import Client, Revert, TokenFacts, UnreadableAnswer, check_chain_id, open_chain, token_facts
from usufruct.chain.contracts.test_dollar import TestDollar
from usufruct.chain.contracts.wrapped_native import WrappedNative
from usufruct.chain.deployment import address_of
from usufruct.chain.escrow import check_settlement
from usufruct.chain.keys import Role, signer_of
from usufruct.cli.doctor import examine
from usufruct.cli.support import deployment
from usufruct.cli.support.command import ADDRESS
from usufruct.cli.support.embedded_chain import embedded_chain
from usufruct.cli.support.known_chains import KNOWN_CHAINS, KnownChain, chain_named, chain_with_id
from usufruct.cli.support.output import Json, print_facts
from usufruct.cli.support.progress import Progress
from usufruct.cli.support.prompts import ask_text, at_terminal, confirm
from usufruct.cli.support.runner import run
from usufruct.cli.support.service_files import caddyfile, systemd_unit
from usufruct.config import Config, config_file, load_config, user_folders
from usufruct.core import Address, ChainId, Conflict, Invalid, address, checksum, format_units
from usufruct.core.diagnostics import Verdict
from usufruct.core.networks import REHEARSAL_CHAIN_ID, is_devnet, is_local

Settings = dict[str, dict[str, str | int]]
"""Settings to write, by section."""

REHEARSAL_URL = "http://127.0.0.1:8547"
_USUAL_CONFIRMATIONS = 3
_SCRYPT_N = 1 << 12
"""The least there is: scrypt's work protects a password that can be guessed. The one made here has 192 random bits."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What the operator decides: `chain` by name, id or node; those `settings` of `[chain]` that were given."""

    chain: str
    settings: dict[str, str | int]
    rehearse: bool
    domain: str

    @property
    def rpc(self) -> str:
        """The node that was named, if any."""
        return str(self.settings.get("rpc_url", ""))

    @property
    def local(self) -> bool:
        """Whether the rehearsal is on this machine: no test network was named."""
        return self.rehearse and not self.chain and not self.rpc


def init(
    chain: Annotated[str, Option(help="The chain, by name or id: base, base-sepolia, optimism, ...")] = "",
    rpc: Annotated[str, Option(help="Its node; a public one if not given.")] = "",
    token: Annotated[Address | None, Option(**ADDRESS, help="The token to charge in; USDC where it is known.")] = None,
    pay_to: Annotated[Address | None, Option(**ADDRESS, help="Who receives income and protocol fee.")] = None,
    wrapped_native: Annotated[Address | None, Option(**ADDRESS, help="The chain's wrapped coin, if not known.")] = None,
    fee_bps: Annotated[int | None, Option(min=0, max=1000, help="Protocol fee in 1/100 %, else 0.")] = None,
    rehearse: Annotated[
        bool, Option("--rehearse", help="Rehearse on the named test network, or on this machine.")
    ] = False,
    systemd: Annotated[Path | None, Option(help="Write a systemd unit to this file.")] = None,
    caddy: Annotated[Path | None, Option(help="Write a Caddyfile to this file; needs --domain.")] = None,
    domain: Annotated[str, Option(help="The name that callers reach the gateway by.")] = "",
    wait: Annotated[bool, Option("--wait/--no-wait", help="Wait for the gas money.")] = True,
    yes: Annotated[bool, Option("--yes", "-y", help="Do not ask before contracts are deployed.")] = False,
    as_json: Json = False,
) -> None:
    """Set up an installation with real money: keys, gas money, contracts, configuration. Run it again to go on."""
    if bool(caddy) != bool(domain):
        raise Invalid("--caddy FILE and --domain NAME go together", code="missing_choice")
    addresses = {"token": token, "fee_sink": pay_to, "wrapped_native": wrapped_native}
    settings: dict[str, str | int] = {name: checksum(each) for name, each in addresses.items() if each}
    settings |= ({"rpc_url": rpc} if rpc else {}) | ({} if fee_bps is None else {"fee_bps": fee_bps})
    choices = Choices(chain, settings, rehearse, domain)
    progress = Progress(to_stderr=as_json)

    async def work() -> None:
        facts = await _init(choices, progress, wait=wait, yes=yes)
        config, file = load_config(), config_file()
        for path, text in ((systemd, systemd_unit(config, file)), (caddy, caddyfile(config, domain))):
            if path is not None:
                path.write_text(text, "utf-8")
                progress.say(f"wrote {path}")
        if domain and config.gateway.public_url != f"https://{domain}":
            progress.say(f'to have the gateway name itself so: public_url = "https://{domain}" in [gateway] of {file}')
        if as_json:
            print_facts(facts, as_json=True)
        elif facts["ready"]:
            progress.say("Ready. Sell a model:  usufruct sell --upstream URL")

    run(work)


async def _init(choices: Choices, progress: Progress, *, wait: bool, yes: bool) -> dict[str, Any]:
    file = config_file()
    progress.step("Chain, token, payee")
    async with AsyncExitStack() as stack:
        written = file
        if file.exists():
            _check_same(load_config(file=file), choices, file)
            progress.say(f"going on with {file}")
        else:
            written = _write(await _choose(choices), file)
            stack.callback(written.unlink, missing_ok=True)
        config = load_config(file=written)
        await stack.enter_async_context(embedded_chain(config, progress))
        if config.chain.id == REHEARSAL_CHAIN_ID:
            with progress.working("putting x402's escrow and a test dollar on the rehearsal's chain"):
                await deployment.prepare_rehearsal(config)
        async with Client(config.chain.rpc_url) as client:
            _say_choices(progress, config, await _check_chain(client, config))
        if written != file:
            written.replace(file)
            progress.say(f"wrote {file}: it holds secrets, only you can read it. Back it up together with the keys.")
        facts = await _set_up(config, progress, wait=wait, yes=yes)
        return facts | {"problems": await _check(progress)} if facts["ready"] else facts


async def _set_up(config: Config, progress: Progress, *, wait: bool, yes: bool) -> dict[str, Any]:
    """Make keys, wait for gas money, deploy, supply the keys that send."""
    progress.step("Keys")
    keys = deployment.make_keys(config)
    progress.say(f"{', '.join(keys)}: encrypted files in {config.keys.folder}")
    async with open_chain(config) as chain:
        site = site_of(chain, signer_of(Role.OWNER, config), keys[Role.CLAIM])
        plan = await deployment.plan_of(chain, site)
        progress.step("Gas money")
        funding = await deployment.funding_of(chain.client, deployment.gas_of(plan), keys)
        summary = {
            "chain_id": config.chain.id,
            "configuration": str(config_file()),
            "keys": {str(role): checksum(each) for role, each in keys.items()},
            "fund": {"address": checksum(funding.owner), "missing_wei": str(funding.missing)},
        }
        if funding.missing and not await _fund(chain.client, config, funding, progress, wait=wait, yes=yes):
            return summary | {"ready": False}
        progress.say(f"{_coins(await chain.client.balance(funding.owner))} is there")
        progress.step("Contracts")
        if deployment.gas_of(plan):
            progress.plan("To be sent by the owner's key", plan)
            confirm("   Send this?", yes=yes)
        with progress.working("deploying what is missing"):
            deployments = await carry_out(chain, site, [step for step, _ in plan])
        with progress.working("sending gas money to the claim key and the relayer"):
            await deployment.supply_keys(chain, keys)
    return summary | {"ready": True, "contracts": deployment.addresses_of(deployments)}


async def _check(progress: Progress) -> list[dict[str, str]]:
    """Look at what `usufruct doctor` looks at, but for the gateway, which does not run yet; return what is wrong."""
    progress.step("Check")
    with progress.working("looking at everything, as `usufruct doctor` does"):
        findings = [found for found in await examine() if found.subject != "gateway"]
    wrong = [found for found in findings if found.verdict is Verdict.PROBLEM]
    for found in wrong:
        progress.say(f"{found.subject}: {found.says}; {found.remedy}")
    if not wrong:
        progress.say(f"all of {len(findings)} checks are good")
    return [found.as_json() for found in wrong]


async def _choose(choices: Choices) -> Settings:
    """Settle chain, node, token and payee, asking for what was not given; returns the settings by section."""
    chain_id, rpc = await _chain(choices)
    if is_devnet(chain_id):
        raise Invalid(f"chain {chain_id} is a devnet, which needs no init: `usufruct up`. To rehearse: --rehearse")
    known = _rehearsal() if chain_id == REHEARSAL_CHAIN_ID else chain_with_id(chain_id)
    given = choices.settings
    token = given.get("token") or (known and known.token) or _asked("--token", "Address of the token to charge in")
    wrapped = given.get("wrapped_native") or (known and known.wrapped_native)
    wrapped = wrapped or _asked("--wrapped-native", "Address of the chain's wrapped coin")
    payee = given.get("fee_sink") or _asked("--pay-to", "Address that receives the income")
    data, keys = user_folders(chain_id)
    settings: Settings = {
        "data": {"folder": str(data)},
        "keys": {"folder": str(keys)},
        "chain": {
            "id": chain_id,
            "rpc_url": rpc,
            "confirmations": known.confirmations if known else _USUAL_CONFIRMATIONS,
            "token": checksum(address(str(token), "--token")),
            "fee_sink": checksum(address(str(payee), "--pay-to")),
            "fee_bps": given.get("fee_bps", 0),
            "wrapped_native": checksum(address(str(wrapped), "--wrapped-native")),
        },
    }
    if choices.domain:
        settings["gateway"] = {"public_url": f"https://{choices.domain}"}
    secrets = load_config(file=Path(os.devnull))  # by the environment alone: such secrets are not written down
    if not secrets.data.secret:
        settings["data"]["secret"] = token_urlsafe(32)
    if not secrets.keys.password:
        settings["keys"] |= {"password": token_urlsafe(24), "scrypt_n": _SCRYPT_N}
    return settings


async def _chain(choices: Choices) -> tuple[int, str]:
    """Return the chain's id, and its node's address."""
    if choices.local:
        return REHEARSAL_CHAIN_ID, REHEARSAL_URL
    named = choices.chain
    if not named and not choices.rpc:
        titles = ", ".join(f"{each.name} ({each.title})" for each in KNOWN_CHAINS)
        named = _asked("--chain", f"Chain: one of {titles}; or the address of its node", KNOWN_CHAINS[0].name)
    if named and not named.startswith(("http://", "https://")):
        known = chain_named(named)
        return known.id, choices.rpc or known.rpc_url
    rpc = named or choices.rpc
    async with Client(rpc) as client:
        return int(await client.chain_id()), rpc


def _rehearsal() -> KnownChain:
    token = address_of(TestDollar, TestDollar.deploy())
    wrapped = address_of(WrappedNative, WrappedNative.deploy())
    return KnownChain("rehearsal", "rehearsal", REHEARSAL_CHAIN_ID, REHEARSAL_URL, token, wrapped, confirmations=2)


async def _check_chain(client: Client, config: Config) -> TokenFacts:
    """Check that the chain has what an installation needs, before any money is sent to it."""
    await check_chain_id(client, config)
    await check_settlement(client, ChainId(config.chain.id))
    token = address(config.chain.token, "chain.token")
    try:
        facts = await token_facts(client, token)
    except (Revert, UnreadableAnswer) as error:
        raise Invalid(
            f"there is no ERC-20 token at {checksum(token)} on chain {config.chain.id}; correct --token",
            code="token_unsuitable",
        ) from error
    if facts.version is None:
        raise Invalid(
            f"{facts.symbol} at {checksum(token)} takes no deposits by signature (EIP-3009); use USDC, for one",
            code="token_unsuitable",
        )
    return facts


def _check_same(config: Config, choices: Choices, file: Path) -> None:
    """Refuse options that say something else than the configuration of an earlier run."""
    chain: dict[str, str | int] = {"id": REHEARSAL_CHAIN_ID} if choices.local else {}
    if choices.chain and not choices.chain.startswith("http"):
        chain = {"id": chain_named(choices.chain).id}
    for name, given in (chain | choices.settings).items():
        there = str(getattr(config.chain, name))
        if str(given).lower() != there.lower():
            raise Conflict(
                f"chain.{name} in {file} is {there}, not {given}. Leave the option out to go on, or set "
                "USUFRUCT_CONFIG to another file to begin another installation",
                code="configuration_differs",
            )


def _say_choices(progress: Progress, config: Config, facts: TokenFacts) -> None:
    known = chain_with_id(config.chain.id)
    title = "a rehearsal's" if is_local(config.chain.id) else known.title if known else config.chain.rpc_url
    progress.say(f"chain   {title} (id {config.chain.id})")
    progress.say(f"token   {facts.symbol}, {facts.name}, at {checksum(facts.address)}")
    progress.say(f"payee   {checksum(address(config.chain.fee_sink, 'chain.fee_sink'))}")


async def _fund(
    client: Client, config: Config, funding: deployment.Funding, progress: Progress, *, wait: bool, yes: bool
) -> bool:
    """Show what to send and where, and wait for it; returns whether it is there."""
    owner = checksum(funding.owner)
    progress.say(f"Send {_coins(funding.missing)} of the chain's coin to {owner}")
    progress.draw(f"ethereum:{owner}@{config.chain.id}?value={funding.missing}")
    if config.chain.id == REHEARSAL_CHAIN_ID:
        if at_terminal() and not yes:
            ask_text("Press Enter, and the rehearsal's faucet sends it", "")
        await client.ask("anvil_setBalance", funding.owner, hex(funding.held + funding.missing))
        return True
    if not wait:
        progress.say("Then run `usufruct init` again: it goes on from here.")
        return False
    with progress.working("waiting for it; Ctrl-C is safe, `usufruct init` goes on from here"):
        await deployment.wait_for_funds(client, funding)
    return True


def _asked(option: str, question: str, otherwise: str | None = None) -> str:
    """Ask at the terminal."""
    if not at_terminal():
        raise Invalid(f"{option} is needed: this is not a terminal, so nothing can be asked", code="missing_choice")
    return ask_text(question, otherwise)


def _write(settings: Settings, file: Path) -> Path:
    """Write settings beside `file`, readable by their owner only; returns where."""
    lines = ["# Written by `usufruct init`. All settings: usufruct config show"]
    for section, values in settings.items():
        lines += ["", f"[{section}]", *(f"{name} = {json.dumps(value)}" for name, value in values.items())]
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = file.with_name(file.name + ".part")
    part.unlink(missing_ok=True)
    part.touch(0o600)
    part.write_text("\n".join(lines) + "\n", "utf-8")
    return part


def _coins(wei: int) -> str:
    return format_units(wei, 18)
