"""What the marketplace adds to an installation: the buyer's page, and its actions as JSON."""

from usufruct.accounts import DEMO_ACCOUNT, Keys, Purses, Sessions
from usufruct.assets import Listings
from usufruct.chain import ChainAccess
from usufruct.chain.keys import devnet_signer
from usufruct.core import ChainId, Clock
from usufruct.core.components import Component, Context
from usufruct.core.networks import is_devnet
from usufruct.market.api import account_routes
from usufruct.market.buyer import Buyer
from usufruct.market.pages import account_pages
from usufruct.payments.ledger import Ledger
from usufruct.web.ui import Pages
from usufruct_client.wire import Terms


def build(context: Context) -> Component:
    """Build the component."""
    get = context.get

    def buyer() -> Buyer:
        terms = get(Terms)
        demo = devnet_signer(DEMO_ACCOUNT, ChainId(terms.chain_id)) if is_devnet(terms.chain_id) else None
        return Buyer(get(Keys), get(Purses), get(Ledger), get(Listings), terms, get(ChainAccess), get(Clock), demo)

    context.provide_later(Buyer, buyer)
    return Component(
        "market",
        routes=lambda: [
            *account_routes(get(Buyer), get(Sessions)),
            *account_pages(get(Buyer), get(Sessions), get(Pages), get(Clock)),
        ],
    )
