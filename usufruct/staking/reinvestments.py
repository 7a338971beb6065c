"""Reinvesting: what revenue would buy for a lock now, by market and price feed, and the call that does it."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from usufruct.chain import Call, ChainAccess, Log, Revert, UnreadableAnswer
from usufruct.chain.contracts.reinvestor import AmountTooSmall, InvalidPrice, Reinvested, Reinvestor, StalePrice
from usufruct.chain.contracts.vote_escrow import VoteEscrow
from usufruct.core import ZERO_ADDRESS, Address, divide_up
from usufruct.staking.errors import StakeRefused

USUAL_SLIPPAGE_BPS = 50
"""What a market may move between the quote and the purchase, unless the account names its least itself."""

_BPS = 10_000
_DEADLINE_SECONDS = 1_200


@dataclass(frozen=True, slots=True)
class FeedPrice:
    """The price of a platform token in the revenue token, as a feed reported it at `updated_at`, Unix seconds.

    It counts until it is older than `max_age` seconds, and while it is above 0.
    """

    price: Decimal
    updated_at: int
    max_age: int
    now: int

    @property
    def age(self) -> int:
        """Seconds since the report."""
        return max(self.now - self.updated_at, 0)

    @property
    def live(self) -> bool:
        """Whether the contract buys by it."""
        return self.price > 0 and self.updated_at <= self.now and self.age <= self.max_age


@dataclass(frozen=True, slots=True)
class ReinvestQuote:
    """What `amount` of revenue buys now, in atomic units.

    `expected`: by the market, which anyone can move; `least`: by the feed's price, less the slippage that the owner of
    the contract has set.
    """

    amount: int
    expected: int
    least: int
    feed: FeedPrice
    slippage_bps: int

    def min_out(self, slippage_bps: int = USUAL_SLIPPAGE_BPS) -> int:
        """Return the least to name: what the market would give, less a part, and no less than the price allows."""
        return max(self.least, divide_up(self.expected * (_BPS - slippage_bps), _BPS))


class Reinvestments:
    """Reads the Reinvestor of an installation; nothing is sent. Questions raise `RpcUnavailable`."""

    def __init__(self, chain: ChainAccess) -> None:
        """Work on the contract of the installation, if it has one."""
        self._client = chain.client
        self._escrow = VoteEscrow(chain.deployments.address(VoteEscrow), chain.client)
        found = chain.deployments.contracts.get(Reinvestor.__name__)
        self.contract = Reinvestor(found.address, chain.client) if found else None

    async def offered(self) -> bool:
        """Tell whether revenue can be reinvested here, a price and a market provided."""
        if self.contract is None:
            return False
        venue, allowed = await asyncio.gather(self.contract.venue(), self._escrow.lockers(self.contract.address))
        return allowed and venue.router != ZERO_ADDRESS

    async def open_contract(self) -> Reinvestor:
        """Return the contract.

        Raises:
            StakeRefused: when revenue cannot be reinvested here.
        """
        if self.contract is None or not await self.offered():
            raise _closed()
        return self.contract

    async def price(self) -> FeedPrice:
        """Return the feed's price, whether or not it counts.

        Raises:
            StakeRefused: when revenue cannot be reinvested here, or the feed does not answer.
        """
        contract = await self.open_contract()
        head = await self._client.head()
        contract = contract.at_block(head.number)
        try:
            found, venue = await asyncio.gather(contract.price(), contract.venue())
        except (Revert, UnreadableAnswer) as error:
            raise _refused("the price feed does not answer", "no_price") from error
        price = Decimal(found.answer).scaleb(-found.decimals).normalize()
        return FeedPrice(price, found.updated_at, venue.max_age, head.timestamp)

    async def quote(self, amount: int) -> ReinvestQuote:
        """Return what an amount of revenue would buy now.

        Raises:
            StakeRefused: when the contract would not buy for it now; names the reason.
        """
        contract, feed = await self.open_contract(), await self.price()
        slippage = (await contract.venue()).max_slippage_bps
        try:
            least = await contract.least_out(amount)
        except (StalePrice, InvalidPrice) as error:
            raise _refused(f"the feed's price does not count: {error.message}", "no_price") from error
        except AmountTooSmall as error:
            raise _refused(f"{error.message}", "small") from error
        try:
            expected = await contract.expected_out(amount)
        except (Revert, UnreadableAnswer) as error:
            raise _refused("the market does not give a price", "market") from error
        if expected < least:
            message = f"the market would give {expected}, the feed's price allows no less than {least}; try again later"
            raise _refused(message, "market")
        return ReinvestQuote(amount, expected, least, feed, slippage)

    def call(self, min_out: int, now: int) -> Call:
        """Return the call by which an account reinvests its revenue, within twenty minutes.

        Raises:
            StakeRefused: when there is no such contract.
        """
        if self.contract is None:
            raise _closed()
        return self._escrow.reinvest(self.contract.address, min_out, now + _DEADLINE_SECONDS)

    def purchase(self, logs: Iterable[Log]) -> Reinvested:
        """Return what a transaction bought, by its logs."""
        assert self.contract is not None
        (made,) = Reinvested.among(logs, self.contract.address)
        return made

    @property
    def address(self) -> Address | None:
        """Where the contract is."""
        return self.contract.address if self.contract else None


def _closed() -> StakeRefused:
    return _refused("revenue cannot be reinvested here; claim it", "reinvest_closed")


def _refused(message: str, reason: str) -> StakeRefused:
    return StakeRefused(message, reason=reason)
