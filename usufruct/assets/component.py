"""What assets add to an installation: listings, the registry's index, and the accrual of plain transfers to shares."""

from usufruct.assets.accrual import Accruer
from usufruct.assets.deploying import deploy_steps
from usufruct.assets.diagnostics import check_token
from usufruct.assets.indexer import AssetIndexer
from usufruct.assets.listings import Listings
from usufruct.assets.registry_client import RegistryClient
from usufruct.chain import ChainAccess, ChainHead, LogStreams, Senders, TokenFacts, amount_of
from usufruct.chain.deployment import DeploySite
from usufruct.chain.keys import Role
from usufruct.core import Clock
from usufruct.core.components import Component, Context
from usufruct.core.diagnostics import Diagnostic
from usufruct.core.jobs import Job
from usufruct.store import Database


def build(context: Context) -> Component:
    """Build the component."""

    def registry() -> RegistryClient:
        chain = context.get(ChainAccess)
        return RegistryClient(chain.client, chain.deployments, chain.database)

    def indexer() -> AssetIndexer:
        chain, listings = context.get(ChainAccess), context.get(Listings)
        confirmations = chain.config.chain.confirmations
        return AssetIndexer(
            chain.client,
            chain.database,
            chain.deployments,
            confirmations=confirmations,
            listings=listings,
            head=context.get(ChainHead),
        )

    def accruer() -> Accruer:
        token = context.get(TokenFacts)
        least = amount_of(context.get(ChainAccess).config.claims.threshold, "claims.threshold", token)
        sender = context.get(Senders).of(Role.CLAIM)
        return Accruer(context.get(RegistryClient), sender, context.get(Listings), token.address, least)

    context.provide_later(Listings, lambda: Listings(context.get(Database), context.get(Clock)))
    context.provide_later(RegistryClient, registry)
    context.provide_later(AssetIndexer, indexer)
    context.provide_later(Accruer, accruer)
    context.get(LogStreams).add("assets", lambda: context.get(AssetIndexer).logs)
    return Component(
        "assets",
        jobs=lambda: [
            Job("assets", context.get(AssetIndexer).poll, 2.0),
            Job("accrue", context.get(Accruer).run, 15.0),
        ],
        diagnostics=(Diagnostic("token", lambda: check_token(context.get(ChainAccess)), needs=("contracts",)),),
        deploy_steps=lambda: deploy_steps(context.get(DeploySite)),
    )
