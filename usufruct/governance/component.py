"""What governance adds to an installation: governor and timelock, proposals as JSON and as pages.

The timelock is offered the ownership of what stakers decide about.
"""

from secrets import token_hex

from usufruct.accounts import DEMO_ACCOUNT, Sessions
from usufruct.accounts.passkeys import MoreRelayedCalls, Passkeys, has_factory
from usufruct.chain import ChainAccess, LogStreams
from usufruct.chain.contracts.asset_registry import AssetRegistry
from usufruct.chain.contracts.deal_room import DealRoom
from usufruct.chain.contracts.exchange import Exchange
from usufruct.chain.contracts.levels import Levels
from usufruct.chain.contracts.platform_governor import PlatformGovernor
from usufruct.chain.contracts.platform_timelock import PlatformTimelock
from usufruct.chain.contracts.platform_token import PlatformToken
from usufruct.chain.contracts.reinvestor import Reinvestor
from usufruct.chain.contracts.vote_escrow import VoteEscrow
from usufruct.chain.deployment import Deployments, DeploySite, address_of
from usufruct.chain.keys import devnet_signer
from usufruct.config import Config, InvalidSetting
from usufruct.core import ZERO_ADDRESS, Address, Clock
from usufruct.core.components import Component, Context, DeployStep
from usufruct.core.jobs import Job
from usufruct.core.networks import is_devnet
from usufruct.governance.api import governance_routes
from usufruct.governance.draft_api import draft_routes
from usufruct.governance.draft_limit import DraftLimit
from usufruct.governance.draft_pages import draft_pages
from usufruct.governance.drafts import Drafts
from usufruct.governance.governor import governor_creation, planned_timelock, timelock_creation
from usufruct.governance.governor_logs import has_governor
from usufruct.governance.pages import governance_pages
from usufruct.governance.powers import Powers
from usufruct.governance.proposal_views import ProposalViews
from usufruct.governance.proposals import Proposals
from usufruct.governance.refusals import REFUSALS
from usufruct.governance.voters import Voters, VotersCalls
from usufruct.web import Route
from usufruct.web.ui import Pages

_OFFERED = (AssetRegistry, Exchange, PlatformToken, VoteEscrow)
"""What stakers decide about, beside levels, deals and reinvesting, if there are any.

The till stays the operator's: it pays whom the operator works for.
"""


_POLL_SECONDS = 5.0


def build(context: Context) -> Component:
    """Build the component."""
    get = context.get

    def views() -> ProposalViews:
        proposals = get(Proposals)
        return ProposalViews(proposals, Powers(get(ChainAccess), proposals.indexer), get(Clock))

    async def holds_passkey(account: Address) -> bool:
        return has_factory(get(Deployments)) and bool(await get(Passkeys).store.list(account))

    def routes() -> list[Route]:
        if not has_governor(get(Deployments)):
            get(Pages).add_package("usufruct.governance", (), REFUSALS)  # pages of trusts draw with them
            return []
        chain, sessions = get(ChainAccess), get(Sessions)
        demo = devnet_signer(DEMO_ACCOUNT, chain.chain_id) if is_devnet(chain.chain_id) else None
        voters, shown = Voters(get(Proposals), chain, holds_passkey, demo), get(ProposalViews)
        drafts = Drafts(shown, voters, get(DraftLimit))
        pages = governance_pages(shown, voters, sessions, get(Pages))
        written = [*draft_routes(drafts, sessions), *draft_pages(drafts, voters, sessions, get(Pages))]
        return [*governance_routes(shown, voters, sessions), *pages, *written]

    async def start() -> None:
        if has_governor(get(Deployments)):
            get(LogStreams)["governance"] = lambda: get(Proposals).indexer.logs
            get(LogStreams)["payees"] = lambda: get(Proposals).indexer.payees
            get(MoreRelayedCalls)["governance"] = lambda: VotersCalls(get(Proposals))

    def jobs() -> list[Job]:
        if not has_governor(get(Deployments)):
            return []
        return [Job("proposals", get(Proposals).indexer.poll, _POLL_SECONDS)]

    context.provide_later(DraftLimit, lambda: DraftLimit(get(Config).governance.drafts_per_minute, get(Clock)))
    context.provide_later(Proposals, lambda: Proposals(get(ChainAccess)))
    context.provide_later(ProposalViews, views)
    return Component(
        "governance",
        start=start,
        routes=routes,
        jobs=jobs,
        deploy_steps=lambda: deploy_steps(get(DeploySite), get(Config)),
    )


def deploy_steps(site: DeploySite, config: Config) -> list[DeployStep]:
    """Return what governance deploys, if there is a quorum floor; the first proposal accepts what the last steps offer.

    Raises:
        InvalidSetting: when there is no platform token to vote with.
    """
    settings = config.governance
    timelock_at = planned_timelock(settings, site.setup.owner)
    if timelock_at is None:
        return []
    if not config.platform_token.name:
        raise InvalidSetting(
            f"`governance.quorum_floor` is {settings.quorum_floor} and there is no platform token to vote with; set "
            "`platform_token.name`, or the floor to 0"
        )
    escrow = site.planned(VoteEscrow)
    timelock = timelock_creation(settings, site.setup.owner)
    governor = governor_creation(settings, escrow, timelock_at)
    offered = [*_OFFERED, *((Levels, DealRoom) if config.platform_token.levels else ())]
    if site.plans(Reinvestor):
        offered.append(Reinvestor)
    return [
        site.creation(PlatformTimelock, timelock),
        site.creation(PlatformGovernor, governor, needs=escrow),
        _appointment(site, timelock_at, address_of(PlatformGovernor, governor)),
        *(_offer(site, contract(site.planned(contract), site.client), timelock_at) for contract in offered),
    ]


def _appointment(site: DeploySite, timelock_at: Address, governor_at: Address) -> DeployStep:
    timelock = PlatformTimelock(timelock_at, site.client)

    async def done() -> bool:
        return await timelock.appointer() == ZERO_ADDRESS

    async def appoint() -> None:
        await site.sender.execute(timelock.appoint(governor_at), f"appoint/{timelock_at}/{governor_at}")

    return site.setting("name the governor of PlatformTimelock", timelock_at, done, appoint)


def _offer(
    site: DeploySite,
    owned: AssetRegistry | Exchange | PlatformToken | VoteEscrow | Levels | DealRoom | Reinvestor,
    timelock: Address,
) -> DeployStep:
    """Return the step that names the timelock as the next owner of a contract, unless it has another owner already."""

    async def done() -> bool:
        return await owned.owner() != site.setup.owner or await owned.pending_owner() == timelock

    async def offer() -> None:
        key = f"offer/{owned.address}/{timelock}/{token_hex(4)}"
        await site.sender.execute(owned.transfer_ownership(timelock), key)

    return site.setting(f"offer {type(owned).__name__} to PlatformTimelock", owned.address, done, offer)
