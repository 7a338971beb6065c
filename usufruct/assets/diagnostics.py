"""Check of the token that is charged in: shares must take it as revenue."""

from collections.abc import AsyncIterator

from usufruct.chain import ChainAccess, token_of
from usufruct.chain.contracts.asset_registry import AssetRegistry
from usufruct.core import checksum
from usufruct.core.diagnostics import Finding, bad, good


async def check_token(chain: ChainAccess) -> AsyncIterator[Finding]:
    """Check that the token is a token, and that shares take it as revenue."""
    facts = await token_of(chain.config, chain.client, chain.deployments)
    registry = AssetRegistry(chain.deployments.address(AssetRegistry), chain.client)
    named = f"{facts.symbol} at {checksum(facts.address)}"
    if await registry.is_revenue_token(facts.address):
        yield good("token", f"{named}, {facts.decimals} decimals, counts as revenue")
    else:
        yield bad("token", f"{named} is no revenue token of the registry", "run `usufruct deploy` again")
