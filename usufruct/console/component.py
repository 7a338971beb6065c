"""What the console adds to an installation: selling in a browser."""

from usufruct.accounts import Sessions
from usufruct.accounts.passkeys import MoreRelayedCalls, Passkeys, has_factory
from usufruct.assets import AssetIndexer, Assets, Listings, RegistryClient, ShareHolders
from usufruct.chain import ChainAccess, Senders
from usufruct.chain.contracts.till import Till
from usufruct.chain.deployment import Deployments
from usufruct.chain.keys import Role, role_address
from usufruct.config import Config
from usufruct.console.access_pages import access_routes
from usufruct.console.desk_api import desk_routes
from usufruct.console.desk_pages import desk_pages
from usufruct.console.draft_costs import DraftCosts
from usufruct.console.installation_view import InstallationView
from usufruct.console.operator_pages import operator_routes
from usufruct.console.operators import Operators
from usufruct.console.owner_pages import owner_routes
from usufruct.console.ownership import Ownership
from usufruct.console.payees import Payees
from usufruct.console.registrar import Registrar
from usufruct.console.relayed_calls import SellersCalls
from usufruct.console.sale_api import sale_routes
from usufruct.console.sale_pages import sale_pages
from usufruct.console.sales import Sales
from usufruct.console.seller_desk import Desk
from usufruct.console.sellers import Sellers
from usufruct.console.store import DraftStore
from usufruct.console.till_ownership import TillOwnership
from usufruct.core import Address, Clock
from usufruct.core.components import Component, Context
from usufruct.core.diagnostics import Diagnostics
from usufruct.core.networks import is_devnet
from usufruct.gateway import Catalogue, FreeSamples, Operator, ServiceQuality
from usufruct.http import Reach
from usufruct.payments.ledger import Ledger
from usufruct.payments.pricing import PayerBenefits
from usufruct.store import Database, MasterSecret
from usufruct.web.ui import Pages


def build(context: Context) -> Component:
    """Build the component."""
    get = context.get

    def operators() -> Operators:
        config = get(Config)
        owner = role_address(Role.OWNER, config) if is_devnet(config.chain.id) else None
        admins = frozenset(map(Address, config.operator.admin.split()))
        till, seconds = Till(get(Operator).till, get(ChainAccess).client), config.chain.node_seconds
        return Operators(get(Sessions), till, get(Clock), admins, owner, seconds)

    def drafts() -> DraftStore:
        return DraftStore(get(Database), get(MasterSecret).seal("sale drafts"), get(Clock))

    def costs() -> DraftCosts:
        return DraftCosts(get(DraftStore), get(Operator).decimals, get(Clock))

    def sales() -> Sales:
        registry, chain = get(RegistryClient), get(ChainAccess)
        till = Till(get(Operator).till, chain.client)
        devnet = is_devnet(chain.chain_id)
        owner = (lambda: get(Senders).of(Role.OWNER)) if devnet else None
        registrar = Registrar(Assets(registry), till, chain.chain_id, owner)
        ownership = Ownership(registry, registrar, get(Operator), chain.chain_id)
        reach = Reach.PRIVATE if get(Config).allows_private_servers else Reach.PUBLIC
        made = Sales(
            get(DraftStore),
            get(DraftCosts),
            ownership,
            get(Catalogue),
            get(Listings),
            get(Operator),
            get(Clock),
            reach,
        )
        context.closing.push_async_callback(made.close)
        return made

    def desk() -> Desk:
        chain = get(ChainAccess)
        owner = (lambda: get(Senders).of(Role.OWNER)) if is_devnet(chain.chain_id) else None
        return Desk(
            get(DraftCosts),
            get(Listings),
            get(Catalogue),
            get(ServiceQuality),
            get(FreeSamples),
            Assets(get(RegistryClient)),
            get(ShareHolders),
            get(Operator),
            get(Clock),
            chain.chain_id,
            owner,
            get(PayerBenefits),
        )

    def payees() -> Payees:
        chain = get(ChainAccess)
        owner = (lambda: get(Senders).of(Role.OWNER)) if is_devnet(chain.chain_id) else None
        return Payees(chain, get(Operator), get(AssetIndexer), owner)

    def ownership() -> TillOwnership:
        chain = get(ChainAccess)
        owner = (lambda: get(Senders).of(Role.OWNER)) if is_devnet(chain.chain_id) else None
        return TillOwnership(chain, get(Operator), get(Operators), get(Sessions), owner)

    def view() -> InstallationView:
        return InstallationView(
            get(ChainAccess),
            get(Ledger),
            get(Catalogue),
            get(Sales),
            get(Payees),
            get(Operator),
            get(Diagnostics),
        )

    def sellers() -> Sellers:
        seconds = get(Config).chain.node_seconds
        return Sellers(get(Operators), get(Sessions), get(Listings), get(AssetIndexer), seconds)

    async def is_passkey_account(account: Address) -> bool:
        return has_factory(get(Deployments)) and bool(await get(Passkeys).store.list(account))

    def sellers_calls() -> SellersCalls:
        registry = get(RegistryClient).contract.address
        till = Till(get(Operator).till, get(ChainAccess).client)
        return SellersCalls(registry, till, get(AssetIndexer), get(Operators))

    get(MoreRelayedCalls)["console"] = sellers_calls
    context.provide_later(Operators, operators)
    context.provide_later(Sellers, sellers)
    context.provide_later(Payees, payees)
    context.provide_later(InstallationView, view)
    context.provide_later(Desk, desk)
    context.provide_later(DraftStore, drafts)
    context.provide_later(DraftCosts, costs)
    context.provide_later(Sales, sales)
    return Component(
        "console",
        routes=lambda: [
            *access_routes(get(Operators)),
            *sale_routes(get(Sales), get(Operators)),
            *operator_routes(get(InstallationView), get(Payees), get(Operators), get(Pages), is_passkey_account),
            *owner_routes(ownership(), get(Operators), get(Pages), is_passkey_account),
            *desk_routes(get(Desk), get(Operators), get(Sellers)),
            *desk_pages(
                get(Desk),
                get(Catalogue),
                get(Sellers),
                get(Operators),
                get(Pages),
                get(RegistryClient).contract.address,
                is_passkey_account,
            ),
            *sale_pages(get(Sales), get(Operators), get(Pages), is_passkey_account),
        ],
    )
