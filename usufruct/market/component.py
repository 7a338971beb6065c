"""What the marketplace adds to an installation: the buyer's page, and its actions as JSON."""

from usufruct.accounts import DEMO_ACCOUNT, Channels, Keys, Purses, Sessions
from usufruct.accounts.passkeys import Passkeys, Relay, has_factory
from usufruct.assets import Listings
from usufruct.chain import ChainAccess
from usufruct.chain.deployment import Deployments
from usufruct.chain.keys import devnet_signer
from usufruct.core import ChainId, Clock
from usufruct.core.components import Component, Context
from usufruct.core.networks import is_devnet
from usufruct.market.api import account_routes
from usufruct.market.buyer import Buyer
from usufruct.market.pages import account_pages
from usufruct.market.passkey_api import passkey_routes
from usufruct.market.passkey_buyer import PasskeyBuyer
from usufruct.payments.ledger import Ledger
from usufruct.payments.settlement import Deposits
from usufruct.web.ui import Pages
from usufruct_client.wire import Terms


def build(context: Context) -> Component:
    """Build the component."""
    get = context.get

    def passkeys() -> PasskeyBuyer | None:
        if not has_factory(get(Deployments)):
            return None
        return PasskeyBuyer(get(Passkeys), get(Relay), get(Keys), get(Channels), get(Deposits), get(Terms), get(Clock))

    def buyer() -> Buyer:
        terms = get(Terms)
        demo = devnet_signer(DEMO_ACCOUNT, ChainId(terms.chain_id)) if is_devnet(terms.chain_id) else None
        return Buyer(
            get(Keys), get(Purses), get(Ledger), get(Listings), terms, get(ChainAccess), get(Clock), demo, passkeys()
        )

    context.provide_later(Buyer, buyer)
    return Component(
        "market",
        routes=lambda: [
            *account_routes(get(Buyer), get(Sessions)),
            *passkey_routes(get(Buyer), get(Sessions), get(Purses)),
            *account_pages(get(Buyer), get(Sessions), get(Pages), get(Clock)),
        ],
    )
