"""Registered assets follow the registry: price cards, retirements; fulfils `assets.Offers`."""

import logging

from usufruct.chain.contracts.structs import PriceCard as CardOnChain
from usufruct.core import Address, AssetId
from usufruct.gateway.catalogue import Catalogue
from usufruct.gateway.errors import InvalidAsset
from usufruct.gateway.model import PricePeriod
from usufruct.payments import PriceCard

_log = logging.getLogger(__name__)


class RegisteredOffers:
    """What the chain decides about the catalogue's assets."""

    def __init__(self, catalogue: Catalogue) -> None:
        """Change `catalogue`."""
        self._catalogue = catalogue

    async def priced(self, asset: AssetId, card: CardOnChain, starts_at: int) -> None:
        """Charge by the registry's card from `starts_at` on; what no call could be charged by leaves the old price."""
        offered = await self._catalogue.offered(asset)
        if offered is None or any(period.card.version >= card.version for period in offered.prices):
            return
        period = PricePeriod(
            PriceCard(
                card.input_per_million, card.output_per_million, card.per_call, card.context_window, card.version
            ),
            starts_at,
        )
        try:
            await self._catalogue.follow(offered, period)
        except InvalidAsset as error:
            _log.error("%s keeps its price, the registry's card %d is of no use: %s", offered.name, card.version, error)

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
