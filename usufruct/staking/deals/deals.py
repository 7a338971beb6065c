"""The deals of an installation: which there are, how each stands, and what an account has in one."""

import asyncio
from dataclasses import dataclass

from usufruct.chain import ChainAccess, Revert, TokenFacts, UnreadableAnswer, token_facts
from usufruct.chain.contracts.allow_list import AllowList
from usufruct.chain.contracts.deal_room import DealRoom
from usufruct.chain.contracts.erc20 import Erc20
from usufruct.chain.contracts.vote_escrow import VoteEscrow
from usufruct.core import Address, Hash32, id_to_bytes
from usufruct.core.address_lists import ALL_DEALS
from usufruct.staking.deals.deal_logs import DealIndexer
from usufruct.staking.deals.errors import UnknownDeal
from usufruct.staking.deals.model import Deal, DealPart, DealState
from usufruct.staking.deals.store import (
    accounts_to_allot,
    deals_of,
    find_deal,
    named_deals,
    window_of,
    windows_of,
)
from usufruct.store import Unit

_ID_LENGTH = 66


@dataclass(frozen=True, slots=True)
class ShownDeals:
    """Which deals an installation shows: those of some ids, those of some issuers, or all."""

    names: frozenset[str]

    def has(self, deal: Deal) -> bool:
        """Tell whether a deal is shown."""
        return bool(self.names & {ALL_DEALS, deal.id, deal.issuer})

    async def read(self, unit: Unit, room: Address) -> list[Deal]:
        """Return the shown deals of a deal room, the newest first; those of strangers are not read."""
        if ALL_DEALS in self.names:
            return await deals_of(unit, room)
        deals = [Hash32(each) for each in self.names if len(each) == _ID_LENGTH]
        issuers = [Address(each) for each in self.names if len(each) < _ID_LENGTH]
        return await named_deals(unit, room, deals, issuers)


@dataclass(frozen=True, slots=True)
class DealTokens:
    """The two tokens of a deal."""

    sale: TokenFacts
    payment: TokenFacts


class Deals:
    """Reads deals: lists from the index, which follows the chain; accounts and tokens from the chain itself."""

    def __init__(self, chain: ChainAccess, indexer: DealIndexer, shown: ShownDeals) -> None:
        """Show those of `shown`.

        Raises:
            NotDeployed: when the installation has no deal room.
        """
        self.chain_id = chain.chain_id
        self.client = chain.client
        self.room = DealRoom(chain.deployments.address(DealRoom), chain.client)
        self.allow_list = AllowList(chain.deployments.address(AllowList), chain.client)
        self.shown = shown
        self._database = chain.database
        self._indexer = indexer
        self._escrow = VoteEscrow(chain.deployments.address(VoteEscrow), chain.client)
        self._tokens: dict[Address, TokenFacts] = {}

    async def all(self) -> list[DealState]:
        """Return all deals of the room as of the newest block, the newest first.

        Raises:
            RpcUnavailable: when the node does not answer.
        """
        return await self._states(ShownDeals(frozenset({ALL_DEALS})))

    async def listed(self) -> list[DealState]:
        """Return the deals that the installation shows, the newest first; raises as `all`."""
        return await self._states(self.shown)

    async def shown_deals(self) -> list[Deal]:
        """Return the deals that the installation shows, the newest first, as far as the chain was read."""
        async with self._database.snapshot() as unit:
            return await self.shown.read(unit, self.room.address)

    async def state(self, deal: Hash32) -> DealState:
        """Return how a deal stands as of the newest block.

        Raises:
            UnknownDeal: when there is none of this id.
            RpcUnavailable: when the node does not answer.
        """
        await self._indexer.poll()
        now = (await self.client.head()).timestamp
        async with self._database.snapshot() as unit:
            found = await find_deal(unit, self.room.address, deal)
            windows = await windows_of(unit, [deal])
        if found is None:
            raise UnknownDeal(f"no deal {deal} was created in the deal room {self.room.address}; check the id")
        return DealState(found, windows[deal], now)

    async def shown_state(self, deal: Hash32) -> DealState:
        """Return how a deal stands that the installation shows; raises as `state`."""
        found = await self.state(deal)
        if not self.shown.has(found.deal):
            raise UnknownDeal(f"deal {deal} is not shown here; its issuer may tell you where it is")
        return found

    async def tokens(self, deal: Deal) -> DealTokens:
        """Return the tokens of a deal."""
        return DealTokens(await self.token(deal.terms.sale_token), await self.token(deal.terms.payment_token))

    async def token(self, place: Address) -> TokenFacts:
        """Return what a token says of itself; one that says nothing is counted in atomic units, by its address."""
        if place not in self._tokens:
            try:
                self._tokens[place] = await token_facts(self.client, place)
            except (Revert, UnreadableAnswer):
                return TokenFacts(place, place, place, 0, None)
        return self._tokens[place]

    async def part(self, state: DealState, account: Address) -> DealPart:
        """Return what an account has in a deal and may do there, as of the newest block."""
        deal, terms = id_to_bytes(state.deal.id), state.deal.terms
        view, score, held, allowed = await asyncio.gather(
            self.room.subscription_of(deal, account),
            self._escrow.score_of(account),
            Erc20(terms.payment_token, self.client).balance_of(account),
            self._allows(state.deal, account),
        )
        async with self._database.snapshot() as unit:
            window = await window_of(unit, state.deal.id, account)
        return DealPart(
            account,
            score,
            terms.level_of(score),
            window if view.paid else None,
            view.paid,
            view.allocation,
            view.claimed,
            view.claimable,
            view.refundable,
            held,
            allowed,
        )

    async def to_allot(self, deal: Hash32) -> list[Address]:
        """Return the accounts whose results are not fixed, as far as the chain was read."""
        async with self._database.snapshot() as unit:
            return await accounts_to_allot(unit, deal)

    async def _states(self, shown: ShownDeals) -> list[DealState]:
        await self._indexer.poll()
        now = (await self.client.head()).timestamp
        async with self._database.snapshot() as unit:
            deals = await shown.read(unit, self.room.address)
            windows = await windows_of(unit, [each.id for each in deals])
        return [DealState(each, windows[each.id], now) for each in deals]

    async def _allows(self, deal: Deal, account: Address) -> bool:
        """Ask a deal's policy; one that answers nothing it should lets no account subscribe."""
        if not deal.terms.has_policy:
            return True
        policy = AllowList(deal.terms.policy, self.client)
        try:
            return await policy.can_subscribe(id_to_bytes(deal.id), account)
        except (Revert, UnreadableAnswer):
            return False
