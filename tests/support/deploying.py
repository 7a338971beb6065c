"""Contracts on a devnet without an installation: as `deploy` puts them there, the till's settings left out."""

from usufruct.app import deploy_steps
from usufruct.chain import Client, Sender
from usufruct.chain.contracts.test_dollar import TestDollar
from usufruct.chain.contracts.wrapped_native import WrappedNative
from usufruct.chain.deployment import Deployments, DeploySite, Setup, address_of
from usufruct.config import Config
from usufruct.core import Address, ChainId


def setup_of(
    owner: Address, fee_sink: Address, *, guardian: Address = "", fee_bps: int = 0, treasury: Address = ""
) -> Setup:
    """What is deployed: owned by `owner`, with the devnet's dollar and wrapped coin."""
    return Setup(
        owner,
        guardian or owner,
        fee_sink,
        fee_bps,
        wrapped_native=address_of(WrappedNative, WrappedNative.deploy()),
        token=address_of(TestDollar, TestDollar.deploy()),
        claim_key=owner,
        treasury=treasury or fee_sink,
        contract_uri="ipfs://about",
    )


async def deploy_devnet(client: Client, sender: Sender, chain_id: ChainId, setup: Setup) -> Deployments:
    """Deploy every contract, and have the registry take the dollar as revenue."""
    site = DeploySite(client, sender, Deployments(chain_id, {}), setup)
    for step in deploy_steps(Config(), site):
        if step.what.startswith(("deploy ", "take ")):
            await step.take()
    return site.deployments
