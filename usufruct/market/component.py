"""What the marketplace adds to an installation: the buyer's page, and its actions as JSON."""

from functools import partial

from usufruct.accounts import DEMO_ACCOUNT, Channels, Keys, Purses, Sessions
from usufruct.accounts.notifications import Notifications
from usufruct.accounts.passkeys import Passkeys, Relay, Wallet, has_factory
from usufruct.assets import AssetIndexer, Listings, RegistryClient, ShareHolders, registry_creation
from usufruct.chain import ChainAccess, Outbox, TokenFacts
from usufruct.chain.contracts.asset_registry import AssetRegistry
from usufruct.chain.contracts.exchange import Exchange
from usufruct.chain.contracts.wrapped_shares_factory import WrappedSharesFactory
from usufruct.chain.deployment import Deployments, DeploySite, address_of
from usufruct.chain.keys import devnet_signer
from usufruct.core import ChainId, Clock
from usufruct.core.components import Component, Context, DeployStep
from usufruct.core.jobs import Job
from usufruct.core.networks import is_devnet
from usufruct.market.account_events import AccountEvents
from usufruct.market.account_levels import AccountLevels, ServiceFailures
from usufruct.market.api import account_routes
from usufruct.market.buyer import Buyer
from usufruct.market.deposit_api import deposit_routes
from usufruct.market.deposits import BuyerDeposits
from usufruct.market.pages import account_pages
from usufruct.market.passkey_api import passkey_routes
from usufruct.market.passkey_buyer import PasskeyBuyer
from usufruct.market.payee_pages import payee_routes
from usufruct.market.payees import Payees
from usufruct.market.review_api import review_routes
from usufruct.market.review_funding import Funding
from usufruct.market.review_owners import ServiceOwners
from usufruct.market.review_pages import review_pages
from usufruct.market.review_signature import ReviewSignatures
from usufruct.market.reviews import Reviews
from usufruct.market.trade import PassPlans
from usufruct.payments.ledger import Ledger
from usufruct.payments.pricing import PayerBenefits
from usufruct.payments.settlement import Deposits, MoneyBack, PaidBatches, RefundRequests
from usufruct.store import Database, MasterSecret
from usufruct.web.ui import Pages
from usufruct_client.wire import Terms

MOST_EXCHANGE_FEE_BPS = 500
"""The contract takes no more, although the registry's fee may be higher."""


def build(context: Context) -> Component:
    """Build the component."""
    get = context.get

    def passkeys() -> PasskeyBuyer | None:
        if not has_factory(get(Deployments)):
            return None
        return PasskeyBuyer(
            get(Passkeys),
            get(Wallet),
            get(Relay),
            get(Keys),
            get(Channels),
            get(Deposits),
            get(Terms),
            get(Clock),
        )

    def buyer() -> Buyer:
        terms = get(Terms)
        demo = devnet_signer(DEMO_ACCOUNT, ChainId(terms.chain_id)) if is_devnet(terms.chain_id) else None
        chain, clock, benefits = get(ChainAccess), get(Clock), get(PayerBenefits)
        parts = get(Keys), get(Purses), get(Ledger), get(Listings)
        return Buyer(*parts, terms, chain, clock, demo, passkeys(), benefits=benefits)

    def owners() -> ServiceOwners:
        return ServiceOwners(get(Listings), lambda: get(AssetIndexer), lambda: get(ShareHolders))

    def deposits() -> BuyerDeposits:
        wallet = get(Wallet) if has_factory(get(Deployments)) else None
        return BuyerDeposits(get(Keys), get(MoneyBack), get(RefundRequests), get(Terms), get(Clock), wallet)

    def reviews() -> Reviews:
        terms, listings, chain = get(Terms), get(Listings), get(ChainAccess)
        demo = devnet_signer(DEMO_ACCOUNT, ChainId(terms.chain_id)) if is_devnet(terms.chain_id) else None
        sent = Outbox(get(Database), chain.chain_id)
        funding = Funding(lambda: chain.client, sent, get(Ledger), terms.token.address)
        signatures = ReviewSignatures(terms, lambda: chain.client)
        stamp = get(MasterSecret).stamp("networks of reviewers")
        return Reviews(
            get(Database),
            get(Ledger),
            get(Keys),
            listings,
            owners(),
            funding,
            signatures,
            terms,
            get(Clock),
            stamp,
            demo,
            passkeys(),
        )

    def events() -> AccountEvents:
        sent = Outbox(get(Database), get(ChainAccess).chain_id)
        shares = partial(get, ShareHolders)
        told, token = get(Notifications), get(TokenFacts)
        return AccountEvents(told, get(Ledger), get(PaidBatches), get(Listings), owners(), shares, sent, token)

    def levels() -> AccountLevels:
        told, failures, token = get(Notifications), get(ServiceFailures), get(TokenFacts)
        return AccountLevels(told, get(Keys), get(Ledger), failures, get(Listings), owners(), get(Database), token)

    def payees() -> Payees:
        late = (lambda: get(RegistryClient)), (lambda: get(AssetIndexer)), (lambda: get(ShareHolders))
        return Payees(get(Listings), *late, get(Terms).token, get(Clock))

    def plans() -> PassPlans | None:
        return get(PassPlans) if Exchange.__name__ in get(Deployments).contracts else None

    context.provide_later(Buyer, buyer)
    context.provide_later(BuyerDeposits, deposits)
    context.provide_later(Payees, payees)
    context.provide_later(Reviews, reviews)
    context.provide_later(AccountEvents, events)
    context.provide_later(AccountLevels, levels)
    return Component(
        "market",
        routes=lambda: [
            *account_routes(get(Buyer), get(Sessions)),
            *passkey_routes(get(Buyer), get(Sessions), get(Purses)),
            *deposit_routes(get(BuyerDeposits), get(Sessions)),
            *account_pages(get(Buyer), get(BuyerDeposits), plans(), get(Sessions), get(Pages), get(Clock)),
            *payee_routes(get(Payees), get(Pages), get(Terms).token),
            *review_routes(get(Reviews), get(Sessions)),
            *review_pages(get(Reviews), get(Sessions), get(Pages), get(Terms).token),
        ],
        jobs=lambda: [
            Job("account_events", get(AccountEvents).report, 5.0),
            Job("account_levels", get(AccountLevels).report, 15.0),
        ],
        deploy_steps=lambda: deploy_steps(get(DeploySite)),
    )


def deploy_steps(site: DeploySite) -> list[DeployStep]:
    """Return what the marketplace deploys: the exchange, and the factory of wrapped shares."""
    setup = site.setup
    registry = address_of(AssetRegistry, registry_creation(setup))
    fee_bps = min(setup.fee_bps, MOST_EXCHANGE_FEE_BPS)
    exchange = Exchange.deploy(setup.owner, registry, setup.wrapped_native, setup.fee_sink, fee_bps)
    return [
        site.creation(Exchange, exchange),
        site.creation(WrappedSharesFactory, WrappedSharesFactory.deploy(registry)),
    ]
