"""`usufruct deploy`: our contracts on the configured chain, by the owner's key."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

import typer

from usufruct.app import deploy_steps, set_up_devnet
from usufruct.chain import Client, amount_of, fee_sink_of, open_chain, token_of
from usufruct.chain.deployment import Deployments, DeploySite, Setup
from usufruct.chain.keys import KeySigner, Role, claim_address, signer_of
from usufruct.cli.support.known_chains import chain_with_id
from usufruct.cli.support.output import Json, print_facts
from usufruct.cli.support.progress import Progress
from usufruct.cli.support.prompts import confirm
from usufruct.cli.support.runner import run
from usufruct.config import Config, check_operator, load_config
from usufruct.core import Address, Invalid, PaymentRequired, address, checksum, format_units
from usufruct.core.components import DeployStep
from usufruct.core.networks import is_devnet


def deploy(
    rpc: Annotated[str, typer.Option(help="The node; chain.rpc_url if not given.")] = "",
    token: Annotated[str, typer.Option(help="The dollar to charge in; chain.token if not given.")] = "",
    fee_sink: Annotated[str, typer.Option(help="Who gets the protocol fee; chain.fee_sink if not given.")] = "",
    fee_bps: Annotated[
        int | None,
        typer.Option(min=0, max=1000, help="Protocol fee, in hundredths of a per cent; chain.fee_bps if not given."),
    ] = None,
    wrapped_native: Annotated[str, typer.Option(help="The chain's wrapped coin; known for Ethereum and Base.")] = "",
    claim_key: Annotated[str, typer.Option(help="Claim key's address, if its file is on another machine.")] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Deploy registry, passes and till with the owner's key; what stands already is left as it is."""
    progress = Progress(to_stderr=as_json)

    async def work() -> None:
        config = load_config()
        known = config.chain
        chain = replace(
            known, rpc_url=rpc or known.rpc_url, token=token or known.token, fee_sink=fee_sink or known.fee_sink
        )
        config = replace(config, chain=chain)
        if is_devnet(config.chain.id):
            _refuse_choices(token=token, fee_bps=fee_bps, wrapped_native=wrapped_native, claim_key=claim_key)
            deployments = await set_up_devnet(config)
        else:
            check_operator(config)
            deployments = await _deploy(config, progress, fee_bps, wrapped_native, claim_key, yes=yes)
            _say_what_to_configure(progress, config)
        print_facts(_facts(deployments), as_json=as_json)

    run(work)


async def _deploy(
    config: Config, progress: Progress, fee_bps: int | None, wrapped_native: str, claim_key: str, *, yes: bool
) -> Deployments:
    owner = signer_of(Role.OWNER, config)
    claims = address(claim_key, "--claim-key") if claim_key else claim_address(config)
    native, token = _wrapped(config, wrapped_native), _token(config)
    fee = config.chain.fee_bps if fee_bps is None else fee_bps
    setup = Setup(owner.address, owner.address, fee_sink_of(config), fee, native, token, claims)
    async with open_chain(config) as chain:
        facts = await token_of(config, chain.client, chain.deployments)
        amount_of(config.claims.daily_cap, "claims.daily_cap", facts)
        site = DeploySite(chain.client, chain.sender(owner), chain.deployments, setup)
        await site.check()
        steps = deploy_steps(config, site)
        if await _show(progress, chain.client, owner, [(step, await step.gas()) for step in steps]):
            confirm("   Send this?", yes=yes)
        for step in steps:
            await step.take()
        site.deployer.deployments.write(config.data.folder)
        return site.deployer.deployments


def _token(config: Config) -> Address:
    if not config.chain.token:
        raise Invalid("--token or chain.token must name the dollar to charge in", code="missing_choice")
    return address(config.chain.token, "chain.token")


def _wrapped(config: Config, given: str) -> Address:
    known = chain_with_id(config.chain.id)
    found = given or config.chain.wrapped_native or (known.wrapped_native if known else "")
    if not found:
        raise Invalid(
            f"--wrapped-native must name the wrapped coin of chain {config.chain.id}, which is not known here",
            code="missing_choice",
        )
    return address(found, "--wrapped-native")


def _refuse_choices(**choices: str | int | None) -> None:
    for name, value in choices.items():
        if value:
            raise Invalid(
                f"--{name.replace('_', '-')} is for public chains; a devnet has a test dollar and keys of its own"
            )


async def _show(progress: Progress, client: Client, owner: KeySigner, steps: Sequence[tuple[DeployStep, int]]) -> int:
    """Show the plan, and return the gas it takes."""
    progress.plan(f"To be sent by {checksum(owner.address)}", steps)
    head = await client.header()
    gas = sum(gas for _, gas in steps)
    cost, held = gas * (head.base_fee if head else 0), await client.balance(owner.address)
    progress.say(
        f"{gas:,} gas in all: {format_units(cost, 18)} of the chain's coin at the present fee, and a tip; "
        f"{format_units(held, 18)} is there"
    )
    if cost > held or (gas and not held):
        raise PaymentRequired(
            f"the owner {checksum(owner.address)} holds {held} wei and needs {cost} and some more; send it some",
            code="owner_unfunded",
        )
    return gas


def _say_what_to_configure(progress: Progress, config: Config) -> None:
    """Say which settings the installation needs that were only given on the command line."""
    known = load_config().chain
    for name in ("rpc_url", "token", "fee_sink"):
        if getattr(known, name) != getattr(config.chain, name):
            progress.say(f"set chain.{name} in the configuration to what you gave here")


def _facts(deployments: Deployments) -> dict[str, object]:
    contracts = {name: checksum(each.address) for name, each in deployments.contracts.items()}
    return {"chain_id": int(deployments.chain_id), **contracts}
