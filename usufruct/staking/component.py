"""What the token economy adds to an installation: the configured platform token, and an airdrop's proofs."""

from pathlib import Path

from usufruct.chain.contracts.platform_token import PlatformToken
from usufruct.chain.contracts.vote_escrow import VoteEscrow
from usufruct.chain.deployment import DeploySite, address_of
from usufruct.config import Config, PlatformTokenConfig
from usufruct.core.components import Component, Context, DeployStep
from usufruct.staking.airdrop_file import AirdropFile
from usufruct.staking.api import airdrop_routes
from usufruct.staking.platform_token import platform_token_creation
from usufruct.staking.vote_escrow import vote_escrow_creation
from usufruct.web import Route


def build(context: Context) -> Component:
    """Build the component."""

    def routes() -> list[Route]:
        file = context.get(Config).platform_token.airdrop_file
        if not file:
            return []
        airdrop = AirdropFile(Path(file))
        context.closing.callback(airdrop.close)
        return airdrop_routes(airdrop)

    return Component(
        "staking",
        routes=routes,
        deploy_steps=lambda: deploy_steps(context.get(DeploySite), context.get(Config).platform_token),
    )


def deploy_steps(site: DeploySite, settings: PlatformTokenConfig) -> list[DeployStep]:
    """Return what the token economy deploys, if the platform token has a name: the token, and its escrow."""
    if not settings.name:
        return []
    setup = site.setup
    token = platform_token_creation(settings, setup.owner, setup.fee_sink)
    token_at = address_of(PlatformToken, token)
    escrow = vote_escrow_creation(settings, setup.owner, token_at, setup.token)
    return [site.creation(PlatformToken, token), site.creation(VoteEscrow, escrow, needs=token_at)]
