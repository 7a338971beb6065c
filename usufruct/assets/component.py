"""What assets add to an installation: the registry is followed, and plain transfers to shares are accrued."""

from usufruct.assets.accrual import AccrualPolicy, Accruer, Payees, accrue_due
from usufruct.assets.deploying import deploy_steps
from usufruct.assets.diagnostics import check_token
from usufruct.assets.indexer import AssetIndexer, Offers, index_assets
from usufruct.assets.registry_client import RegistryClient
from usufruct.chain import ChainAccess, DeploySite, LogStreams, Role, Senders, TokenFacts, amount_of
from usufruct.core.components import Component, Context
from usufruct.core.diagnostics import Diagnostic


def build(context: Context) -> Component:
    """Build the component."""

    def registry() -> RegistryClient:
        chain = context.get(ChainAccess)
        confirmations = chain.config.chain.confirmations
        return RegistryClient(chain.client, chain.deployments, chain.database, confirmations=confirmations)

    def indexer() -> AssetIndexer:
        chain = context.get(ChainAccess)
        confirmations, offers = chain.config.chain.confirmations, context.get(Offers)
        return AssetIndexer(chain.client, chain.database, chain.deployments, confirmations=confirmations, offers=offers)

    def accruer() -> Accruer:
        token = context.get(TokenFacts)
        least = amount_of(context.get(ChainAccess).config.claims.threshold, "claims.threshold", token)
        sender, policy = context.get(Senders).of(Role.CLAIM), AccrualPolicy(token.address, least)
        return Accruer(context.get(RegistryClient), sender, context.get(Payees), policy)

    context.provide_later(RegistryClient, registry)
    context.provide_later(AssetIndexer, indexer)
    context.provide_later(Accruer, accruer)
    context.get(LogStreams).add("assets", lambda: context.get(AssetIndexer))
    return Component(
        "assets",
        jobs=lambda: [index_assets(context.get(AssetIndexer)), accrue_due(context.get(Accruer))],
        diagnostics=(Diagnostic("token", lambda: check_token(context.get(ChainAccess)), needs=("contracts",)),),
        deploy_steps=lambda: deploy_steps(context.get(DeploySite)),
    )
