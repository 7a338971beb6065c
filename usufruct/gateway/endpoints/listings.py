"""The listings of endpoints that are sold by the call: one for each, at the price that its product says."""

import asyncio
from collections.abc import Container
from contextlib import suppress

from usufruct.assets import Caps, Listing, ListingExists, Listings, PricePeriod, UnknownListing, plain_listing_id
from usufruct.core.price_cards import PriceCard, PriceUnit
from usufruct.gateway.model import CountingRule, ServedListing
from usufruct.payments.x402 import PaidEndpoint

OPERATION = "data"
"""Of endpoints whose calls have one price, whatever they return."""

_MOST_ROWS = 1_000_000
"""Of one answer; a price card has a bound."""


class EndpointListings:
    """Puts endpoints on sale as listings, so that income, receipts and claims know them as services.

    A price that differs from the one that is kept becomes the listing's next price card, once in each process.
    """

    def __init__(self, listings: Listings) -> None:
        self._listings = listings
        self._sold: set[str] = set()
        self._selling = asyncio.Lock()

    async def of(self, endpoint: PaidEndpoint) -> ServedListing:
        """Return an endpoint's listing, with all its price cards.

        Raises:
            ListingExists: when a service with its path as name is sold by someone else.
        """
        if endpoint.path not in self._sold:
            async with self._selling:
                if endpoint.path not in self._sold:
                    await self._sell(endpoint)
                    self._sold.add(endpoint.path)
        return ServedListing.of(await self._listings.find(endpoint.path), (), CountingRule())

    async def retire_others(self, sold: Container[str]) -> None:
        """Retire the listings of endpoints whose paths are not `sold`: their price is 0 now, or their product is off.

        What they earned stays theirs. They are sold again, at the next price card, when they have a price.
        """
        for listing in await self._listings.list():
            if listing.operation == OPERATION and listing.name not in sold:
                await self._listings.retire(listing.name)
                self._sold.discard(listing.name)

    async def _sell(self, endpoint: PaidEndpoint) -> None:
        wanted = listing_of(endpoint)
        if await self._is_sold(wanted):
            return
        try:
            await self._listings.add(wanted, replace_active=True)
        except ListingExists:  # another replica was quicker
            if not await self._is_sold(wanted):
                raise

    async def _is_sold(self, wanted: Listing) -> bool:
        """Tell whether a listing is on sale as it is wanted: for its payee, at its price, with its discount."""
        with suppress(UnknownListing):
            known = await self._listings.find(wanted.name)
            return (
                known.id == wanted.id
                and known.retired_at is None
                and known.level_discount_bps == wanted.level_discount_bps
                and known.prices[-1].card.per_call == wanted.prices[-1].card.per_call
            )
        return False


def listing_of(endpoint: PaidEndpoint) -> Listing:
    """Return an endpoint as a new listing: each call costs the same, and its rows nothing more."""
    card = PriceCard(0, 0, endpoint.price, _MOST_ROWS, version=1, unit=PriceUnit.ROW)
    return Listing(
        name=endpoint.path,
        operation=OPERATION,
        pay_to=endpoint.pay_to,
        id=plain_listing_id(endpoint.path, endpoint.pay_to),
        prices=(PricePeriod(card, 0),),
        caps=Caps(),
        level_discount_bps=endpoint.level_discount_bps,
    )
