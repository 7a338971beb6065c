"""The context that components are built from: configuration, database, node, contracts, clock and secret."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from prometheus_client import CollectorRegistry

from usufruct.chain import ChainAccess, Client, open_chain, open_chain_later
from usufruct.chain.deployment import Deployments
from usufruct.chain.escrow import check_settlement
from usufruct.config import Config
from usufruct.core import Clock
from usufruct.core.components import Context
from usufruct.store import Database, MasterSecret

_DEVNET_SECRET = b"a devnet's secrets are known to everybody"


@asynccontextmanager
async def open_context(config: Config, *, wait_for_node: bool) -> AsyncIterator[Context]:
    """Open the database and the node, and close what was built from the context before them."""
    async with open_chain(config) if wait_for_node else open_chain_later(config) as chain:
        if wait_for_node:
            await check_settlement(chain.client, chain.chain_id)
        context = context_of(chain)
        try:
            yield context
        finally:
            await context.close()


def context_of(chain: ChainAccess) -> Context:
    """Return a context with what every component may use."""
    context = Context()
    context.provide(Config, chain.config)
    context.provide(ChainAccess, chain)
    context.provide(Client, chain.client)
    context.provide(Deployments, chain.deployments)
    context.provide(Database, chain.database)
    context.provide(Clock, Clock())
    context.provide(CollectorRegistry, CollectorRegistry())
    secret = chain.config.data.secret.reveal().encode() or _DEVNET_SECRET
    context.provide(MasterSecret, MasterSecret(secret))
    return context
