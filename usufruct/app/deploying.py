"""Deploying: every component's steps, in order."""

from usufruct.app.components import build_components
from usufruct.chain import check_chain_id, fee_sink_of, open_chain_unchecked
from usufruct.chain.contracts.test_dollar import TestDollar
from usufruct.chain.contracts.wrapped_native import WrappedNative
from usufruct.chain.deployment import Deployments, DeploySite, Setup, address_of
from usufruct.chain.keys import Role, signer_of
from usufruct.config import Config
from usufruct.core import address
from usufruct.core.components import Context, DeployStep
from usufruct.store import ensure_current

DEVNET_FEE_BPS = 250
"""The protocol fee of devnets: 2.5 %."""


def deploy_steps(config: Config, site: DeploySite) -> list[DeployStep]:
    """Return what components deploy, in order; nothing is sent."""
    context = Context()
    context.provide(Config, config)
    context.provide(DeploySite, site)
    return [step for component in build_components(context) for step in component.deploy_steps()]


async def set_up_devnet(config: Config) -> Deployments:
    """Deploy everything on the configured devnet and write down where it stands; idempotent.

    The owner's key deploys, and makes the claim key the till's.
    """
    async with open_chain_unchecked(config) as chain:
        await check_chain_id(chain.client, config)
        await ensure_current(chain.database)
        owner = signer_of(Role.OWNER, config)
        setup = Setup(
            owner.address,
            owner.address,
            fee_sink_of(config),
            DEVNET_FEE_BPS,
            wrapped_native=address_of(WrappedNative, WrappedNative.deploy()),
            token=address(config.chain.token) if config.chain.token else address_of(TestDollar, TestDollar.deploy()),
            claim_key=signer_of(Role.CLAIM, config).address,
        )
        site = DeploySite(chain.client, chain.sender(owner), Deployments(chain.chain_id, {}), setup)
        for step in deploy_steps(config, site):
            await step.take()
        site.deployments.write(config.data.folder)
        return site.deployments
