"""The worker's job: collects what services did and who owns them, and writes it for the gateways."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from usufruct.assets import Listing, Listings, ShareHolders
from usufruct.chain import TokenFacts
from usufruct.core import DAY_SECONDS, AssetId, Clock
from usufruct.gateway import ServiceQuality
from usufruct.service_data.concentration import Concentration, concentration
from usufruct.service_data.figures import WINDOWS, Days, ServiceFacts, service_row
from usufruct.service_data.service_files import table_of, write_table

_AT_ONCE: Final = 500


class ServiceJob:
    """Computes the figures of all services that are on sale, those with the most revenue first."""

    def __init__(
        self,
        listings: Listings,
        quality: ServiceQuality,
        holders: ShareHolders,
        token: TokenFacts,
        folder: Path,
        clock: Clock,
    ) -> None:
        self._listings = listings
        self._quality = quality
        self._holders = holders
        self._token = token
        self._folder = folder
        self._clock = clock

    async def step(self) -> None:
        """Compute and write them.

        Raises:
            DatabaseUnavailable, RpcUnavailable: when they cannot be read; the last figures stay.
        """
        now = self._clock.now()
        listings = await self._listings.list()
        days = await self._days(listings, now - now % DAY_SECONDS - (max(WINDOWS) - 1) * DAY_SECONDS)
        facts = [ServiceFacts(each, days.get(each.id, ()), await self._owners(each)) for each in listings]
        await asyncio.to_thread(self._write, facts, now)

    def _write(self, facts: Sequence[ServiceFacts], now: int) -> None:
        rows = [service_row(each, self._token, now) for each in facts]
        rows.sort(key=lambda row: (-row["REVENUE_30D"], row["SERVICE"]))
        write_table(self._folder, table_of(rows, now))

    async def _days(self, listings: Sequence[Listing], first: int) -> dict[AssetId, Days]:
        found: dict[AssetId, Days] = {}
        for at in range(0, len(listings), _AT_ONCE):
            found.update(await self._quality.days_of([each.id for each in listings[at : at + _AT_ONCE]], first))
        return found

    async def _owners(self, listing: Listing) -> Concentration | None:
        if not listing.registered:
            return None
        return concentration([each.amount for each in await self._holders.holders(listing.id)])
