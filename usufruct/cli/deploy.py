"""`usufruct deploy`: our contracts on the configured chain, by the owner's key."""

from dataclasses import replace
from typing import Annotated, Any

from typer import Option

from usufruct.app import carry_out, set_up_devnet, site_of
from usufruct.chain import ChainAccess, amount_of, open_chain, token_of
from usufruct.chain.deployment import Deployments
from usufruct.chain.keys import KeySigner, Role, claim_address, signer_of
from usufruct.cli.support.command import ADDRESS, Facts, runs
from usufruct.cli.support.deployment import Plan, addresses_of, gas_of, plan_of
from usufruct.cli.support.known_chains import chain_with_id
from usufruct.cli.support.output import Json
from usufruct.cli.support.ownership import Yes
from usufruct.cli.support.progress import Progress
from usufruct.cli.support.prompts import confirm
from usufruct.config import Config, check_operator
from usufruct.core import Address, Invalid, PaymentRequired, checksum, format_units
from usufruct.core.networks import is_devnet


@runs()
async def deploy(
    config: Config,
    rpc: Annotated[str, Option(help="The node; chain.rpc_url if not given.")] = "",
    token: Annotated[Address | None, Option(**ADDRESS, help="The dollar to charge in, else chain.token.")] = None,
    fee_account: Annotated[
        Address | None,
        Option("--fee-account", "--fee-sink", **ADDRESS, help="The operator's fee account, else chain.fee_sink."),
    ] = None,
    fee_bps: Annotated[int | None, Option(min=0, max=1000, help="Protocol fee in 1/100 %, else chain.fee_bps.")] = None,
    wrapped_native: Annotated[Address | None, Option(**ADDRESS, help="The chain's wrapped coin, if not known.")] = None,
    claim_key: Annotated[Address | None, Option(**ADDRESS, help="Claim key's address, if it is elsewhere.")] = None,
    yes: Yes = False,
    as_json: Json = False,
) -> Facts:
    """Deploy registry, passes and till with the owner's key; what stands already is left as it is."""
    progress = Progress(to_stderr=as_json)
    given = {"rpc_url": rpc, "token": token, "fee_sink": fee_account}
    settings: dict[str, Any] = {name: value for name, value in given.items() if value}
    if is_devnet(config.chain.id):
        _refuse_choices(token=token, fee_bps=fee_bps, wrapped_native=wrapped_native, claim_key=claim_key)
        deployments = await set_up_devnet(replace(config, chain=replace(config.chain, **settings)))
    else:
        known = chain_with_id(config.chain.id)
        chain = replace(
            config.chain,
            fee_bps=config.chain.fee_bps if fee_bps is None else fee_bps,
            wrapped_native=wrapped_native or config.chain.wrapped_native or (known.wrapped_native if known else ""),
            **settings,
        )
        deployments = await _deploy(replace(config, chain=chain), progress, claim_key, yes=yes)
        for name, value in settings.items():
            if value.lower() != getattr(config.chain, name).lower():
                progress.say(f"set chain.{name} in the configuration to what you gave here")
    return {"chain_id": int(deployments.chain_id), **addresses_of(deployments)}


async def _deploy(config: Config, progress: Progress, claim_key: Address | None, *, yes: bool) -> Deployments:
    check_operator(config)
    owner, claims = signer_of(Role.OWNER, config), claim_key or claim_address(config)
    _check_chosen(config)
    async with open_chain(config) as chain:
        token = await token_of(config, chain.client, chain.deployments)
        amount_of(config.claims.daily_cap, "claims.daily_cap", token)
        site = site_of(chain, owner, claims)
        plan = await plan_of(chain, site)
        progress.plan(f"To be sent by {checksum(owner.address)}", plan)
        await _check_funded(progress, chain, owner, plan)
        if gas_of(plan):
            confirm("   Send this?", yes=yes)
        return await carry_out(chain, site, [step for step, _ in plan])


def _check_chosen(config: Config) -> None:
    if not config.chain.token:
        raise Invalid("--token or chain.token must name the dollar to charge in", code="missing_choice")
    if not config.chain.wrapped_native:
        raise Invalid(
            f"--wrapped-native must name the wrapped coin of chain {config.chain.id}, which is not known here",
            code="missing_choice",
        )


def _refuse_choices(**choices: str | int | None) -> None:
    for name, value in choices.items():
        if value:
            option = name.replace("_", "-")
            raise Invalid(f"--{option} is for public chains; a devnet has a test dollar and keys of its own")


async def _check_funded(progress: Progress, chain: ChainAccess, owner: KeySigner, plan: Plan) -> None:
    """Say what the plan costs, and refuse an owner that does not have that."""
    gas = gas_of(plan)
    cost, held = gas * (await chain.client.head()).base_fee, await chain.client.balance(owner.address)
    progress.say(
        f"{gas:,} gas in all: {format_units(cost, 18)} of the chain's coin at the present fee, and a tip; "
        f"{format_units(held, 18)} is there"
    )
    if cost > held or (gas and not held):
        raise PaymentRequired(
            f"the owner {checksum(owner.address)} holds {held} wei and needs {cost} and some more; send it some",
            code="owner_unfunded",
        )
