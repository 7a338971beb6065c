"""What passkey accounts add to an installation: contracts, passkeys and sign-in, the relayer, what the doctor asks."""

from usufruct.accounts.keys import Channels
from usufruct.accounts.passkeys.allowed_calls import MoreRelayedCalls, relayed_calls
from usufruct.accounts.passkeys.api import passkey_routes
from usufruct.accounts.passkeys.passkeys import PasskeyContracts, Passkeys
from usufruct.accounts.passkeys.relay import Relay
from usufruct.accounts.passkeys.relay_store import GWEI, RelayBounds
from usufruct.accounts.passkeys.support import COIN_DECIMALS, check_support
from usufruct.accounts.passkeys.wallet import Wallet
from usufruct.accounts.passkeys.wallet_api import wallet_routes
from usufruct.accounts.passkeys.wallet_pages import wallet_pages
from usufruct.accounts.sessions import Sessions
from usufruct.chain import ChainAccess, Client, Senders, token_address
from usufruct.chain.contracts.passkey_account_factory import PasskeyAccountFactory
from usufruct.chain.contracts.passkey_verifier import PasskeyVerifier
from usufruct.chain.deployment import Deployments, DeploySite, address_of
from usufruct.chain.keys import Role
from usufruct.config import Config
from usufruct.core import Clock, parse_units
from usufruct.core.components import Component, Context, DeployStep
from usufruct.core.diagnostics import Diagnostic
from usufruct.store import Database, MasterSecret
from usufruct.web import Route
from usufruct.web.ui import Pages


def build(context: Context) -> Component:
    """Build the component."""
    get = context.get

    def passkeys() -> Passkeys:
        deployments, stamp = get(Deployments), get(MasterSecret).stamp("passkey challenges")
        contracts = PasskeyContracts(deployments.address(PasskeyAccountFactory), deployments.address(PasskeyVerifier))
        return Passkeys(get(Database), get(Client), contracts, get(Sessions), stamp, get(Clock))

    def relay() -> Relay:
        chain, settings = get(ChainAccess), get(Config).relayer
        gwei = parse_units(settings.daily_coins, COIN_DECIMALS) // GWEI
        bounds = RelayBounds(settings.account_gas, gwei)
        others = [make() for make in get(MoreRelayedCalls).values()]
        allowed = relayed_calls(token_address(chain.config, chain.deployments), others)
        return Relay(chain, get(Senders).of(Role.RELAYER), allowed, bounds, get(Clock))

    def wallet() -> Wallet:
        chain = get(ChainAccess)
        token = token_address(chain.config, chain.deployments)
        return Wallet(get(Passkeys), get(Relay), get(Channels), chain.client, chain.chain_id, token)

    def routes() -> list[Route]:
        if not has_factory(get(Deployments)):
            return []
        passkeys, sessions, chain_id = get(Passkeys), get(Sessions), get(Deployments).chain_id
        return [
            *passkey_routes(passkeys, sessions, get(Relay)),
            *wallet_routes(get(Wallet), passkeys, sessions, chain_id),
            *wallet_pages(get(Wallet), passkeys, sessions, get(Pages), get(ChainAccess)),
        ]

    context.provide(MoreRelayedCalls, MoreRelayedCalls())
    context.provide_later(Passkeys, passkeys)
    context.provide_later(Relay, relay)
    context.provide_later(Wallet, wallet)
    return Component(
        "passkeys",
        routes=routes,
        diagnostics=(Diagnostic("passkeys", lambda: check_support(get(ChainAccess)), needs=("contracts",)),),
        deploy_steps=lambda: deploy_steps(get(DeploySite)),
    )


def has_factory(deployments: Deployments) -> bool:
    """Tell whether the installation was deployed with passkey accounts."""
    return PasskeyAccountFactory.__name__ in deployments.contracts


def deploy_steps(site: DeploySite) -> list[DeployStep]:
    """Return what is deployed: the verifier of passkeys, and the factory, at the same addresses for everyone."""
    verifier = PasskeyVerifier.deploy()
    factory = PasskeyAccountFactory.deploy(address_of(PasskeyVerifier, verifier))
    return [site.creation(PasskeyVerifier, verifier), site.creation(PasskeyAccountFactory, factory)]
