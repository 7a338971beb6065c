"""What passkey accounts add to an installation: contracts, passkeys and sign-in, the relayer, what the doctor asks."""

from usufruct.accounts.passkeys.allowed_calls import relayed_calls
from usufruct.accounts.passkeys.api import passkey_routes
from usufruct.accounts.passkeys.passkeys import PasskeyContracts, Passkeys
from usufruct.accounts.passkeys.relay import Relay
from usufruct.accounts.passkeys.relay_store import GWEI, RelayBounds
from usufruct.accounts.passkeys.support import check_support
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

_COIN_DECIMALS = 18


def build(context: Context) -> Component:
    """Build the component."""
    get = context.get

    def passkeys() -> Passkeys:
        deployments, stamp = get(Deployments), get(MasterSecret).stamp("passkey challenges")
        contracts = PasskeyContracts(deployments.address(PasskeyAccountFactory), deployments.address(PasskeyVerifier))
        return Passkeys(get(Database), get(Client), contracts, get(Sessions), stamp, get(Clock))

    def relay() -> Relay:
        chain, settings = get(ChainAccess), get(Config).relayer
        gwei = parse_units(settings.daily_coins, _COIN_DECIMALS) // GWEI
        bounds = RelayBounds(settings.account_gas, gwei)
        allowed = relayed_calls(token_address(chain.config, chain.deployments))
        return Relay(chain, get(Senders).of(Role.RELAYER), allowed, bounds, get(Clock))

    def routes() -> list[Route]:
        return [*passkey_routes(get(Passkeys), get(Sessions), get(Relay))] if has_factory(get(Deployments)) else []

    context.provide_later(Passkeys, passkeys)
    context.provide_later(Relay, relay)
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
