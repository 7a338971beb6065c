"""Deploying: every component's steps, in order."""

from collections.abc import Iterable

from usufruct.app.components import build_components
from usufruct.chain import ChainAccess, check_chain_id, fee_sink_of, open_chain_unchecked
from usufruct.chain.contracts.test_dollar import TestDollar
from usufruct.chain.contracts.wrapped_native import WrappedNative
from usufruct.chain.deployment import Deployments, DeploySite, Setup, address_of
from usufruct.chain.keys import KeySigner, Role, claim_address, signer_of
from usufruct.config import Config
from usufruct.core import Address, address
from usufruct.core.components import Context, DeployStep
from usufruct.core.networks import is_devnet
from usufruct.governance import planned_timelock
from usufruct.store import ensure_current

DEVNET_FEE_BPS = 250
"""The protocol fee of devnets: 2.5 %."""


def deploy_steps(config: Config, site: DeploySite) -> list[DeployStep]:
    """Return what components deploy, in order; nothing is sent."""
    context = Context()
    context.provide(Config, config)
    context.provide(DeploySite, site)
    return [step for component in build_components(context) for step in component.deploy_steps()]


def site_of(chain: ChainAccess, owner: KeySigner, claim_key: Address) -> DeploySite:
    """Return what is on the chain in the end, by the configuration, sent by the owner's key; a devnet has own coins."""
    settings, known, fee_bps = chain.config.chain, chain.deployments, chain.config.chain.fee_bps
    wrapped, token = settings.wrapped_native, settings.token
    if is_devnet(chain.chain_id):
        known, fee_bps = Deployments(chain.chain_id, {}), DEVNET_FEE_BPS
        wrapped = address_of(WrappedNative, WrappedNative.deploy())
        token = token or address_of(TestDollar, TestDollar.deploy())
    fee_account = fee_sink_of(chain.config)
    setup = Setup(
        owner.address,
        owner.address,
        fee_account,
        fee_bps,
        wrapped_native=address(wrapped, "chain.wrapped_native"),
        token=address(token, "chain.token"),
        claim_key=claim_key,
        treasury=planned_timelock(chain.config.governance, owner.address) or fee_account,
    )
    return DeploySite(chain.client, chain.sender(owner), known, setup)


async def carry_out(chain: ChainAccess, site: DeploySite, steps: Iterable[DeployStep]) -> Deployments:
    """Take the steps, and write down where the contracts stand."""
    for step in steps:
        await step.take()
    site.deployments.write(chain.config.data.folder)
    return site.deployments


async def set_up_devnet(config: Config) -> Deployments:
    """Deploy everything on the configured devnet and write down where it stands; idempotent.

    The owner's key deploys, and makes the claim key the till's.
    """
    async with open_chain_unchecked(config) as chain:
        await check_chain_id(chain.client, config)
        await ensure_current(chain.database)
        site = site_of(chain, signer_of(Role.OWNER, config), claim_address(config))
        return await carry_out(chain, site, deploy_steps(config, site))
