"""What assets add to an installation: contracts, listings, the registry's index, the accrual of plain transfers."""

from collections.abc import AsyncIterator
from secrets import token_hex

from usufruct.accounts.passkeys import MoreRelayedCalls, RelayedCalls
from usufruct.assets.accrual import Accruer
from usufruct.assets.indexer import AssetIndexer
from usufruct.assets.listings import Listings
from usufruct.assets.registry_client import RegistryClient, registry_creation
from usufruct.assets.relayed_calls import OwnersCalls
from usufruct.assets.shares import ShareHolders
from usufruct.chain import ChainAccess, ChainHead, LogStreams, Senders, TokenFacts, amount_of, token_of
from usufruct.chain.contracts.access_pass import AccessPass
from usufruct.chain.contracts.asset_registry import AssetRegistry
from usufruct.chain.deployment import DeploySite, address_of
from usufruct.chain.keys import Role
from usufruct.core import Clock, checksum
from usufruct.core.components import Component, Context, DeployStep
from usufruct.core.diagnostics import Diagnostic, Finding, bad, good
from usufruct.core.jobs import Job
from usufruct.store import Database


def build(context: Context) -> Component:
    """Build the component."""

    def indexer() -> AssetIndexer:
        return AssetIndexer(context.get(ChainAccess), listings=context.get(Listings), head=context.get(ChainHead))

    def accruer() -> Accruer:
        token = context.get(TokenFacts)
        least = amount_of(context.get(ChainAccess).config.claims.threshold, "claims.threshold", token)
        sender = context.get(Senders).of(Role.CLAIM)
        return Accruer(context.get(RegistryClient), sender, context.get(Listings), token.address, least)

    context.provide_later(Listings, lambda: Listings(context.get(Database), context.get(Clock)))
    context.provide_later(RegistryClient, lambda: RegistryClient(context.get(ChainAccess)))
    context.provide_later(AssetIndexer, indexer)
    context.provide_later(ShareHolders, lambda: ShareHolders(context.get(RegistryClient), context.get(AssetIndexer)))

    def owners_calls() -> RelayedCalls:
        token, registry = context.get(TokenFacts), context.get(RegistryClient).contract.address
        least = amount_of(context.get(ChainAccess).config.refunds.least, "refunds.least", token)
        return OwnersCalls(registry, context.get(AssetIndexer), context.get(ShareHolders), token.address, least)

    context.provide_later(Accruer, accruer)
    context.get(MoreRelayedCalls)["assets"] = owners_calls
    context.get(LogStreams)["assets"] = lambda: context.get(AssetIndexer).logs
    return Component(
        "assets",
        jobs=lambda: [
            Job("assets", context.get(AssetIndexer).poll, 2.0),
            Job("accrue", context.get(Accruer).run, 15.0),
        ],
        diagnostics=(Diagnostic("token", lambda: check_token(context.get(ChainAccess)), needs=("contracts",)),),
        deploy_steps=lambda: deploy_steps(context.get(DeploySite)),
    )


def deploy_steps(site: DeploySite) -> list[DeployStep]:
    """Return what assets deploy: the registry, which takes the token as revenue, and the passes."""
    setup = site.setup
    creation = registry_creation(setup)
    registry = AssetRegistry(address_of(AssetRegistry, creation), site.client)

    async def is_revenue() -> bool:
        return await registry.is_revenue_token(setup.token)

    async def list_token() -> None:
        key = f"list/{registry.address}/{setup.token}/{token_hex(4)}"
        await site.sender.execute(registry.list_revenue_token(setup.token), key)

    return [
        site.creation(AssetRegistry, creation),
        site.creation(AccessPass, AccessPass.deploy(registry.address)),
        site.setting(f"take token {checksum(setup.token)} as revenue", registry.address, is_revenue, list_token),
    ]


async def check_token(chain: ChainAccess) -> AsyncIterator[Finding]:
    """Check that the token is a token, and that shares take it as revenue."""
    facts = await token_of(chain.config, chain.client, chain.deployments)
    registry = AssetRegistry(chain.deployments.address(AssetRegistry), chain.client)
    named = f"{facts.symbol} at {checksum(facts.address)}"
    if await registry.is_revenue_token(facts.address):
        yield good("token", f"{named}, {facts.decimals} decimals, counts as revenue")
    else:
        yield bad("token", f"{named} is no revenue token of the registry", "run `usufruct deploy` again")
