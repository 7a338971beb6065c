"""What an account holds of all services that are sold here: shares with their income, titles, credits, open offers."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from usufruct.assets import AssetIndexer, Listing, Listings, ShareHolders
from usufruct.chain.contracts.shares import Shares
from usufruct.core import Address
from usufruct.market.trade.model import OfferFilter
from usufruct.market.trade.node_view import NodeView
from usufruct.market.trade.offer_book import OfferBook, StandingOffer
from usufruct.market.trade.pass_plans import AccountCredits, PassPlans

_MOST_SERVICES = 50
"""Services whose shares the node is asked for in one view."""

_MOST_OFFERS = 100


@dataclass(frozen=True, slots=True)
class HeldShares:
    """An account's shares of a service, and its uncollected income in the payment token."""

    listing: Listing
    amount: int
    pending: int


class Holdings:
    """Reads what accounts hold. Questions to the chain raise `Unavailable`; `node` as `OfferBook` has it."""

    def __init__(
        self, book: OfferBook, plans: PassPlans, listings: Listings, indexer: AssetIndexer, holders: ShareHolders
    ) -> None:
        self.book = book
        self._plans = plans
        self._listings = listings
        self._indexer = indexer
        self._holders = holders

    async def shares(self, holder: Address, node: NodeView) -> tuple[Sequence[HeldShares], bool]:
        """Return an account's shares and income of services; and whether it received more than were looked at.

        Every service is asked for where there are few; of many, those whose logs name the account as a receiver.
        """
        found = [each for each in await self._listings.list() if each.registered]
        if more := len(found) > _MOST_SERVICES:
            received = await self._holders.received_by(holder, _MOST_SERVICES + 1)
            more = len(received) > _MOST_SERVICES
            found = [each for each in await self._listings.among(received[:_MOST_SERVICES]) if each.registered]
        async with node.limit():
            held = await asyncio.gather(*(self._held(each, holder) for each in found))
        return [each for each in held if each.amount or each.pending], more

    async def _held(self, listing: Listing, holder: Address) -> HeldShares:
        shares = Shares(listing.pay_to, self.book.client)
        token = self.book.terms.token.address
        amount, pending = await asyncio.gather(shares.balance_of(holder), shares.pending(holder, token))
        return HeldShares(listing, amount, pending)

    async def titles(self, owner: Address, node: NodeView) -> Sequence[Listing]:
        """Return the services whose title an account owns."""
        async with node.limit():
            owned = [each.id for each in await self._indexer.assets() if each.holder == owner]
        return await self._listings.among(owned)

    async def credits(self, holder: Address) -> AccountCredits:
        """Return an account's prepaid credits by service."""
        return await self._plans.by_service(holder)

    async def offers(self, maker: Address, node: NodeView) -> tuple[Sequence[StandingOffer], bool]:
        """Return an account's open offers, the newest first; and whether it has more."""
        await self.book.catch_up(node)
        found, after = await self.book.open_offers(OfferFilter(maker=maker), node=node, page=_MOST_OFFERS)
        return found, after is not None
