"""The catalogue: the listings that this gateway serves, each with the servers that answer for it."""

from collections.abc import Sequence
from dataclasses import replace

from usufruct.assets import Caps, InvalidListing, Listing, Listings, UnknownListing
from usufruct.core import AssetId, Clock
from usufruct.gateway.configurations.model import FollowedConfiguration
from usufruct.gateway.model import ServedListing, Upstream, check_counting, check_serving
from usufruct.gateway.store import (
    Serving,
    add_vocabulary,
    changed_serving,
    put_serving,
    sealed_upstreams,
    set_followed,
    set_forwarded,
    set_upstreams,
    vocabulary_content,
)
from usufruct.gateway.token_counting import Counter, Vocabulary, count_bytes
from usufruct.store import Database, RowCache, Seal, Unit


class Catalogue:
    """Listings joined with their servers; a join is made once and kept until one of the two changes."""

    def __init__(self, listings: Listings, database: Database, seal: Seal, clock: Clock) -> None:
        """Serve `listings`, whose servers `database` keeps under `seal`."""
        self.listings = listings
        self._database = database
        self._seal = seal
        self._serving: dict[AssetId, Serving] = {}
        self._served: dict[AssetId, tuple[Listing, Serving, ServedListing]] = {}
        self._rows = RowCache(database, clock, "upstreams", self._take_in)
        self._counters: dict[str, Counter] = {"": count_bytes}

    async def add(
        self, listing: ServedListing, vocabulary: bytes | None = None, *, replace_active: bool = False
    ) -> ServedListing:
        """Put a listing on sale; `vocabulary` is the `tokenizers` JSON file its text is counted by.

        Raises:
            InvalidListing: for a field no listing can have.
            ListingExists: when the name or the id is taken; `replace_active` as `Listings.add` has it.
        """
        counting = listing.counting
        if vocabulary is not None:
            counting = replace(counting, vocabulary=Vocabulary(vocabulary).digest)
        elif counting.vocabulary:
            raise InvalidListing("vocabulary must be given with the listing that counts by it", field="vocabulary")
        check_serving(listing.upstreams, counting)

        async def serve(unit: Unit) -> None:
            if vocabulary is not None:
                await add_vocabulary(unit, counting.vocabulary, vocabulary)
            sealed = sealed_upstreams(listing.id, listing.upstreams, self._seal)
            await put_serving(unit, Serving(listing.id, sealed, counting))

        added = await self.listings.add(listing, serve, replace_active=replace_active)
        self._rows.expire()
        return await self._join(added)

    async def limit(self, name: str, caps: Caps, forward: frozenset[str]) -> ServedListing:
        """Change the limits of a listing's output, and which members of requests are forwarded to its servers.

        Raises:
            UnknownListing: when the listing does not exist.
            InvalidListing: for limits no listing can have.
        """
        listing = await self.find(name)
        check_counting(replace(listing.counting, forward=forward))

        async def serve(unit: Unit) -> None:
            await set_forwarded(unit, listing.id, forward)

        changed = await self.listings.limit(name, caps, serve)
        self._rows.expire()
        return await self._join(changed)

    async def remember(self, listing: ServedListing, upstreams: Sequence[Upstream]) -> None:
        """Keep what was learnt about a listing's servers, unless they were replaced meanwhile."""
        known = self._serving[listing.id]
        if known.upstreams(self._seal) != listing.upstreams:
            return
        async with self._database.transaction() as unit:
            await set_upstreams(unit, known, sealed_upstreams(listing.id, upstreams, self._seal))
        self._rows.expire()

    async def replace_upstreams(self, listing: ServedListing, upstreams: Sequence[Upstream]) -> None:
        """Have other servers answer for a listing, or the same with other keys.

        Raises:
            InvalidListing: for servers that could not be asked.
        """
        check_serving(tuple(upstreams), listing.counting)
        await self.remember(listing, upstreams)

    async def follow(self, name: str, followed: FollowedConfiguration | None) -> ServedListing:
        """Keep what is known of the configuration that a listing follows; None: it follows none.

        Raises:
            UnknownListing: when the listing does not exist.
            InvalidListing: when it is not registered: the registry names no configuration for it.
        """
        listing = await self.find(name)
        if not listing.registered:
            raise InvalidListing(
                f"{name} is sold for a plain payee; only a registered service has a configuration", field="name"
            )
        async with self._database.transaction() as unit:
            await set_followed(unit, listing.id, followed)
        self._rows.expire()
        return await self.find(name)

    async def revision(self) -> tuple[int, ...]:
        """Return what differs whenever something that is sold, its price now or how it is served does."""
        return (*await self.listings.revision(), await self._rows.refresh())

    async def list(self) -> Sequence[ServedListing]:
        """Return the listings that are on sale and served, in the order they were added."""
        await self._rows.refresh()
        return [await self._join(each) for each in await self.listings.list() if each.id in self._serving]

    async def find_served(self, assets: Sequence[AssetId]) -> Sequence[ServedListing]:
        """Return those of some listings that are on sale and served, in their order."""
        await self._rows.refresh()
        found = [await self.listings.by_id(asset) for asset in assets if asset in self._serving]
        return [await self._join(each) for each in found if each is not None and each.retired_at is None]

    async def find(self, name: str) -> ServedListing:
        """Return a listing by name, a retired one too.

        Raises:
            UnknownListing: when there is none.
        """
        return await self._join(await self.listings.find(name))

    async def counter(self, listing: ServedListing) -> Counter:
        """Return what counts the listing's text.

        Raises:
            InvalidListing: when its vocabulary is gone from the database.
        """
        digest = listing.counting.vocabulary
        if digest not in self._counters:
            async with self._database.snapshot() as unit:
                content = await vocabulary_content(unit, digest)
            if content is None:
                raise InvalidListing(f"the vocabulary of {listing.name} is missing; sell it again", field="vocabulary")
            self._counters[digest] = Vocabulary(content)
        return self._counters[digest]

    async def _join(self, listing: Listing) -> ServedListing:
        await self._rows.refresh()
        if listing.id not in self._serving:  # another process may have added it just now
            await self._rows.refresh_missing()
        serving = self._serving.get(listing.id)
        if serving is None:
            raise UnknownListing(f"{listing.name} is not served by this gateway; GET /v1/models lists what is")
        known = self._served.get(listing.id)
        if known is not None and known[0] is listing and known[1] is serving:
            return known[2]
        same = known is not None and known[1].sealed_upstreams == serving.sealed_upstreams
        upstreams = known[2].upstreams if known is not None and same else serving.upstreams(self._seal)
        joined = ServedListing.of(listing, upstreams, serving.counting, serving.followed)
        self._served[listing.id] = (listing, serving, joined)
        return joined

    async def _take_in(self, unit: Unit, revision: int) -> None:
        self._serving.update({each.listing: each for each in await changed_serving(unit, revision)})
