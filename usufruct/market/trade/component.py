"""What the trade in revenue shares adds to an installation: the exchange's logs, offers, purchases, their page."""

from usufruct.accounts import DEMO_ACCOUNT, Sessions
from usufruct.accounts.passkeys import MoreRelayedCalls, Relay, has_factory
from usufruct.assets import AssetIndexer, Listings, RegistryClient, ShareHolders
from usufruct.chain import ChainAccess, LogStreams
from usufruct.chain.contracts.exchange import Exchange
from usufruct.chain.deployment import Deployments
from usufruct.chain.keys import devnet_signer
from usufruct.core import ChainId, Clock
from usufruct.core.components import Component, Context
from usufruct.core.jobs import Job
from usufruct.core.networks import is_devnet
from usufruct.market.buyer import Buyer
from usufruct.market.trade.api import holder_routes, offer_routes, purchase_routes, share_routes
from usufruct.market.trade.exchange_logs import ExchangeIndexer
from usufruct.market.trade.offers import ShareOffers
from usufruct.market.trade.pages import share_pages
from usufruct.market.trade.purchases import SharePurchases
from usufruct.market.trade.relayed_calls import MakersCalls
from usufruct.market.trade.service import ShareMarket
from usufruct.market.trade.signers import Signers
from usufruct.store import Database
from usufruct.web import Route
from usufruct.web.ui import Pages
from usufruct_client.wire import Terms


def build(context: Context) -> Component:
    """Build the component."""
    get = context.get

    def deployed() -> bool:
        return Exchange.__name__ in get(Deployments).contracts

    def market() -> ShareMarket:
        exchange = Exchange(get(Deployments).address(Exchange), get(ChainAccess).client)
        return ShareMarket(
            get(Database),
            get(RegistryClient),
            get(ShareHolders),
            get(Listings),
            get(ExchangeIndexer),
            exchange,
            get(Terms),
            get(Clock),
        )

    def relay() -> Relay | None:
        return get(Relay) if has_factory(get(Deployments)) else None

    def offers() -> ShareOffers:
        return ShareOffers(get(ShareMarket), get(Database), get(Clock), relay(), get(Buyer).passkeys)

    def purchases() -> SharePurchases:
        return SharePurchases(get(ShareMarket), get(Clock), relay(), get(Buyer).passkeys)

    def signers() -> Signers:
        chain_id = get(Terms).chain_id
        demo = devnet_signer(DEMO_ACCOUNT, ChainId(chain_id)) if is_devnet(chain_id) else None
        return Signers(get(ChainAccess), get(Buyer).passkeys, demo)

    def routes() -> list[Route]:
        if not deployed():
            return []
        sessions = get(Sessions)
        return [
            *offer_routes(get(ShareMarket), get(ShareOffers), get(Signers), sessions),
            *purchase_routes(get(ShareMarket), get(SharePurchases), get(Signers), sessions),
            *share_routes(get(ShareMarket)),
            *holder_routes(get(ShareMarket), get(Signers), sessions),
            *share_pages(get(ShareMarket), get(Signers), sessions, get(Pages)),
        ]

    async def start() -> None:
        if deployed():
            get(LogStreams)["exchange"] = lambda: get(ExchangeIndexer).logs
            exchange = get(Deployments).address(Exchange)
            get(MoreRelayedCalls)["trade"] = lambda: MakersCalls(exchange, get(AssetIndexer))

    context.provide_later(ExchangeIndexer, lambda: ExchangeIndexer(get(ChainAccess)))
    context.provide_later(ShareMarket, market)
    context.provide_later(ShareOffers, offers)
    context.provide_later(SharePurchases, purchases)
    context.provide_later(Signers, signers)
    return Component(
        "trade",
        start=start,
        routes=routes,
        jobs=lambda: [Job("trade", get(ExchangeIndexer).poll, 5.0)] if deployed() else [],
    )
