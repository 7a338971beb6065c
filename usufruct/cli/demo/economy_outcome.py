"""What the economy chapter is made of, what it shows, and its books: from the chain's logs alone."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from usufruct.app import Installation
from usufruct.chain import Client
from usufruct.chain.contracts.erc20 import Erc20, Transfer
from usufruct.chain.contracts.platform_token import PlatformToken
from usufruct.chain.contracts.reinvestor import Reinvested, Reinvestor
from usufruct.chain.contracts.test_market import TestMarket
from usufruct.chain.contracts.vote_escrow import LockChanged, RevenueBooked, RevenueClaimed, VoteEscrow
from usufruct.cli.demo.outcome import Balances, read_balances
from usufruct.config import GovernanceConfig, PlatformTokenConfig
from usufruct.core import ZERO_ADDRESS, Address, divide_down
from usufruct.core.price_cards import PriceCard
from usufruct.gateway import Operator
from usufruct.staking import TOKEN_DECIMALS

LEVELS = ",".join(f"{90_000 * level}={2 * level}:1" for level in range(1, 11))
"""From a score of 90,000 on, 2 % off; from 900,000 on, 20 %."""

PRICE = "0.05"
"""Of a token in test dollars, at the market and by the feed."""

TOKEN = PlatformTokenConfig(
    name="Example", symbol="EXM", exit_penalty_percent=20, levels=LEVELS, reinvest_test_price=PRICE
)
GOVERNANCE = GovernanceConfig(
    quorum_floor="10000000", voting_delay_hours=1, voting_period_days=1, late_quorum_hours=0, timelock_days=1
)
PRICES = PriceCard(
    input_per_million=500_000, output_per_million=1_500_000, per_call=500_000, context_window=8_192, version=1
)
"""Half a dollar a call, so that the fee of two calls is seen in cents."""

DEPOSIT = 3_000_000
MOST_DISCOUNT_BPS = 2_000
"""Most that the seller lets a level take off."""

QUESTIONS = ("How does the money of a call reach the owners?", "What can the operator do, and what not?")
NEW_EXIT_PENALTY_PERCENT = 10


@dataclass(frozen=True, slots=True)
class Staker:
    """One who takes part: the whole tokens that the airdrop gives, and the weeks that they are locked for.

    `pays`: also the payer of the calls; `reinvests`: adds the revenue to the lock.
    """

    name: str
    tokens: int
    weeks: int
    renews: bool = False
    pays: bool = False
    reinvests: bool = False


STAKERS = (
    Staker("Ann", 20_000_000, 52),
    Staker("Ben", 20_000_000, 26),
    Staker("Cleo", 10_000_000, 13, renews=True, reinvests=True),
    Staker("Dora", 1_000_000, 52, pays=True),
)
OTHER_ACCOUNTS = 9_996
"""Accounts that the airdrop also pays, and which claim nothing here."""

TOKENS_OF_OTHERS = 100_000


@dataclass
class EconomyOutcome:
    """What happened; `conserved` is computed from the chain's logs and compared with the contracts' own counters.

    Test dollars are atomic units as text, platform tokens are whole tokens as text.
    """

    rpc_url: str
    addresses: Mapping[str, Address]
    airdrop: dict[str, object] = field(default_factory=dict)
    stakers: list[dict[str, object]] = field(default_factory=list)
    charged: int = 0
    saved: int = 0
    revenue_week: dict[str, object] = field(default_factory=dict)
    reinvested: dict[str, object] = field(default_factory=dict)
    proposal_executed: dict[str, object] = field(default_factory=dict)
    conserved: bool = False
    seconds: float = 0.0

    def as_json(self) -> dict[str, object]:
        """Return it with amounts of money as text."""
        return {**vars(self), "charged": str(self.charged), "saved": str(self.saved), "seconds": round(self.seconds, 1)}


def tokens(amount: int) -> str:
    """Write atomic units of the platform token as whole tokens, rounded down, for people."""
    return f"{divide_down(amount, 10**TOKEN_DECIMALS):,}"


async def tokens_conserved(installation: Installation, stakers: Sequence[Address]) -> bool:
    """Tell whether the whole supply is where logs put it, and the escrow holds exactly what is locked."""
    client = installation.client
    token = PlatformToken(installation.deployments.address(PlatformToken), client)
    escrow = VoteEscrow(installation.deployments.address(VoteEscrow), client)
    balances = await read_balances(client, token.address)
    logs = await client.logs(0, await client.block_number(), addresses=[escrow.address])
    locked = {each.account: each.amount for each in LockChanged.among(logs, escrow.address)}
    return (
        -balances[ZERO_ADDRESS] == await token.total_supply()
        and balances[escrow.address] == sum(locked.values())
        and locked == {each: (await escrow.lock_of(each)).amount for each in stakers}
        and await _equals_counters(Erc20(token.address, client), balances)
    )


async def dollars_conserved(
    installation: Installation, stakers: Sequence[Address], owners: Sequence[Address], charged: int
) -> bool:
    """Tell whether all that was charged is with owners and stakers, but for fractions that no account can be paid.

    The till's split, each owner's and each staker's part are rounded down, by less than a unit each.
    """
    client, token = installation.client, installation.get(Operator).token
    escrow = VoteEscrow(installation.deployments.address(VoteEscrow), client)
    balances = await read_balances(client, token)
    logs = await client.logs(0, await client.block_number(), addresses=[escrow.address])
    booked = sum(each.amount for each in RevenueBooked.among(logs, escrow.address))
    claimed: Balances = Counter()
    for each in RevenueClaimed.among(logs, escrow.address):
        claimed[each.to] += each.amount
    left = booked - claimed.total()
    return (
        0 <= left <= len(stakers)
        and balances[escrow.address] == left == (await escrow.revenue()).held
        and claimed == await _paid_by(client, token, escrow.address)
        and 0 <= charged - booked - sum(balances[owner] for owner in owners) <= len(owners)
        and await _equals_counters(Erc20(token, client), balances)
    )


async def reinvested_conserved(installation: Installation) -> bool:
    """Tell whether all that was claimed to the reinvestor is with the market, and all that it gave is locked."""
    client, deployments, dollar = installation.client, installation.deployments, installation.get(Operator).token
    reinvestor, market = deployments.address(Reinvestor), deployments.address(TestMarket)
    token, escrow = deployments.address(PlatformToken), deployments.address(VoteEscrow)
    logs = await client.logs(0, await client.block_number(), addresses=[reinvestor])
    made = Reinvested.among(logs, reinvestor)
    spent, bought = sum(each.spent for each in made), sum(each.bought for each in made)
    claimed, sold = await _paid_by(client, dollar, escrow), await _paid_by(client, token, market)
    return (
        claimed[reinvestor] == spent
        and await _paid_by(client, dollar, reinvestor) == Counter({market: spent})
        and sold == Counter({reinvestor: bought})
        and await _paid_by(client, token, reinvestor) == Counter({escrow: bought})
    )


async def _paid_by(client: Client, token: Address, payer: Address) -> Balances:
    """Return what an account has sent to each other, by a token's Transfer logs."""
    paid: Balances = Counter()
    for each in Transfer.among(await client.logs(0, await client.block_number(), addresses=[token]), token):
        if each.from_ == payer:
            paid[each.to] += each.value
    return paid


async def _equals_counters(token: Erc20, balances: Balances) -> bool:
    held = {account: amount for account, amount in balances.items() if account != ZERO_ADDRESS}
    return held == {account: await token.balance_of(account) for account in held}
