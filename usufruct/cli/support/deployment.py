"""What `deploy` and `init` share: the plan of an installation's contracts, shown and carried out."""

from collections.abc import Sequence

from usufruct.app import deploy_steps
from usufruct.chain import ChainAccess, fee_sink_of
from usufruct.chain.deployment import Deployments, DeploySite, Setup
from usufruct.chain.keys import KeySigner
from usufruct.core import Address, address, checksum
from usufruct.core.components import DeployStep

Plan = Sequence[tuple[DeployStep, int]]
"""Steps in order, and the gas each takes; 0: it is done."""


def site_of(chain: ChainAccess, owner: KeySigner, claim_key: Address) -> DeploySite:
    """Return what is on the chain in the end, by the configuration, sent by the owner's key."""
    settings = chain.config.chain
    setup = Setup(
        owner.address,
        owner.address,
        fee_sink_of(chain.config),
        settings.fee_bps,
        wrapped_native=address(settings.wrapped_native, "chain.wrapped_native"),
        token=address(settings.token, "chain.token"),
        claim_key=claim_key,
    )
    return DeploySite(chain.client, chain.sender(owner), chain.deployments, setup)


async def plan_of(chain: ChainAccess, site: DeploySite) -> Plan:
    """Check the chain, and return what is to be deployed on it; nothing is sent."""
    await site.check()
    return [(step, await step.gas()) for step in deploy_steps(chain.config, site)]


def gas_of(plan: Plan) -> int:
    """Return the gas that a plan takes."""
    return sum(gas for _, gas in plan)


async def carry_out(chain: ChainAccess, site: DeploySite, plan: Plan) -> Deployments:
    """Take the steps, and write down where the contracts stand."""
    for step, _ in plan:
        await step.take()
    site.deployments.write(chain.config.data.folder)
    return site.deployments


def addresses_of(deployments: Deployments) -> dict[str, str]:
    """Return the contracts' addresses by name, as they are printed."""
    return {name: checksum(each.address) for name, each in deployments.contracts.items()}
