"""What accounts add to an installation: bearer keys, sessions, and their routes."""

from usufruct.accounts.key_api import Purses, key_routes
from usufruct.accounts.key_proof import KeyDomain
from usufruct.accounts.keys import Channels, Keys
from usufruct.accounts.session_api import session_routes
from usufruct.accounts.session_model import DEMO_ACCOUNT
from usufruct.accounts.sessions import Sessions
from usufruct.accounts.wallet_signatures import WalletSignatures
from usufruct.chain import Client
from usufruct.chain.contracts.till import Till
from usufruct.chain.deployment import Deployments
from usufruct.chain.keys import devnet_signer
from usufruct.core import Address, Clock
from usufruct.core.components import Component, Context
from usufruct.core.jobs import Job
from usufruct.core.networks import is_devnet
from usufruct.store import Database, MasterSecret


def build(context: Context) -> Component:
    """Build the component."""

    def domain() -> KeyDomain:
        deployments = context.get(Deployments)
        return KeyDomain(deployments.chain_id, deployments.address(Till))

    def keys() -> Keys:
        seal = context.get(MasterSecret).seal("session keys")
        return Keys(
            context.get(Database),
            seal,
            context.get(Clock),
            context.get(KeyDomain),
            context.get(Channels),
            signatures=context.get(WalletSignatures),
        )

    def sessions() -> Sessions:
        stamp, chain_id = context.get(MasterSecret).stamp("sign-in"), context.get(Deployments).chain_id
        signatures = context.get(WalletSignatures)
        return Sessions(context.get(Database), stamp, context.get(Clock), chain_id, signatures=signatures)

    def demo() -> Address | None:
        chain_id = context.get(Deployments).chain_id
        return devnet_signer(DEMO_ACCOUNT, chain_id).address if is_devnet(chain_id) else None

    context.provide_later(WalletSignatures, lambda: WalletSignatures(context.get(Client)))
    context.provide_later(KeyDomain, domain)
    context.provide_later(Keys, keys)
    context.provide_later(Sessions, sessions)
    return Component(
        "accounts",
        routes=lambda: [
            *key_routes(context.get(Keys), context.get(Purses)),
            *session_routes(context.get(Sessions), demo()),
        ],
        jobs=lambda: [Job("sessions", context.get(Sessions).remove_expired, 3600.0)],
    )
