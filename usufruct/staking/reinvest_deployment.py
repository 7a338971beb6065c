"""What reinvesting adds to a deployment: the contract, its market and feed, and on a local chain both of these, too."""

from collections.abc import AsyncIterator
from dataclasses import replace
from secrets import token_hex

from usufruct.chain import ChainAccess
from usufruct.chain.contracts.reinvestor import Reinvestor, Venue
from usufruct.chain.contracts.test_dollar import TestDollar
from usufruct.chain.contracts.test_market import TestMarket
from usufruct.chain.contracts.test_price_feed import TestPriceFeed
from usufruct.chain.contracts.vote_escrow import VoteEscrow
from usufruct.chain.deployment import Deployments, DeploySite, address_of
from usufruct.config import InvalidSetting, PlatformTokenConfig
from usufruct.core import ZERO_ADDRESS, Address, checksum, divide_down, moment, parse_units
from usufruct.core.components import DeployStep
from usufruct.core.diagnostics import Finding, bad, good
from usufruct.core.networks import is_local
from usufruct.staking.airdrop_rows import TOKEN_DECIMALS
from usufruct.staking.errors import StakeRefused
from usufruct.staking.reinvestments import Reinvestments

_FEED_DECIMALS = 8
_DOLLAR_DECIMALS = 6
_MARKET_PERCENT = 1
"""Of the supply, that a local chain's market holds."""

_VENUE_GAS = 300_000


def has_reinvestor(deployments: Deployments) -> bool:
    """Tell whether the installation was deployed with a contract that reinvests."""
    return Reinvestor.__name__ in deployments.contracts


def with_test_market(settings: PlatformTokenConfig, chain_id: int) -> PlatformTokenConfig:
    """Return the settings with a part of the supply for a local chain's market, if they ask for one.

    Raises:
        InvalidSetting: when they do so on a public chain, or name a router or a feed beside it, or one of these alone.
    """
    router, feed, price = settings.reinvest_router, settings.reinvest_feed, settings.reinvest_test_price
    if bool(router) != bool(feed):
        missing = "reinvest_feed" if router else "reinvest_router"
        raise InvalidSetting(
            f"`platform_token.{missing}` is empty; reinvesting needs a router and a feed: set both or neither"
        )
    if price == "0":
        return settings
    if not is_local(chain_id) or router:
        raise InvalidSetting(
            f"`platform_token.reinvest_test_price` is {price}; it is for a local chain without `reinvest_router`. "
            "Remove it here"
        )
    part = f"{address_of(TestMarket, TestMarket.deploy())}={_MARKET_PERCENT}"
    return replace(settings, allocation=f"{settings.allocation},{part}" if settings.allocation.strip() else part)


def reinvest_steps(
    site: DeploySite, settings: PlatformTokenConfig, escrow: Address, token: Address
) -> list[DeployStep]:
    """Return the steps, none without a router and without a test price. What an owner has chosen since stays."""
    router, feed, steps = Address(settings.reinvest_router), Address(settings.reinvest_feed), list[DeployStep]()
    if settings.reinvest_test_price != "0":
        router, feed = (address_of(each, each.deploy()) for each in (TestMarket, TestPriceFeed))
        steps = _test_steps(site, settings)
    if not router:
        return []
    creation = Reinvestor.deploy(site.setup.owner, escrow)
    reinvestor = Reinvestor(address_of(Reinvestor, creation), site.client)
    age, slippage = settings.reinvest_price_minutes * 60, settings.reinvest_slippage_bps
    venue = Venue(router, feed, age, slippage, (site.setup.token, token))
    steps.append(site.creation(Reinvestor, creation, needs=escrow))
    return [*steps, _venue_step(site, reinvestor, venue), _locker_step(site, escrow, reinvestor.address)]


def _venue_step(site: DeploySite, reinvestor: Reinvestor, venue: Venue) -> DeployStep:
    async def chosen() -> bool:
        if await reinvestor.owner() != site.setup.owner:
            return True
        return (await reinvestor.venue()).router != ZERO_ADDRESS

    async def choose() -> None:
        await site.sender.execute(reinvestor.set_venue(venue), f"venue/{reinvestor.address}/{token_hex(4)}")

    return site.setting("set the market that revenue is reinvested at", reinvestor.address, chosen, choose, _VENUE_GAS)


def _locker_step(site: DeploySite, at: Address, reinvestor: Address) -> DeployStep:
    """Return the step that lets the contract add to locks; where the escrow is the stakers', they decide."""
    escrow = VoteEscrow(at, site.client)

    async def allowed() -> bool:
        return await escrow.lockers(reinvestor) or await escrow.owner() != site.setup.owner

    async def allow() -> None:
        key = f"stake/locker/{reinvestor}/{token_hex(4)}"
        await site.sender.execute(escrow.set_locker(reinvestor, allowed=True), key)

    return site.setting("let Reinvestor add to locks", at, allowed, allow)


def _test_steps(site: DeploySite, settings: PlatformTokenConfig) -> list[DeployStep]:
    """Return the steps that make a market and a feed, and give them dollars and a price."""
    market, feed = TestMarket.deploy(), TestPriceFeed.deploy()
    market_at, feed_at = address_of(TestMarket, market), address_of(TestPriceFeed, feed)
    dollar, reported = TestDollar(site.setup.token, site.client), TestPriceFeed(feed_at, site.client)
    price = parse_units(settings.reinvest_test_price, _FEED_DECIMALS, "platform_token.reinvest_test_price")
    whole = divide_down(parse_units(settings.supply, TOKEN_DECIMALS) * _MARKET_PERCENT, 100 * 10**TOKEN_DECIMALS)
    dollars = divide_down(whole * price * 10**_DOLLAR_DECIMALS, 10**_FEED_DECIMALS)

    async def filled() -> bool:
        return await dollar.balance_of(market_at) > 0

    async def fill() -> None:
        await site.sender.execute(dollar.mint(market_at, dollars), f"market/{market_at}/{token_hex(4)}")

    async def fresh() -> bool:
        head, found = await site.client.head(), await reported.latest_round_data()
        return head.timestamp - found.updated_at < settings.reinvest_price_minutes * 30

    async def post() -> None:
        await site.sender.execute(reported.post(price), f"price/{feed_at}/{token_hex(4)}")

    return [
        site.creation(TestMarket, market),
        site.creation(TestPriceFeed, feed),
        site.setting("give the test market dollars", market_at, filled, fill),
        site.setting("post the test price", feed_at, fresh, post),
    ]


async def check_reinvesting(chain: ChainAccess) -> AsyncIterator[Finding]:
    """Check that revenue can be reinvested: a market is set, the contract may add to locks, and the price counts."""
    reinvestments = Reinvestments(chain)
    contract = reinvestments.contract
    if contract is None:
        return
    place = checksum(contract.address)
    if not await reinvestments.offered():
        remedy = f"run `usufruct stake locker {place}` and `usufruct deploy`, or have the stakers decide it"
        yield bad("reinvest", f"Reinvestor {place} has no market, or may not add to locks", remedy)
        return
    try:
        feed = await reinvestments.price()
    except StakeRefused as error:
        yield bad("reinvest", error.message, "set another feed: Reinvestor.setVenue")
        return
    shown = f"the feed's price is {feed.price:f} of {moment(feed.updated_at)}"
    if feed.live:
        yield good("reinvest", shown)
    else:
        yield bad("reinvest", f"{shown} and does not count; no revenue is reinvested", "wait for its next report")
