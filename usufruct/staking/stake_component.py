"""What locks add to an installation: their routes and page, the weeks of revenue, what the relayer pays for."""

from collections.abc import Sequence

from usufruct.accounts import DEMO_ACCOUNT, Sessions
from usufruct.accounts.passkeys import Wallet, has_factory
from usufruct.chain import ChainAccess, TokenFacts, amount_of
from usufruct.chain.contracts.levels import Levels
from usufruct.chain.contracts.platform_token import PlatformToken
from usufruct.chain.contracts.vote_escrow import VoteEscrow
from usufruct.chain.deployment import Deployments
from usufruct.chain.keys import devnet_signer
from usufruct.config import Config
from usufruct.core import Address
from usufruct.core.components import Context
from usufruct.core.networks import is_devnet
from usufruct.staking.levels import StakingLevels
from usufruct.staking.node_limit import NodeLimit
from usufruct.staking.relayed_calls import StakersCalls
from usufruct.staking.revenue_weeks import RevenueWeeks
from usufruct.staking.stake_api import request_routes, stake_routes
from usufruct.staking.stake_pages import PATH, stake_pages
from usufruct.staking.stake_requests import StakeRequests
from usufruct.staking.stake_view import StakeViews
from usufruct.staking.stakes import Stakes
from usufruct.staking.week_api import week_routes
from usufruct.web import Route
from usufruct.web.ui import ECONOMY, NavigationLink, Pages


class StakeParts:
    """The parts of a component, of an installation that has an escrow."""

    navigation: Sequence[NavigationLink] = (NavigationLink(PATH, "Stake", ECONOMY, 10),)

    def __init__(self, context: Context) -> None:
        """Provide the weeks of revenue and the view of the page."""
        self._context = context
        context.provide_later(RevenueWeeks, lambda: RevenueWeeks(context.get(ChainAccess)))
        context.provide_later(StakeViews, self._views)

    def routes(self) -> Sequence[Route]:
        """Return the routes of the API and the page."""
        get = self._context.get
        views, sessions = get(StakeViews), get(Sessions)
        return [
            *stake_routes(views.requests.stakes),
            *request_routes(views.requests, sessions, views.node),
            *week_routes(views.requests.stakes, views.weeks, views.node),
            *stake_pages(views, sessions, get(Pages), airdrops=bool(get(Config).platform_token.airdrops)),
        ]

    def relayed_calls(self, airdrops: Sequence[Address]) -> StakersCalls:
        """Return what the relayer pays for; `airdrops`: contracts whose entries are claimed into locks."""
        get = self._context.get
        deployments, chain = get(Deployments), get(ChainAccess)
        least = amount_of(chain.config.refunds.least, "refunds.least", get(TokenFacts))
        escrow, token = deployments.address(VoteEscrow), deployments.address(PlatformToken)
        return StakersCalls(escrow, token, chain.client, least, airdrops)

    def _views(self) -> StakeViews:
        get = self._context.get
        chain, deployments = get(ChainAccess), get(Deployments)
        wallet = get(Wallet) if has_factory(deployments) else None
        demo = devnet_signer(DEMO_ACCOUNT, chain.chain_id) if is_devnet(chain.chain_id) else None
        levels = StakingLevels(chain) if Levels.__name__ in deployments.contracts else None
        requests = StakeRequests(Stakes(chain), chain, wallet, demo)
        return StakeViews(requests, get(RevenueWeeks), levels, NodeLimit(chain.config.chain.node_seconds))
