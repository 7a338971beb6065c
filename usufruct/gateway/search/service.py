"""Search: keeps the index as the catalogue is, and finds services in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from usufruct.assets import asset_kinds
from usufruct.chain.contracts.asset_registry import Kind
from usufruct.core import AssetId, Clock, format_asset
from usufruct.gateway.catalogue import Catalogue
from usufruct.gateway.model import ServedListing
from usufruct.gateway.quality.store import month_summaries
from usufruct.gateway.quality.summary import DAYS, Summary
from usufruct.gateway.search.query import PAGE_SIZE, Search
from usufruct.gateway.search.store import REVISION, find_services, fingerprints, replace_rows
from usufruct.gateway.search.words import plain_words, words_of
from usufruct.gateway.similar_names import name_keys
from usufruct.gateway.usual_calls import usual_cost_up
from usufruct.store import Database, RowCache

INDEX_SECONDS = 3.0

_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class FoundListing:
    """A service that was found, what was measured of it in 30 days, and the older one that its name is like."""

    listing: ServedListing
    measured: Summary
    imitated: ServedListing | None


@dataclass(frozen=True, slots=True)
class Found:
    """One page of what a search found, of `total` in all."""

    total: int
    page: int
    services: Sequence[FoundListing]

    @property
    def pages(self) -> int:
        """How many pages there are; one, if nothing was found."""
        return max(1, -(-self.total // PAGE_SIZE))


class ServiceSearch:
    """The services of this gateway, by words and filters; what changes is found within `INDEX_SECONDS`."""

    def __init__(self, catalogue: Catalogue, database: Database, clock: Clock) -> None:
        """Index what `catalogue` serves."""
        self._catalogue = catalogue
        self._database = database
        self._clock = clock
        self._indexed: dict[AssetId, tuple[ServedListing, int]] | None = None
        self._by_key: dict[int, set[AssetId]] = {}
        self._catalogue_revision: tuple[int, ...] = ()
        self._names = 0
        self._rows = RowCache(database, clock, REVISION)

    async def refresh(self) -> None:
        """Index what is new, changed or gone since the last time; other replicas may do the same at once.

        Raises:
            ConstraintViolated: when another replica was quicker; the next time all is well.
        """
        revision = await self._catalogue.revision()
        if revision == self._catalogue_revision:
            return
        now = self._clock.now()
        served = {each.id: (each, each.card(now).version) for each in await self._catalogue.list()}
        known = self._indexed
        changed = [asset for asset, each in served.items() if known is None or known.get(asset) != each]
        async with self._database.snapshot() as unit:
            gone = set(await fingerprints(unit) if known is None else known) - set(served)
            kinds = await asset_kinds(unit) if changed else {}
        self._note_names(served)
        for at in range(0, len(changed), _AT_ONCE):
            await self._write([_row(served[asset][0], now, kinds) for asset in changed[at : at + _AT_ONCE]])
        if gone:
            async with self._database.transaction() as unit:
                await replace_rows(unit, (), gone)
        if changed or gone:
            self._rows.expire()
        self._indexed, self._catalogue_revision = served, revision

    def _note_names(self, served: Mapping[AssetId, tuple[ServedListing, int]]) -> None:
        known = self._indexed or {}
        self._names += known.keys() != served.keys()
        for asset in known.keys() - served.keys():
            for key in name_keys(known[asset][0].name):
                self._by_key[key].discard(asset)
        for asset in served.keys() - known.keys():
            for key in name_keys(served[asset][0].name):
                self._by_key.setdefault(key, set()).add(asset)

    async def revision(self) -> tuple[int, int]:
        """Return what differs whenever a search may find something else, or a name is like others."""
        return await self._rows.refresh(), self._names

    async def imitated(self, listing: ServedListing) -> ServedListing | None:
        """Return the oldest service of another payee whose name a reader could take for this younger one's."""
        alike = {asset for key in name_keys(listing.name) for asset in self._by_key.get(key, ())}
        others = [
            each
            for each in await self._catalogue.find_served(sorted(alike))
            if each.pay_to != listing.pay_to and (each.created_at, each.name) < (listing.created_at, listing.name)
        ]
        return min(others, key=lambda each: (each.created_at, each.name), default=None)

    async def _write(self, rows: Sequence[Mapping[str, Any]]) -> None:
        async with self._database.snapshot() as unit:
            known = await fingerprints(unit, (row["asset_id"] for row in rows))
        new = [row for row in rows if known.get(row["asset_id"]) != row["fingerprint"]]
        if new:
            async with self._database.transaction() as unit:
                await replace_rows(unit, new)

    async def find(self, search: Search, coin: int) -> Found:
        """Return a page of what a search finds, the last one for a later one; `coin`: one coin in atomic units."""
        async with self._database.snapshot() as unit:
            total, assets = await find_services(unit, self._database.dialect, search, coin)
            if total and not assets:
                search = replace(search, page=-(-total // PAGE_SIZE))
                total, assets = await find_services(unit, self._database.dialect, search, coin)
            measured = await month_summaries(unit, assets)
        listings = await self._catalogue.find_served(assets)
        services = [
            FoundListing(each, measured.get(each.id, Summary(DAYS[1])), await self.imitated(each)) for each in listings
        ]
        return Found(total, search.page, services)


def _row(listing: ServedListing, now: int, kinds: Mapping[AssetId, Kind]) -> dict[str, Any]:
    card = listing.card(now)
    kind = kinds.get(listing.id, Kind.MODEL).name.lower()
    words = [*words_of(listing.name), *plain_words(f"{kind} {listing.operation}")]
    words += plain_words(f"{listing.pay_to} {format_asset(listing.id)}")
    row = {
        "asset_id": listing.id,
        "name": listing.name,
        "kind": kind,
        "operation": str(listing.operation),
        "context_window": card.context_window,
        "usual_cost": usual_cost_up(card, listing.operation),
        "created_at": listing.created_at,
        "sample_calls": listing.sample.calls_per_visitor if listing.sample else None,
        "words": " ".join(dict.fromkeys(words)),
    }
    return row | {"fingerprint": sha256(repr(row).encode()).hexdigest()}
