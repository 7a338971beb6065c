"""What passkey accounts add to an installation: their contracts, and what the doctor asks about the chain."""

from usufruct.accounts.passkeys.support import check_support
from usufruct.chain import ChainAccess
from usufruct.chain.contracts.passkey_account_factory import PasskeyAccountFactory
from usufruct.chain.contracts.passkey_verifier import PasskeyVerifier
from usufruct.chain.deployment import DeploySite, address_of
from usufruct.core.components import Component, Context, DeployStep
from usufruct.core.diagnostics import Diagnostic


def build(context: Context) -> Component:
    """Build the component."""
    return Component(
        "passkeys",
        diagnostics=(Diagnostic("passkeys", lambda: check_support(context.get(ChainAccess)), needs=("contracts",)),),
        deploy_steps=lambda: deploy_steps(context.get(DeploySite)),
    )


def deploy_steps(site: DeploySite) -> list[DeployStep]:
    """Return what is deployed: the verifier of passkeys, and the factory, at the same addresses for everyone."""
    verifier = PasskeyVerifier.deploy()
    factory = PasskeyAccountFactory.deploy(address_of(PasskeyVerifier, verifier))
    return [site.creation(PasskeyVerifier, verifier), site.creation(PasskeyAccountFactory, factory)]
