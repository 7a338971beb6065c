"""Brings protocol fees to their sink, and closes weeks of the VoteEscrow. Anyone may do it, and again at no harm.

One call of the `FeeSplitter` releases the fees of several shares and of the exchange, sends them on, books what reached
the escrow for the running week, and closes weeks that are over. Fees of deals are released by a call before. Fees count
for the week in which they are booked, so they are also brought shortly before a week ends, however small.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from secrets import token_hex

from usufruct.assets import Listings, RegistryClient
from usufruct.chain import Call, ChainAccess, GasOverLimit, Revert, Sender
from usufruct.chain.contracts.asset_registry import AssetRegistry
from usufruct.chain.contracts.deal_room import DealRoom
from usufruct.chain.contracts.erc20 import Erc20
from usufruct.chain.contracts.exchange import Exchange
from usufruct.chain.contracts.fee_splitter import FeeSplitter
from usufruct.chain.contracts.shares import Shares
from usufruct.chain.contracts.vote_escrow import VoteEscrow
from usufruct.core import ZERO_ADDRESS, Address, checksum, moment
from usufruct.core.diagnostics import Finding, bad, good
from usufruct.staking.airdrop_rows import TOKEN_DECIMALS
from usufruct.staking.lock_model import MOST_WEEKS, WEEK_SECONDS, week_of

_log = logging.getLogger(__name__)

_MOST_SOURCES = 20
"""Contracts whose fees one transaction releases."""

_COIN_DECIMALS = 18

_LAST_SECONDS = 3_600
"""Before the end of a week: any amount is worth the gas then."""

_LATE_SECONDS = 86_400
"""After the end of a week: it should be closed by then."""


class FeePlan:
    """Finds the fees of services, trades and deals, and the calls that bring them to the stakers and the treasury."""

    def __init__(self, chain: ChainAccess, registry: RegistryClient, listings: Listings, least: int) -> None:
        """Bring `least` atomic units of the revenue token at once, and one whole unit of other tokens.

        Raises:
            NotDeployed: when the installation has no platform token.
        """
        self._client = chain.client
        found, at = chain.deployments.contracts, chain.deployments.address
        self._exchange = Exchange(at(Exchange), chain.client) if Exchange.__name__ in found else None
        self._room = DealRoom(at(DealRoom), chain.client) if DealRoom.__name__ in found else None
        self._registry = registry
        self._listings = listings
        self._least = least
        self.escrow = VoteEscrow(chain.deployments.address(VoteEscrow), chain.client)
        self.splitter = FeeSplitter(chain.deployments.address(FeeSplitter), chain.client)

    async def calls(self, *, everything: bool = False) -> list[Call]:
        """Return the calls that are worth their gas now, or all that would change something.

        Fees of a deal are released first; what they bring to the splitter is sent on by the calls after the next ones.

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
        for token, unit in (await self._tokens()).items():
            pays_stakers = token == revenue_token
            waiting, found = await self._waiting(token, sources)
            if pays_stakers:
                waiting += await Erc20(token, self._client).balance_of(self.escrow.address) - books.held
            of_deals = await sources.fees_of_deals(token)
            least = self._least if pays_stakers else unit
            least = 1 if everything or (pays_stakers and ending) else least
            due = waiting + of_deals >= least
            if due and of_deals and sources.room:
                calls.append(sources.room.release_fees(token))
            elif due or (pays_stakers and behind > 0):
                calls += self._forward(token, found)
        return calls

    async def _tokens(self) -> dict[Address, int]:
        """Return the tokens in which fees are brought, each with one whole unit; zero is the chain's coin."""
        of_revenue = {each.address: 10**each.decimals for each in await self._registry.tokens()}
        return of_revenue | {await self.escrow.token(): 10**TOKEN_DECIMALS, ZERO_ADDRESS: 10**_COIN_DECIMALS}

    async def _sources(self) -> "_Sources":
        """Return the contracts whose fees go to the splitter."""
        contract, shares = self._registry.contract, list[Shares]()
        if await contract.fee_sink() == self.splitter.address:
            payees = dict.fromkeys(await self._listings.payees())
            shares = [Shares(payee, self._client) for payee in payees if await contract.is_shares(payee)]
        exchange, room = self._exchange, self._room
        if exchange and (await exchange.protocol_fee()).sink != self.splitter.address:
            exchange = None
        if room and (await room.platform_fee()).sink != self.splitter.address:
            room = None
        return _Sources(shares, await contract.revenue_tokens(), exchange, room)

    async def _waiting(self, token: Address, sources: "_Sources") -> tuple[int, list[Address]]:
        """Return what waits in a token, in the splitter and as fees, and the contracts with such fees."""
        total, found = await self._balance(token, self.splitter.address), list[Address]()
        for shares in sources.shares if token in sources.revenue_tokens else ():
            revenue = await shares.revenue(token)
            if fee := revenue.fee_credited - revenue.fee_released:
                total += fee
                found.append(shares.address)
        if sources.exchange and (fee := await self._balance(token, sources.exchange.address)):
            total += fee
            found.append(sources.exchange.address)
        return total, found

    async def _balance(self, token: Address, account: Address) -> int:
        if token == ZERO_ADDRESS:
            return await self._client.balance(account)
        return await Erc20(token, self._client).balance_of(account)

    def _forward(self, token: Address, sources: Sequence[Address]) -> list[Call]:
        starts = range(0, max(1, len(sources)), _MOST_SOURCES)
        return [self.splitter.forward(token, list(sources[start : start + _MOST_SOURCES])) for start in starts]


@dataclass(frozen=True, slots=True)
class _Sources:
    """Contracts whose fees go to the splitter; `revenue_tokens` are those that shares take."""

    shares: Sequence[Shares]
    revenue_tokens: Sequence[Address]
    exchange: Exchange | None
    room: DealRoom | None

    async def fees_of_deals(self, token: Address) -> int:
        """Return what waits in the deal room."""
        return await self.room.fees_due(token) if self.room else 0


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
    fee_to = chain.config.platform_token.fee_to
    if sink == splitter:
        yield good("fees", "the protocol fee in the payment token goes to the stakers")
    elif fee_to != "stakers":
        yield good("fees", f"the protocol fee goes to {checksum(sink)}, as `platform_token.fee_to` says")
    else:
        remedy = f"run `usufruct registry fee-sink {checksum(splitter)}`, or set platform_token.fee_to to operator"
        yield bad("fees", f"the protocol fee goes to {checksum(sink)}, not to the stakers", remedy)
    for contract, of_trades in await _trade_sinks(chain):
        if fee_to == "stakers" and of_trades != splitter:
            remedy = f"have its owner call setFee with {checksum(splitter)}: `usufruct deploy`, or a proposal"
            yield bad("fees of trades", f"fees of {contract} go to {checksum(of_trades)}, not to the stakers", remedy)
    ended = (books.rolled_week + 1) * WEEK_SECONDS
    if head.timestamp - ended > _LATE_SECONDS:
        remedy = "run `usufruct worker`, or `usufruct stake distribute`"
        yield bad("weeks", f"stakers' week that ended at {moment(ended)} is not closed", remedy)
    else:
        yield good("weeks", "stakers' weeks that are over are closed")


async def _trade_sinks(chain: ChainAccess) -> list[tuple[str, Address]]:
    """Return who gets the fees of trades and deals, by the contract's name."""
    found, at = chain.deployments.contracts, chain.deployments.address
    sinks = []
    if Exchange.__name__ in found:
        sinks.append((Exchange.__name__, (await Exchange(at(Exchange), chain.client).protocol_fee()).sink))
    if DealRoom.__name__ in found:
        sinks.append((DealRoom.__name__, (await DealRoom(at(DealRoom), chain.client).platform_fee()).sink))
    return sinks
