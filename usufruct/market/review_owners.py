"""Who earns from a service, as the listings and the registry's logs say; only registered services need the chain."""

from collections.abc import Callable, Sequence

from usufruct.assets import AssetIndexer, Listing, Listings, ShareHolders
from usufruct.core import Address, AssetId

_WHOLE_BPS = 10_000


class ServiceOwners:
    """The owners of this installation's services. Methods raise `Unavailable` where the chain has to be asked."""

    def __init__(
        self, listings: Listings, indexer: Callable[[], AssetIndexer], shares: Callable[[], ShareHolders]
    ) -> None:
        """Ask `indexer` and `shares` about registered services only."""
        self._listings = listings
        self._indexer = indexer
        self._shares = shares

    async def owners_of(self, listing: Listing) -> frozenset[Address]:
        """Return a service's payee, and the owner of its title where it has one."""
        if not listing.registered:
            return frozenset({listing.pay_to})
        return frozenset({listing.pay_to, *(each.holder for each in await self._indexer().assets(listing.id))})

    async def persons_of(self, listing: Listing) -> frozenset[Address]:
        """Return a service's owners without the contract that divides its income."""
        owners = await self.owners_of(listing)
        return owners - {listing.pay_to} if listing.registered else owners

    async def shares_bps(self, listing: Listing, holder: Address) -> int:
        """Return a holder's part of a service's revenue shares, in ten-thousandths, rounded down."""
        if not listing.registered:
            return 0
        holdings = await self._shares().holders(listing.id)
        total = sum(each.amount for each in holdings)
        held = sum(each.amount for each in holdings if each.holder == holder)
        return held * _WHOLE_BPS // total if total else 0

    async def services_of(self, owner: Address) -> Sequence[AssetId]:
        """Return the services of which an account is the payee or owns the title."""
        listings = await self._listings.list()
        found = {each.id for each in listings if each.pay_to == owner}
        if any(each.registered for each in listings):
            found |= {each.id for each in await self._indexer().assets() if each.holder == owner}
        return sorted(found)
