"""Registered assets follow the registry: price cards, retirements; fulfils `assets.Offers`."""

import logging
from dataclasses import replace

from usufruct.core import Address, AssetId, PriceCard
from usufruct.gateway.catalogue import Catalogue
from usufruct.gateway.errors import InvalidListing
from usufruct.gateway.model import PricePeriod

USUAL_WINDOW = 8_192
"""The context window of a service when nobody says how large it is, in text tokens."""

_log = logging.getLogger(__name__)


def registered_card(card: PriceCard, window: int) -> PriceCard:
    """Return the registry's card as calls are charged by it; one that names no context window gets `window`."""
    return replace(card, context_window=card.context_window or window)


class RegisteredOffers:
    """What the chain decides about the catalogue's assets."""

    def __init__(self, catalogue: Catalogue) -> None:
        """Change `catalogue`."""
        self._catalogue = catalogue

    async def priced(self, asset: AssetId, card: PriceCard, starts_at: int) -> None:
        """Charge by the registry's card from `starts_at` on.

        Raises:
            InvalidListing: when no call could be charged by it; the asset keeps its price.
        """
        offered = await self._catalogue.offered(asset)
        if offered is None or any(period.card.version >= card.version for period in offered.prices):
            return
        here = registered_card(card, offered.prices[-1].card.context_window)
        try:
            await self._catalogue.follow(offered, PricePeriod(here, starts_at))
        except InvalidListing as error:
            raise InvalidListing(f"{offered.name} keeps its price: {error.message}", **error.details) from error

    async def retired(self, asset: AssetId, since: int) -> None:
        """Stop serving an asset whose retirement is in effect."""
        offered = await self._catalogue.offered(asset)
        if offered is not None:
            await self._catalogue.retire(offered.name)
            _log.info("%s was retired on the chain", offered.name, extra={"since": since})

    async def moved(self, asset: AssetId, holder: Address) -> None:
        """Take note of a new title holder: income follows the shares, so nothing changes for callers."""
        offered = await self._catalogue.offered(asset)
        if offered is not None:
            _log.info("the title of %s is held by %s", offered.name, holder)
