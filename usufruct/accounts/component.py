"""What accounts add to an installation: bearer keys, and the routes by which payers make and revoke them."""

from usufruct.accounts.api import Purses, key_routes
from usufruct.accounts.proof import KeyDomain
from usufruct.accounts.service import Channels, Keys
from usufruct.chain.contracts.till import Till
from usufruct.chain.deployment import Deployments
from usufruct.core import Clock
from usufruct.core.components import Component, Context
from usufruct.store import Database, MasterSecret


def build(context: Context) -> Component:
    """Build the component."""

    def domain() -> KeyDomain:
        deployments = context.get(Deployments)
        return KeyDomain(deployments.chain_id, deployments.address(Till))

    def keys() -> Keys:
        seal = context.get(MasterSecret).seal("session keys")
        return Keys(context.get(Database), seal, context.get(Clock), context.get(KeyDomain), context.get(Channels))

    context.provide_later(KeyDomain, domain)
    context.provide_later(Keys, keys)
    return Component("accounts", routes=lambda: key_routes(context.get(Keys), context.get(Purses)))
