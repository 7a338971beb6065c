"""What the token economy adds to an installation: the platform token, where the configuration names one."""

from usufruct.chain.contracts.platform_token import PlatformToken
from usufruct.chain.deployment import DeploySite
from usufruct.config import Config, PlatformTokenConfig
from usufruct.core.components import Component, Context, DeployStep
from usufruct.staking.platform_token import platform_token_creation


def build(context: Context) -> Component:
    """Build the component."""
    return Component(
        "staking", deploy_steps=lambda: deploy_steps(context.get(DeploySite), context.get(Config).platform_token)
    )


def deploy_steps(site: DeploySite, settings: PlatformTokenConfig) -> list[DeployStep]:
    """Return what the token economy deploys: the platform token, if it has a name."""
    if not settings.name:
        return []
    creation = platform_token_creation(settings, site.setup.owner, site.setup.fee_sink)
    return [site.creation(PlatformToken, creation)]
