"""Listings: what is sold here, at which price, within which limits, and its payee.

A listing of a registered asset follows the registry: its price cards, and its retirement.
"""

import logging
from bisect import bisect_right
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace

from usufruct.assets.errors import InvalidListing, ListingExists, UnknownListing
from usufruct.assets.listing_store import (
    add_price,
    caps_text,
    change_listing,
    changed_listings,
    put_listing,
    sample_text,
    set_retired,
)
from usufruct.assets.model import (
    Asset,
    Caps,
    FreeSample,
    Listing,
    check_caps,
    check_level_discount,
    check_listing,
    check_prices,
    check_sample,
)
from usufruct.assets.price_cards import PricePeriod
from usufruct.core import Address, AssetId, Clock, format_asset
from usufruct.core.price_cards import PriceCard
from usufruct.store import ConstraintViolated, Database, RowCache, Unit

_log = logging.getLogger(__name__)

Write = Callable[[Unit], Awaitable[None]]
"""Writes another package's rows in the transaction that changes a listing."""


class Listings:
    """The listings of this installation.

    What another process changes is seen here within seconds; a price that starts later starts everywhere at once.
    Methods that change a listing raise `UnknownListing` where none has the name.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._by_id: dict[AssetId, Listing] = {}
        self._by_name: dict[str, Listing] = {}
        self._active: list[Listing] | None = None
        self._rows = RowCache(database, clock, "listings", self._take_in)
        self._refused: dict[AssetId, int] = {}
        self._starts: list[int] = []

    async def add(self, listing: Listing, *also: Write, replace_active: bool = False) -> Listing:
        """Put a listing on sale; one that has the same id takes on what is new, its price cards go on in number.

        The name of a retired listing may be given again, that of an active one with `replace_active`.

        Raises:
            InvalidListing: for a field no listing can have.
            ListingExists: when an active listing has the name, or the id under another name.
        """
        check_listing(listing)
        self._rows.expire()
        await self._rows.refresh()
        named, same = self._by_name.get(listing.name), self._by_id.get(listing.id)
        now = self._clock.now()
        new = replace(listing, created_at=now, retired_at=None, paused_at=None)
        taken = [each for each in (named, same) if each is not None and each.retired_at is None]
        if taken and not (replace_active and all(each.name == listing.name for each in taken)):
            raise _exists(listing)
        if same is not None:
            new = replace(new, created_at=same.created_at, prices=same.prices + _further(same, listing, now))

        async def put(unit: Unit) -> None:
            if named is not None and named.id != new.id:
                await set_retired(unit, named.id, now)
            await put_listing(unit, new, known=same)

        try:
            return await self._write(new.id, put, *also)
        except ConstraintViolated as error:
            raise _exists(listing) from error

    async def price(self, name: str, card: PriceCard, starts_at: int) -> Listing:
        """Give a listing a new price card from `starts_at` (seconds since 1970) on; its version is chosen here.

        Raises:
            InvalidListing: for prices no call could be charged by, and for a registered asset: the registry prices it.
        """
        listing = await self.find(name)
        if listing.registered:
            raise InvalidListing(
                f"{name} is registered, its price is the registry's; change it with `usufruct asset price`",
                field="name",
            )
        version = listing.prices[-1].card.version + 1
        return await self._add_price(
            listing, PricePeriod(replace(card, version=version), max(starts_at, self._clock.now()))
        )

    async def limit(self, name: str, caps: Caps, *also: Write) -> Listing:
        """Change the limits of a listing's calls; `InvalidListing` for limits no listing can have."""
        listing = await self.find(name)
        check_caps(caps)
        return await self._write(listing.id, lambda unit: change_listing(unit, listing.id, caps=caps_text(caps)), *also)

    async def pay(self, name: str, pay_to: Address) -> Listing:
        """Change who receives a listing's income, of calls that were not claimed yet too.

        Raises:
            InvalidListing: for a registered asset: its Shares are paid.
        """
        listing = await self.find(name)
        if listing.registered:
            raise InvalidListing(
                f"{name} is sold for a registered asset: its income goes to the asset's Shares, {listing.pay_to}, and "
                "from there to the shareholders; to pay another address, sell under another --name with --pay-to",
                field="pay_to",
            )
        return await self._write(listing.id, lambda unit: change_listing(unit, listing.id, pay_to=pay_to))

    async def retire(self, name: str) -> Listing:
        """Take a listing off sale: new calls are refused, running ones end as they would have."""
        listing = await self.find(name)
        return await self._write(listing.id, lambda unit: set_retired(unit, listing.id, self._clock.now()))

    async def pause(self, name: str) -> Listing:
        """Refuse new calls of a listing until it is resumed; running ones end as they would have.

        Raises:
            RetiredListing: when it is off sale.
        """
        listing = await self._on_sale(name)
        if listing.paused_at is not None:
            return listing
        return await self._write(listing.id, lambda unit: change_listing(unit, listing.id, paused_at=self._clock.now()))

    async def resume(self, name: str) -> Listing:
        """Take new calls of a paused listing again; raises as `pause`."""
        listing = await self._on_sale(name)
        if listing.paused_at is None:
            return listing
        return await self._write(listing.id, lambda unit: change_listing(unit, listing.id, paused_at=None))

    async def offer_sample(self, name: str, sample: FreeSample | None) -> Listing:
        """Let visitors try a listing without payment, within `sample`; None ends that.

        Raises:
            InvalidListing: for a free sample that no listing can have.
            RetiredListing: when it is off sale.
        """
        if sample is not None:
            check_sample(sample)
        listing = await self._on_sale(name)
        if listing.sample == sample:
            return listing
        return await self._write(listing.id, lambda unit: change_listing(unit, listing.id, sample=sample_text(sample)))

    async def give_level_discount(self, name: str, most_bps: int) -> Listing:
        """Let payers' staking levels take at most so much off a listing's prices, hundredths of a per cent; 0: nothing.

        Raises:
            InvalidListing: for a discount that no listing can give.
            RetiredListing: when it is off sale.
        """
        check_level_discount(most_bps)
        listing = await self._on_sale(name)
        if listing.level_discount_bps == most_bps:
            return listing
        return await self._write(listing.id, lambda unit: change_listing(unit, listing.id, level_discount_bps=most_bps))

    async def _on_sale(self, name: str) -> Listing:
        """Return a listing as the database has it now."""
        self._rows.expire()
        listing = await self.find(name)
        listing.check_active()
        return listing

    async def revision(self) -> tuple[int, int]:
        """Return what differs whenever a listing does, or the price card of one that holds now."""
        return await self._rows.refresh(), bisect_right(self._starts, self._clock.now())

    async def list(self) -> Sequence[Listing]:
        """Return the listings that are on sale, in the order they were added."""
        await self._rows.refresh()
        if self._active is None:
            active = (listing for listing in self._by_id.values() if listing.retired_at is None)
            self._active = sorted(active, key=lambda listing: (listing.created_at, listing.name))
        return self._active

    async def find(self, name: str) -> Listing:
        """Return the listing of a name: the one that is on sale, or the latest that was.

        Raises:
            UnknownListing: when there is none.
        """
        await self._rows.refresh()
        if name not in self._by_name:  # another process may have added it just now
            await self._rows.refresh_missing()
        if name not in self._by_name:
            raise UnknownListing(
                f"there is no service named {name[:200]!r} here; GET /v1/models lists them", field="model"
            )
        return self._by_name[name]

    async def by_id(self, asset: AssetId) -> Listing | None:
        """Return the listing with an id, retired or not, if there ever was one."""
        await self._rows.refresh()
        if asset not in self._by_id:
            await self._rows.refresh_missing()
        return self._by_id.get(asset)

    async def among(self, assets: Iterable[AssetId]) -> Sequence[Listing]:
        """Return the listings of some assets, retired or not, as far as was read: unknown ones are not looked for."""
        await self._rows.refresh()
        return [self._by_id[each] for each in assets if each in self._by_id]

    async def pay_to(self, asset: AssetId) -> Address:
        """Return where a listing's income goes, retired or not.

        Raises:
            UnknownListing: when no listing has this id.
        """
        listing = await self.by_id(asset)
        if listing is None:
            raise UnknownListing(f"there is no service with id {format_asset(asset)} here", asset=format_asset(asset))
        return listing.pay_to

    async def payees(self) -> Sequence[Address]:
        """Return the payees of what is on sale."""
        return [listing.pay_to for listing in await self.list()]

    async def follow(self, assets: Sequence[Asset], now: int) -> None:
        """Take over what the registry decided about listed assets: cards in force, retirements in effect, at `now`.

        A card that no call could be charged by is refused and logged once; the listing keeps its price.
        """
        if any(asset.id not in self._by_id for asset in assets):
            await self._rows.refresh_missing()
        for asset in assets:
            listing = self._by_id.get(asset.id)
            if listing is None or listing.retired_at is not None or not listing.registered:
                continue
            await self._follow_price(listing, asset.card(now))
            if asset.retired(now):
                await self.retire(listing.name)
                _log.info("%s was retired on the chain", listing.name, extra={"since": asset.retires_at})

    async def _follow_price(self, listing: Listing, period: PricePeriod) -> None:
        last, card = listing.prices[-1].card, period.card
        if card.version <= last.version or self._refused.get(listing.id) == card.version:
            return
        card = replace(card, context_window=card.context_window or last.context_window)
        try:
            await self._add_price(listing, PricePeriod(card, period.starts_at))
        except ConstraintViolated:  # another process took it over meanwhile
            self._rows.expire()
        except InvalidListing as error:
            _log.error("%s keeps its price, card %d is refused: %s", listing.name, card.version, error.message)
            self._refused[listing.id] = card.version

    async def _add_price(self, listing: Listing, period: PricePeriod) -> Listing:
        check_prices([period])
        return await self._write(listing.id, lambda unit: add_price(unit, listing.id, period))

    async def _write(self, listing: AssetId, *writes: Write) -> Listing:
        async with self._database.transaction() as unit:
            for write in writes:
                await write(unit)
        self._rows.expire()
        await self._rows.refresh()
        return self._by_id[listing]

    async def _take_in(self, unit: Unit, revision: int) -> None:
        changed, now = await changed_listings(unit, revision), self._clock.now()
        self._active = None
        starts = {*self._starts, *(period.starts_at for listing in changed for period in listing.prices)}
        self._starts = sorted(each for each in starts if each > now)
        for listing in changed:
            self._by_id[listing.id] = listing
            named = self._by_name.get(listing.name)
            if named is None or named.id == listing.id or listing.retired_at is None or named.retired_at is not None:
                self._by_name[listing.name] = listing


def _further(known: Listing, listing: Listing, now: int) -> tuple[PricePeriod, ...]:
    """Return the price periods that a listing that is sold again adds to those it has."""
    last, new = known.prices[-1].card, listing.prices[-1].card
    if replace(new, version=last.version) == last or (known.registered and new.version <= last.version):
        return ()
    version = new.version if known.registered else last.version + 1
    return (PricePeriod(replace(new, version=version), now),)


def _exists(listing: Listing) -> ListingExists:
    return ListingExists(
        f"a service named {listing.name} or with id {format_asset(listing.id)} is sold already; choose another name, "
        "or replace it",
        field="name",
        name=listing.name,
    )
