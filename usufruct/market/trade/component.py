"""What trade adds to an installation: the exchange's logs, offers, purchases, pages of shares, passes and titles."""

from usufruct.accounts import DEMO_ACCOUNT, Sessions
from usufruct.accounts.passkeys import MoreRelayedCalls, Relay, Wallet, has_factory
from usufruct.assets import AssetIndexer, Listings, Passes, RegistryClient, ShareHolders
from usufruct.chain import ChainAccess, LogStreams
from usufruct.chain.contracts.access_pass import AccessPass
from usufruct.chain.contracts.exchange import Exchange
from usufruct.chain.deployment import Deployments
from usufruct.chain.keys import devnet_signer
from usufruct.config import Config
from usufruct.core import ChainId, Clock
from usufruct.core.components import Component, Context
from usufruct.core.jobs import Job
from usufruct.core.networks import is_devnet
from usufruct.market.buyer import Buyer
from usufruct.market.trade.api import offer_routes, purchase_routes
from usufruct.market.trade.credit_api import credit_routes
from usufruct.market.trade.credit_transfers import CreditIndexer
from usufruct.market.trade.credit_use import CreditUse
from usufruct.market.trade.exchange_logs import ExchangeIndexer
from usufruct.market.trade.goods_on_chain import GoodsOnChain
from usufruct.market.trade.holdings import Holdings
from usufruct.market.trade.holdings_api import holdings_routes
from usufruct.market.trade.holdings_pages import holdings_pages
from usufruct.market.trade.offer_book import OfferBook
from usufruct.market.trade.offers import Offers
from usufruct.market.trade.packages import Packages
from usufruct.market.trade.pass_api import pass_routes
from usufruct.market.trade.pass_pages import pass_pages
from usufruct.market.trade.pass_plans import PassPlans
from usufruct.market.trade.plan_pages import plan_pages
from usufruct.market.trade.plans_on_sale import PlansOnSale
from usufruct.market.trade.purchases import Purchases
from usufruct.market.trade.relayed_calls import TradersCalls
from usufruct.market.trade.share_api import share_routes
from usufruct.market.trade.share_income import ShareIncome
from usufruct.market.trade.share_pages import share_pages
from usufruct.market.trade.signers import Signers
from usufruct.market.trade.title_api import title_routes
from usufruct.market.trade.title_pages import title_pages
from usufruct.market.trade.titles import Titles
from usufruct.market.trade.trade_pages import TradePages
from usufruct.payments.ledger import Ledger
from usufruct.payments.pricing import PassTerms
from usufruct.payments.settlement import PassAccounts
from usufruct.store import Database
from usufruct.web import Route
from usufruct.web.ui import Pages
from usufruct_client.wire import Terms


def build(context: Context) -> Component:
    """Build the component."""
    get = context.get

    def deployed() -> bool:
        return Exchange.__name__ in get(Deployments).contracts

    def book() -> OfferBook:
        exchange = Exchange(get(Deployments).address(Exchange), get(ChainAccess).client)
        goods = GoodsOnChain(get(RegistryClient), exchange)
        return OfferBook(
            get(Database),
            goods,
            get(Listings),
            get(ExchangeIndexer),
            get(Terms),
            get(Clock),
            node_seconds=get(Config).chain.node_seconds,
        )

    def income() -> ShareIncome:
        return ShareIncome(get(OfferBook), get(RegistryClient), get(ShareHolders))

    def plans() -> PassPlans:
        return PassPlans(get(OfferBook), get(RegistryClient), passes(), get(CreditIndexer), get(Ledger), get(PassTerms))

    def passes() -> Passes:
        return Passes(get(RegistryClient), get(AssetIndexer))

    def holdings() -> Holdings:
        return Holdings(get(OfferBook), get(PassPlans), get(Listings), get(AssetIndexer), get(ShareHolders))

    def packages() -> Packages:
        seconds = get(Config).chain.node_seconds
        return Packages(get(RegistryClient), passes(), get(ExchangeIndexer), node_seconds=seconds)

    def use() -> CreditUse:
        return CreditUse(passes(), get(PassTerms), get(PassAccounts), get(Clock), get(Buyer).passkeys)

    def titles() -> Titles:
        return Titles(get(OfferBook), get(RegistryClient), get(PassPlans))

    def relay() -> Relay | None:
        return get(Relay) if has_factory(get(Deployments)) else None

    def offers() -> Offers:
        return Offers(get(OfferBook), get(Database), get(Clock), relay(), get(Buyer).passkeys)

    def purchases() -> Purchases:
        return Purchases(get(OfferBook), get(Clock), relay(), get(Buyer).passkeys)

    def signers() -> Signers:
        chain_id = get(Terms).chain_id
        demo = devnet_signer(DEMO_ACCOUNT, ChainId(chain_id)) if is_devnet(chain_id) else None
        return Signers(get(ChainAccess), get(Buyer).passkeys, demo)

    def routes() -> list[Route]:
        if not deployed():
            return []
        sessions, wallet = get(Sessions), get(Wallet) if has_factory(get(Deployments)) else None
        pages = TradePages(get(OfferBook), get(Signers), sessions, get(Pages))
        return [
            *offer_routes(get(OfferBook), get(Offers), get(Signers), sessions),
            *purchase_routes(get(OfferBook), get(Purchases), get(Signers), sessions),
            *share_routes(get(OfferBook), get(ShareIncome), get(Signers), sessions),
            *pass_routes(get(OfferBook), get(PassPlans)),
            *credit_routes(get(OfferBook), packages(), use(), get(Signers), sessions, wallet),
            *title_routes(get(OfferBook), get(Titles)),
            *share_pages(pages, get(ShareIncome)),
            *pass_pages(pages, get(PassPlans), packages()),
            *plan_pages(PlansOnSale(get(Listings), get(PassPlans), get(Clock)), get(Pages)),
            *title_pages(pages, get(Titles)),
            *holdings_routes(holdings(), sessions),
            *holdings_pages(pages, holdings()),
        ]

    def jobs() -> list[Job]:
        if not deployed():
            return []
        return [Job("trade", get(ExchangeIndexer).poll, 5.0), Job("credits", get(CreditIndexer).poll, 5.0)]

    async def start() -> None:
        if deployed():
            get(LogStreams)["exchange"] = lambda: get(ExchangeIndexer).logs
            get(LogStreams)["credits"] = lambda: get(CreditIndexer).logs
            exchange, credits_ = (get(Deployments).address(each) for each in (Exchange, AccessPass))
            get(MoreRelayedCalls)["trade"] = lambda: TradersCalls(
                exchange, credits_, get(RegistryClient).contract, get(AssetIndexer)
            )

    context.provide_later(ExchangeIndexer, lambda: ExchangeIndexer(get(ChainAccess)))
    context.provide_later(CreditIndexer, lambda: CreditIndexer(get(ChainAccess)))
    context.provide_later(OfferBook, book)
    context.provide_later(ShareIncome, income)
    context.provide_later(PassPlans, plans)
    context.provide_later(Titles, titles)
    context.provide_later(Offers, offers)
    context.provide_later(Purchases, purchases)
    context.provide_later(Signers, signers)
    return Component(
        "trade",
        start=start,
        routes=routes,
        jobs=jobs,
    )
