"""Where contracts stand, and the steps that put them there."""

from usufruct.chain.contract_base import Creation
from usufruct.chain.deployment.address_book import HORIZON_BLOCKS, Deployments, NotDeployed, address_of, deployment_of
from usufruct.chain.deployment.steps import DeploySite, Setup, public_contracts

__all__ = [
    "HORIZON_BLOCKS",
    "Creation",
    "DeploySite",
    "Deployments",
    "NotDeployed",
    "Setup",
    "address_of",
    "deployment_of",
    "public_contracts",
]
