"""What deals add to an installation: deal room and allow list, the index, routes, pages, and what the doctor asks."""

from collections.abc import AsyncIterator

from usufruct.accounts import Sessions
from usufruct.accounts.passkeys import MoreRelayedCalls, Wallet, has_factory
from usufruct.chain import ChainAccess, LogStreams
from usufruct.chain.deployment import Deployments, DeploySite
from usufruct.config import Config
from usufruct.core.address_lists import read_deals
from usufruct.core.components import Component, Context
from usufruct.core.diagnostics import Diagnostic, Finding
from usufruct.core.jobs import Job
from usufruct.staking.deals.api import deal_routes
from usufruct.staking.deals.deal_calls import DealCalls
from usufruct.staking.deals.deal_logs import DealIndexer
from usufruct.staking.deals.deals import Deals, ShownDeals
from usufruct.staking.deals.deployment import deploy_steps, has_deals
from usufruct.staking.deals.diagnostics import check_deals
from usufruct.staking.deals.pages import deal_pages
from usufruct.staking.deals.relayed_calls import SubscribersCalls
from usufruct.web import Route
from usufruct.web.ui import Pages

_POLL_SECONDS = 5.0


def build(context: Context) -> Component:
    """Build the component."""
    get = context.get

    def deals() -> Deals:
        shown = ShownDeals(read_deals(get(Config).platform_token.deals))
        return Deals(get(ChainAccess), get(DealIndexer), shown)

    def routes() -> list[Route]:
        if not has_deals(get(Deployments)):
            return []
        wallet = get(Wallet) if has_factory(get(Deployments)) else None
        found, sessions, symbol = get(Deals), get(Sessions), get(Config).platform_token.symbol
        return [
            *deal_routes(DealCalls(found), sessions, wallet),
            *deal_pages(found, sessions, get(Pages), wallet, symbol),
        ]

    async def start() -> None:
        if has_deals(get(Deployments)):
            get(LogStreams)["deals"] = lambda: get(DealIndexer).logs
            get(MoreRelayedCalls)["deals"] = lambda: SubscribersCalls(get(Deals))

    def jobs() -> list[Job]:
        return [Job("deals", get(DealIndexer).poll, _POLL_SECONDS)] if has_deals(get(Deployments)) else []

    async def check() -> AsyncIterator[Finding]:
        if has_deals(get(Deployments)):
            async for finding in check_deals(get(ChainAccess)):
                yield finding

    context.provide_later(DealIndexer, lambda: DealIndexer(get(ChainAccess)))
    context.provide_later(Deals, deals)
    return Component(
        "deals",
        start=start,
        routes=routes,
        jobs=jobs,
        diagnostics=(Diagnostic("deals", check, needs=("contracts",)),),
        deploy_steps=lambda: deploy_steps(get(DeploySite), get(Config).platform_token),
    )
