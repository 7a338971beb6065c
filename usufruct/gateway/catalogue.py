"""The catalogue: which assets this installation offers, at what price, answered by whom."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

from usufruct.core import Address, AssetId, Clock, PriceCard, format_asset
from usufruct.gateway.errors import InvalidListing, ListingExists, UnknownModel
from usufruct.gateway.model import Caps, PricePeriod, ServedListing, Upstream, check_asset, check_prices
from usufruct.gateway.store import (
    Unsealed,
    add_asset,
    add_price,
    add_vocabulary,
    all_assets,
    changes,
    set_limits,
    set_replicas,
    set_retired,
    vocabulary_content,
)
from usufruct.gateway.token_counting import Bytes, Counter, Vocabulary
from usufruct.store import ConstraintViolated, Database, Seal

FRESH_SECONDS = 2.0


class Catalogue:
    """The assets of this installation.

    What another process changes is seen here within `FRESH_SECONDS`; a price that starts later starts everywhere at
    once.
    """

    def __init__(self, database: Database, seal: Seal, clock: Clock) -> None:
        """Keep assets in `database`, their upstreams under `seal`."""
        self._database = database
        self._seal = seal
        self._clock = clock
        self._assets: Mapping[str, ServedListing] = {}
        self._by_id: Mapping[AssetId, ServedListing] = {}
        self._unsealed: Unsealed = {}
        self._version = -1
        self._read_at = -FRESH_SECONDS
        self._changes = 0
        self._turn = asyncio.Lock()
        self._counters: dict[str, Counter] = {"": Bytes()}

    async def add(self, asset: ServedListing, vocabulary: bytes | None = None) -> ServedListing:
        """Offer an asset; `vocabulary` is the `tokenizers` JSON file its text is counted by.

        Raises:
            InvalidListing: for a member no asset can have.
            ListingExists: when the name or the id is taken.
        """
        if vocabulary is not None:
            asset = replace(asset, counting=replace(asset.counting, vocabulary=Vocabulary(vocabulary).digest))
        elif asset.counting.vocabulary:
            raise InvalidListing("vocabulary must be given with the asset that counts by it", field="vocabulary")
        asset = replace(asset, created_at=self._clock.now(), retired_at=None)
        check_asset(asset)
        try:
            async with self._database.transaction() as unit:
                if vocabulary is not None:
                    await add_vocabulary(unit, asset.counting.vocabulary, vocabulary)
                await add_asset(unit, asset, self._seal)
        except ConstraintViolated as error:
            raise ListingExists(
                f"an asset named {asset.name} or with id {format_asset(asset.id)} is offered already; choose another "
                "name",
                field="name",
                name=asset.name,
            ) from error
        self._forget()
        return asset

    async def price(self, name: str, card: PriceCard, starts_at: int) -> ServedListing:
        """Give an asset a new price card from `starts_at` (seconds since 1970) on; its version is chosen here.

        Raises:
            UnknownModel: when there is no such asset.
            InvalidListing: for prices no call could be charged by, and for a registered asset: the registry prices it.
        """
        asset = await self.find(name)
        if asset.registered:
            raise InvalidListing(
                f"{name} is registered, its price is the registry's; change it with `usufruct asset price`",
                field="name",
            )
        version = asset.prices[-1].card.version + 1
        return await self.follow(asset, PricePeriod(replace(card, version=version), max(starts_at, self._clock.now())))

    async def follow(self, asset: ServedListing, period: PricePeriod) -> ServedListing:
        """Give an asset the next price card exactly as it is: the registry's.

        Raises:
            InvalidListing: for prices no call could be charged by.
        """
        check_prices([period])
        async with self._database.transaction() as unit:
            await add_price(unit, asset.name, period)
        self._forget()
        return await self.find(asset.name)

    async def limit(self, name: str, caps: Caps, forward: frozenset[str]) -> ServedListing:
        """Change the limits of an asset's output, and which members of requests are forwarded to its servers.

        Raises:
            UnknownModel: when there is no such asset.
            InvalidListing: for limits no asset can have.
        """
        asset = await self.find(name)
        changed = replace(asset, caps=caps, counting=replace(asset.counting, forward=forward))
        check_asset(changed)
        async with self._database.transaction() as unit:
            await set_limits(unit, changed)
        self._forget()
        return await self.find(name)

    async def remember(self, name: str, replicas: Sequence[Upstream]) -> None:
        """Keep what was learnt about an asset's servers; they stay the same ones."""
        async with self._database.transaction() as unit:
            await set_replicas(unit, name, replicas, self._seal)
        self._forget()

    async def retire(self, name: str) -> ServedListing:
        """Stop serving an asset: new calls are refused, running ones end as they would have.

        Raises:
            UnknownModel: when there is no such asset.
        """
        await self.find(name)
        async with self._database.transaction() as unit:
            await set_retired(unit, name, self._clock.now())
        self._forget()
        return await self.find(name)

    async def list(self) -> Sequence[ServedListing]:
        """Return the assets that are served, in the order they were added."""
        return [asset for asset in (await self._current()).values() if asset.retired_at is None]

    async def find(self, name: str) -> ServedListing:
        """Return an asset by name, a retired one too.

        Raises:
            UnknownModel: when there is none.
        """
        asset = (await self._current()).get(name)
        if asset is None:  # another process may have added it just now
            asset = (await self._look_again()).get(name)
        if asset is None:
            raise UnknownModel(
                f"there is no service named {name[:200]!r} here; GET /v1/models lists them", field="model"
            )
        return asset

    async def pay_to(self, asset: AssetId) -> Address:
        """Return where an asset's income goes, retired or not; fulfils `payments.Payee`.

        Raises:
            UnknownModel: when no asset has this id.
        """
        offered = await self.offered(asset)
        if offered is None:
            raise UnknownModel(f"there is no service with id {format_asset(asset)} here", asset=format_asset(asset))
        return offered.pay_to

    async def payees(self) -> Sequence[Address]:
        """Return who is paid for what is served; fulfils `assets.Payees`."""
        return [asset.pay_to for asset in await self.list()]

    async def offered(self, asset: AssetId) -> ServedListing | None:
        """Return the asset with an id, retired or not, if it was ever offered here."""
        await self._current()
        if asset not in self._by_id:
            await self._look_again()
        return self._by_id.get(asset)

    async def counter(self, asset: ServedListing) -> Counter:
        """Return what counts the asset's text.

        Raises:
            InvalidListing: when its vocabulary is gone from the database.
        """
        digest = asset.counting.vocabulary
        if digest not in self._counters:
            async with self._database.snapshot() as unit:
                content = await vocabulary_content(unit, digest)
            if content is None:
                raise InvalidListing(f"the vocabulary of {asset.name} is missing; offer it again", field="vocabulary")
            self._counters[digest] = Vocabulary(content)
        return self._counters[digest]

    async def _current(self) -> Mapping[str, ServedListing]:
        if self._clock.monotonic() - self._read_at >= FRESH_SECONDS:
            async with self._turn:
                if self._clock.monotonic() - self._read_at >= FRESH_SECONDS:
                    await self._read()
        return self._assets

    async def _look_again(self) -> Mapping[str, ServedListing]:
        async with self._turn:
            await self._read()
        return self._assets

    async def _read(self) -> None:
        """Read the count of changes, and the assets if it is another."""
        now, known = self._clock.monotonic(), self._changes
        async with self._database.snapshot() as unit:
            version = await changes(unit)
            if version != self._version:
                self._assets, self._unsealed = await all_assets(unit, self._seal, self._unsealed)
                self._by_id = {asset.id: asset for asset in self._assets.values()}
                self._version = version
        if known == self._changes:  # what was read before a change is read again
            self._read_at = now

    def _forget(self) -> None:
        self._changes += 1
        self._read_at = -FRESH_SECONDS
