"""Who is paid for a service: a plain payee as its listing says; owners, parents and fee as the chain says."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from usufruct.assets import AssetIndexer, Listing, Listings, RegistryClient, ShareHolders, UnknownListing
from usufruct.chain.contracts.shares import Shares
from usufruct.core import AssetId, Clock, format_asset
from usufruct.market.payee_split import PayeeSplit, Royalty, plain_split, split_down
from usufruct_client.wire import Token

FRESH_SECONDS = 60.0
"""How long what the chain said is shown: owners who trade shares are seen so much later."""


@dataclass(frozen=True, slots=True)
class PaidService:
    """A service, and how one whole coin that is paid for it is divided."""

    listing: Listing
    split: PayeeSplit


class Payees:
    """The payees of this installation's services. Only services with revenue shares need the chain."""

    def __init__(
        self,
        listings: Listings,
        registry: Callable[[], RegistryClient],
        indexer: Callable[[], AssetIndexer],
        holders: Callable[[], ShareHolders],
        token: Token,
        clock: Clock,
    ) -> None:
        """Divide a coin of `token`; ask `registry`, `indexer` and `holders` about registered services only."""
        self._listings = listings
        self._registry = registry
        self._indexer = indexer
        self._holders = holders
        self._coin = 10**token.decimals
        self._clock = clock
        self._known: dict[AssetId, tuple[float, PayeeSplit]] = {}
        self._reading = asyncio.Lock()

    async def of(self, asset: AssetId) -> PaidService:
        """Return who is paid for a service.

        Raises:
            UnknownListing: when no service that is on sale has this id.
            RpcUnavailable: when it has shares, and the chain's node does not answer.
        """
        listing = await self._listings.by_id(asset)
        if listing is None or listing.retired_at is not None:
            raise UnknownListing(f"there is no service with id {format_asset(asset)} here", asset=format_asset(asset))
        if not listing.registered:
            return PaidService(listing, plain_split(self._coin, listing.pay_to))
        async with self._reading:  # of many readers at once, one asks the node
            read_at, split = self._known.get(asset, (0.0, None))
            if split is None or self._clock.monotonic() - read_at > FRESH_SECONDS:
                split = await self._read(listing)
                self._known[asset] = self._clock.monotonic(), split
        return PaidService(listing, split)

    async def _read(self, listing: Listing) -> PayeeSplit:
        registry = self._registry()
        parents = await Shares(listing.pay_to, registry.client).parents()
        sold = {each.pay_to: each.name for each in await self._listings.list()}
        named = {each.shares: each.name for each in await self._indexer().assets()} if parents else {}
        royalties = [
            Royalty(
                each.shares,
                each.royalty_bps,
                sold.get(each.shares) or named.get(each.shares, ""),
                each.shares in sold,
            )
            for each in parents
        ]
        holdings = await self._holders().holders(listing.id)
        return split_down(self._coin, await registry.contract.fee_bps(), royalties, holdings)
