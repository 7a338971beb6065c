"""What the token economy adds to an installation: contracts, airdrops, locks, fees brought to stakers."""

from collections.abc import AsyncIterator

from usufruct.accounts.passkeys import MoreRelayedCalls
from usufruct.assets import Listings, RegistryClient
from usufruct.chain import ChainAccess, LogStreams, Senders, TokenFacts, amount_of
from usufruct.chain.contracts.fee_splitter import FeeSplitter
from usufruct.chain.contracts.levels import Levels
from usufruct.chain.contracts.platform_token import PlatformToken
from usufruct.chain.contracts.vote_escrow import VoteEscrow
from usufruct.chain.deployment import Deployments, DeploySite, address_of
from usufruct.chain.keys import Role
from usufruct.config import Config, PlatformTokenConfig
from usufruct.core import Clock
from usufruct.core.components import Component, Context, DeployStep
from usufruct.core.diagnostics import Diagnostic, Finding
from usufruct.core.jobs import Job
from usufruct.payments.pricing import NoLevels, PayerBenefits
from usufruct.staking.airdrop_component import AirdropParts
from usufruct.staking.fee_keeper import FeeKeeper, FeePlan, check_fees
from usufruct.staking.fee_sinks import fee_steps
from usufruct.staking.level_api import level_routes
from usufruct.staking.level_benefits import LevelBenefits
from usufruct.staking.levels import StakingLevels, levels_creation
from usufruct.staking.node_limit import NodeLimit
from usufruct.staking.platform_token import platform_token_creation
from usufruct.staking.refusals import REFUSALS
from usufruct.staking.reinvest_deployment import check_reinvesting, has_reinvestor, reinvest_steps, with_test_market
from usufruct.staking.revenue_weeks import RevenueWeeks
from usufruct.staking.stake_component import StakeParts
from usufruct.staking.vote_escrow import vote_escrow_creation
from usufruct.web import Route
from usufruct.web.ui import Pages

_FEE_SECONDS = 60.0
_WEEK_SECONDS = 30.0
_LEVEL_SECONDS = 5.0


def build(context: Context) -> Component:
    """Build the component."""
    get, stakes, airdrops = context.get, StakeParts(context), AirdropParts(context)

    def routes() -> list[Route]:
        parts: list[StakeParts | AirdropParts] = [stakes, airdrops] if has_escrow(get(Deployments)) else [airdrops]
        if navigation := [link for part in parts for link in part.navigation]:
            get(Pages).add_package("usufruct.staking", navigation, REFUSALS)
        node = NodeLimit(get(Config).chain.node_seconds)
        levels = level_routes(StakingLevels(get(ChainAccess)), node) if has_levels(get(Deployments)) else []
        return [*levels, *(route for part in parts for route in part.routes())]

    async def start() -> None:
        deployments = get(Deployments)
        if has_escrow(deployments):
            get(MoreRelayedCalls)["staking"] = lambda: stakes.relayed_calls(airdrops.contracts)
            get(LogStreams)["staking"] = lambda: get(RevenueWeeks).logs

    def jobs() -> list[Job]:
        weeks = [Job("staking_weeks", get(RevenueWeeks).poll, _WEEK_SECONDS)] if has_escrow(get(Deployments)) else []
        return [*weeks, *fee_jobs()]

    def fee_jobs() -> list[Job]:
        if not has_splitter(get(Deployments)):
            return []
        chain = get(ChainAccess)
        least = amount_of(chain.config.claims.threshold, "claims.threshold", get(TokenFacts))
        plan = FeePlan(chain, get(RegistryClient), get(Listings), least)
        return [Job("fees", FeeKeeper(plan, get(Senders).of(Role.CLAIM)).run, _FEE_SECONDS)]

    async def fees() -> AsyncIterator[Finding]:
        chain = get(ChainAccess)
        if has_splitter(chain.deployments):
            async for finding in check_fees(chain):
                yield finding

    async def reinvesting() -> AsyncIterator[Finding]:
        chain = get(ChainAccess)
        if has_reinvestor(chain.deployments):
            async for finding in check_reinvesting(chain):
                yield finding

    def benefits() -> PayerBenefits:
        return get(LevelBenefits) if has_levels(get(Deployments)) else NoLevels()

    def gateway_jobs() -> list[Job]:
        levels = [levels_job(get(LevelBenefits), get(Listings), get(Config))] if has_levels(get(Deployments)) else []
        return [*levels, *airdrops.gateway_jobs()]

    context.provide_later(LevelBenefits, lambda: LevelBenefits(StakingLevels(get(ChainAccess)), get(Clock)))
    context.provide_later(PayerBenefits, benefits)
    return Component(
        "staking",
        start=start,
        routes=routes,
        jobs=jobs,
        gateway_jobs=gateway_jobs,
        diagnostics=(
            Diagnostic("fees", fees, needs=("contracts",)),
            Diagnostic("reinvest", reinvesting, needs=("contracts",)),
            airdrops.diagnostic,
        ),
        deploy_steps=lambda: deploy_steps(get(DeploySite), get(Config).platform_token),
    )


def has_escrow(deployments: Deployments) -> bool:
    """Tell whether the installation was deployed with a platform token that can be locked."""
    return VoteEscrow.__name__ in deployments.contracts


def has_levels(deployments: Deployments) -> bool:
    """Tell whether the installation was deployed with levels."""
    return Levels.__name__ in deployments.contracts


def levels_job(benefits: LevelBenefits, listings: Listings, config: Config) -> Job:
    """Return the job by which a gateway has the levels of the newest block, while they bring something here."""
    every, quotas = config.chain.poll_milliseconds / 1000, config.gateway.calls_per_minute > 0

    async def refresh() -> None:
        if quotas or any(each.level_discount_bps for each in await listings.list() if each.retired_at is None):
            await benefits.refresh()

    return Job("levels", refresh, every, benefits.close, longest=max(every, _LEVEL_SECONDS))


def has_splitter(deployments: Deployments) -> bool:
    """Tell whether the installation was deployed with a platform token whose stakers get fees."""
    return FeeSplitter.__name__ in deployments.contracts


def deploy_steps(site: DeploySite, settings: PlatformTokenConfig) -> list[DeployStep]:
    """Return what the token economy deploys, if the platform token has a name.

    That is token, escrow, fee sink, levels and what reinvests revenue. A contract that stands already keeps its
    treasury, also when a governor came later.

    Raises:
        InvalidSetting: when fees shall go to a treasury that there is not.
    """
    if not settings.name:
        return []
    setup, settings = site.setup, with_test_market(settings, site.chain_id)
    treasuries = (setup.treasury, setup.fee_sink)
    token = site.standing(
        PlatformToken, *(platform_token_creation(settings, setup.owner, treasury) for treasury in treasuries)
    )
    token_at = address_of(PlatformToken, token)
    escrow = vote_escrow_creation(settings, setup.owner, token_at, setup.token)
    escrow_at = address_of(VoteEscrow, escrow)
    splitter = site.standing(FeeSplitter, *(FeeSplitter.deploy(escrow_at, treasury) for treasury in treasuries))
    steps = [
        site.creation(PlatformToken, token),
        site.creation(VoteEscrow, escrow, needs=token_at),
        site.creation(FeeSplitter, splitter, needs=escrow_at),
    ]
    if settings.levels:
        levels = levels_creation(settings.levels, setup.owner, escrow_at)
        steps.append(site.creation(Levels, levels, needs=escrow_at))
    steps += reinvest_steps(site, settings, escrow_at, token_at)
    return [*steps, *fee_steps(site, settings, address_of(FeeSplitter, splitter))]
