"""What assets deploy: the registry, which takes the token as revenue, and the passes."""

from secrets import token_hex

from usufruct.chain.contracts.access_pass import AccessPass
from usufruct.chain.contracts.asset_registry import AssetRegistry
from usufruct.chain.deployment import DeploySite, address_of
from usufruct.core.components import DeployStep


def deploy_steps(site: DeploySite) -> list[DeployStep]:
    """Return the steps."""
    setup = site.setup
    creation = AssetRegistry.deploy(
        setup.owner, setup.guardian, setup.fee_sink, setup.fee_bps, setup.wrapped_native, setup.contract_uri
    )
    registry = AssetRegistry(address_of(AssetRegistry, creation), site.client)

    async def is_revenue() -> bool:
        return await registry.is_revenue_token(setup.token)

    async def list_token() -> None:
        key = f"list/{registry.address}/{setup.token}/{token_hex(4)}"
        await site.sender.execute(registry.list_revenue_token(setup.token), key)

    return [
        site.creation(AssetRegistry, creation),
        site.creation(AccessPass, AccessPass.deploy(registry.address)),
        site.setting(f"take {setup.token} as revenue", registry.address, is_revenue, list_token),
    ]
