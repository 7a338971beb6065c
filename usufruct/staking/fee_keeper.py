"""Brings protocol fees to their sink, and closes weeks of the VoteEscrow. Anyone may do it, and again at no harm.

One call of the `FeeSplitter` releases the fees of several shares, sends them on, books what reached the escrow for the
running week, and closes weeks that are over. Fees count for the week in which they are booked, so they are also brought
shortly before a week ends, however small.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from secrets import token_hex

from usufruct.assets import Listings, RegistryClient
from usufruct.chain import Call, ChainAccess, GasOverLimit, Revert, Sender
from usufruct.chain.contracts.asset_registry import AssetRegistry
from usufruct.chain.contracts.erc20 import Erc20
from usufruct.chain.contracts.fee_splitter import FeeSplitter
from usufruct.chain.contracts.shares import Shares
from usufruct.chain.contracts.vote_escrow import VoteEscrow
from usufruct.core import Address, checksum, moment
from usufruct.core.diagnostics import Finding, bad, good
from usufruct.staking.lock_model import MOST_WEEKS, WEEK_SECONDS, week_of

_log = logging.getLogger(__name__)

_MOST_SOURCES = 20
"""Shares whose fees one transaction releases."""

_LAST_SECONDS = 3_600
"""Before the end of a week: any amount is worth the gas then."""

_LATE_SECONDS = 86_400
"""After the end of a week: it should be closed by then."""


class FeePlan:
    """Finds the fees of the shares that listings pay to, and the calls that bring them to their sink."""

    def __init__(self, chain: ChainAccess, registry: RegistryClient, listings: Listings, least: int) -> None:
        """Bring `least` atomic units of the revenue token at once, and one whole unit of other tokens.

        Raises:
            NotDeployed: when the installation has no platform token.
        """
        self._client = chain.client
        self._registry = registry
        self._listings = listings
        self._least = least
        self.escrow = VoteEscrow(chain.deployments.address(VoteEscrow), chain.client)
        self.splitter = FeeSplitter(chain.deployments.address(FeeSplitter), chain.client)

    async def calls(self, *, everything: bool = False) -> list[Call]:
        """Return the calls that are worth their gas now, or all that would change something.

        Raises:
            RpcUnavailable: when the node does not answer.
        """
        now, books, revenue_token = await asyncio.gather(
            self._registry.now(), self.escrow.revenue(), self.escrow.revenue_token()
        )
        behind = week_of(now) - books.rolled_week
        calls = [self.escrow.roll(MOST_WEEKS)] * ((behind - 1) // MOST_WEEKS)
        ending = now % WEEK_SECONDS >= WEEK_SECONDS - _LAST_SECONDS
        sources = await self._sources()
        for token in await self._registry.tokens():
            pays_stakers = token.address == revenue_token
            waiting, found = await self._waiting(token.address, sources)
            if pays_stakers:
                waiting += await Erc20(token.address, self._client).balance_of(self.escrow.address) - books.held
            least = self._least if pays_stakers else 10**token.decimals
            least = 1 if everything or (pays_stakers and ending) else least
            if waiting >= least or (pays_stakers and behind > 0):
                calls += self._forward(token.address, found)
        return calls

    async def _sources(self) -> list[Shares]:
        """Return the shares of listings, while the registry's fees go to the splitter."""
        contract = self._registry.contract
        if await contract.fee_sink() != self.splitter.address:
            return []
        payees = dict.fromkeys(await self._listings.payees())
        return [Shares(payee, self._client) for payee in payees if await contract.is_shares(payee)]

    async def _waiting(self, token: Address, sources: Sequence[Shares]) -> tuple[int, list[Address]]:
        """Return what waits in a token, in the splitter and as fees, and the shares with such fees."""
        total, found = await Erc20(token, self._client).balance_of(self.splitter.address), []
        for shares in sources:
            revenue = await shares.revenue(token)
            if fee := revenue.fee_credited - revenue.fee_released:
                total += fee
                found.append(shares.address)
        return total, found

    def _forward(self, token: Address, sources: Sequence[Address]) -> list[Call]:
        starts = range(0, max(1, len(sources)), _MOST_SOURCES)
        return [self.splitter.forward(token, list(sources[start : start + _MOST_SOURCES])) for start in starts]


@dataclass(frozen=True, slots=True)
class FeeKeeper:
    """Sends what a plan finds worth its gas, with any key that can pay for it."""

    plan: FeePlan
    sender: Sender

    async def run(self) -> int:
        """Send what is due, and return how many transactions were sent; one under way is not sent again.

        Raises:
            RpcUnavailable: when the node does not answer.
        """
        return sum([await self._send(call) for call in await self.plan.calls()])

    async def _send(self, call: Call) -> bool:
        if await self.sender.unfinished(call):
            return False
        try:
            sent = await self.sender.send(call, f"fees/{call.to}/{token_hex(8)}")
        except (Revert, GasOverLimit) as refusal:
            _log.warning("fees cannot be brought by %s now: %s", call.to, refusal.message)
            return False
        _log.info("fees are brought to their sink", extra={"key": sent.key})
        return True


async def check_fees(chain: ChainAccess) -> AsyncIterator[Finding]:
    """Check that the protocol fee goes to the stakers, and that weeks that are over are closed."""
    registry = AssetRegistry(chain.deployments.address(AssetRegistry), chain.client)
    escrow = VoteEscrow(chain.deployments.address(VoteEscrow), chain.client)
    splitter = chain.deployments.address(FeeSplitter)
    sink, head, books = await asyncio.gather(registry.fee_sink(), chain.client.head(), escrow.revenue())
    if sink == splitter:
        yield good("fees", "the protocol fee in the payment token goes to the stakers")
    elif chain.config.platform_token.fee_to == "treasury":
        yield good("fees", f"the protocol fee goes to {checksum(sink)}, as `platform_token.fee_to` says")
    else:
        remedy = f"run `usufruct registry fee-sink {checksum(splitter)}`, or set platform_token.fee_to to treasury"
        yield bad("fees", f"the protocol fee goes to {checksum(sink)}, not to the stakers", remedy)
    ended = (books.rolled_week + 1) * WEEK_SECONDS
    if head.timestamp - ended > _LATE_SECONDS:
        remedy = "run `usufruct worker`, or `usufruct stake distribute`"
        yield bad("weeks", f"stakers' week that ended at {moment(ended)} is not closed", remedy)
    else:
        yield good("weeks", "stakers' weeks that are over are closed")
