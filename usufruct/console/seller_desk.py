"""The seller's desk: what services earn by the hourly and daily tallies of calls, and what a seller may change."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import chain

from usufruct.assets import (
    Assets,
    CardChange,
    Listing,
    Listings,
    PricePeriod,
    ShareHolders,
    bps_of_percent,
    read_card_change,
)
from usufruct.console.draft_costs import DraftCosts
from usufruct.console.price_advice import calls_cost_up
from usufruct.console.sales import read_sample
from usufruct.console.sellers import Seller
from usufruct.console.wallet_transactions import DevnetOwner, for_wallet, sender_of
from usufruct.core import Address, AssetId, ChainId, Clock, Conflict, Invalid, format_units
from usufruct.gateway import EVERY_SERVICE, CallCounts, Catalogue, FreeSamples, Operator, ServiceQuality
from usufruct.payments.pricing import NoLevels, PayerBenefits, Usage
from usufruct_client.desk_documents import (
    DayEarnings,
    DeskFigures,
    Earnings,
    LevelDiscount,
    NewKey,
    NewPrice,
    Pause,
    Payout,
    PriceChange,
    Retirement,
    SampleOffer,
    ServiceEarnings,
)
from usufruct_client.sale_documents import NewSample

DAY = 86_400
_DAYS = 30
PAGE_SIZE = 24
"""Services on one page of figures."""

CountedDay = tuple[int, CallCounts]
"""When a day began, and what a service did on it."""


@dataclass(frozen=True, slots=True)
class Announced:
    """What is to happen to a registered service: its next price, and when it is off sale, in the chain's seconds."""

    price: PricePeriod | None = None
    retires_at: int | None = None


class Desk:
    """The verbs of a seller whose services are on sale.

    `devnet_owner` signs on a devnet, where the owner's key is everyone's. Elsewhere, and for other sellers, a gateway
    has no such key: what the chain decides is returned as transactions, for the seller's wallet to send.
    """

    def __init__(
        self,
        costs: DraftCosts,
        listings: Listings,
        catalogue: Catalogue,
        quality: ServiceQuality,
        samples: FreeSamples,
        assets: Assets,
        holders: ShareHolders,
        operator: Operator,
        clock: Clock,
        chain_id: ChainId,
        devnet_owner: DevnetOwner,
        benefits: PayerBenefits | None = None,
    ) -> None:
        self.operator = operator
        self._costs = costs
        self._listings = listings
        self._catalogue = catalogue
        self._quality = quality
        self._samples = samples
        self._assets = assets
        self._holders = holders
        self._clock = clock
        self._chain_id = chain_id
        self._devnet_owner = devnet_owner
        self._benefits = benefits or NoLevels()

    def now(self) -> int:
        """Return the time by which prices hold."""
        return self._clock.now()

    async def revision(self) -> Hashable:
        """Return what differs whenever figures do."""
        today = self._clock.now() // DAY
        measured, costs = await self._quality.revision(), await self._costs.revision()
        return today, await self._listings.revision(), measured, costs

    async def figures(self, seller: Seller, page: int = 1) -> DeskFigures:
        """Return what a seller's services earned together, and each on a page of them; no call is read for it."""
        listings = [each for each in await self._listings.list() if seller.sells(each)]
        pages = max(1, -(-len(listings) // PAGE_SIZE))
        page = min(max(page, 1), pages)
        shown = listings[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
        added = [EVERY_SERVICE] if seller.is_operator else [each.id for each in listings]
        found = await self._quality.days_of(list({*added, *(each.id for each in shown)}), self._first_day())
        days = self._together_by_day([found.get(each, []) for each in added])
        every = list(days.values())
        return DeskFigures(
            self.operator.symbol,
            self.operator.decimals,
            _earned(every[-1]),
            _earned(_together(every[-7:])),
            _earned(_together(every)),
            [DayEarnings(day, each.calls, _errors(each), each.income) for day, each in days.items()],
            await self._earnings(shown, found),
            page,
            pages,
        )

    async def earned(self, name: str) -> ServiceEarnings:
        """Return what a service earned in 30 days; raises UnknownListing."""
        listing = await self._listings.find(name)
        [earned] = await self._earnings([listing], await self._quality.days_of([listing.id], self._first_day()))
        return earned

    def _together_by_day(self, services: Iterable[Iterable[CountedDay]]) -> dict[int, CallCounts]:
        """Return what some services did together on each of 30 days, the last of them today."""
        first = self._first_day()
        every = {first + at * DAY: CallCounts() for at in range(_DAYS)}
        for start, counts in chain.from_iterable(services):
            if start in every:  # the database's clock may be past midnight, and this one before it
                every[start].add_counts(counts)
        return every

    async def _earnings(
        self, listings: Sequence[Listing], days: Mapping[AssetId, Sequence[CountedDay]]
    ) -> list[ServiceEarnings]:
        """Return what each of some services earned in 30 days."""
        costs, now = await self._costs.of_sold(), self._clock.now()
        services = []
        for listing in listings:
            month = _together(counts for _, counts in days.get(listing.id, ()))
            per_million = costs.get(listing.name)
            cached_bps = listing.card(now).cached_input_bps
            cost = None if per_million is None else calls_cost_up(_usage(month), per_million, cached_bps)
            services.append(
                ServiceEarnings(
                    listing.name,
                    listing.id,
                    listing.pay_to,
                    listing.registered,
                    _earned(month),
                    cost,
                    listing.paused_at,
                )
            )
        return services

    def _first_day(self) -> int:
        now = self._clock.now()
        return now - now % DAY - (_DAYS - 1) * DAY

    async def set_price(self, seller: Address, name: str, wish: NewPrice) -> PriceChange:
        """Change a price: at once, or for a registered service after its notice period.

        Raises:
            UnknownListing: when there is no such service.
            Conflict: when nothing is to change.
            Denied: when another wallet holds the title.
            Invalid: for a price that no service can have.
        """
        change = read_card_change(self.operator.decimals, wish.input, wish.output, wish.per_call, wish.cached_input)
        if change == CardChange():
            raise Conflict("give at least one price that is to change", code="nothing_to_change", field="input")
        listing, now = await self._listings.find(name), self._clock.now()
        if not listing.registered:
            await self._listings.price(name, change.of(listing.card(now)), now)
            return PriceChange(now)
        sender = sender_of(seller, self._devnet_owner)
        if sender is None:
            planned = await self._assets.plan_price(seller, listing.id, change)
            calls = [planned.call] if planned.call else []
            return PriceChange(planned.starts_at, transactions=for_wallet("price", self._chain_id, *calls))
        period, transaction = await self._assets.price(sender, listing.id, change)
        return PriceChange(period.starts_at, transaction)

    async def retire(self, seller: Address, name: str) -> Retirement:
        """Take a service off sale: at once, or for a registered one when the chain's notice has passed.

        Raises:
            UnknownListing, Conflict, Denied: as `set_price`.
        """
        listing = await self._listings.find(name)
        if listing.retired_at is not None:
            raise Conflict(f"{name} is off sale already; nothing was changed", code="already_retired", field="name")
        if not listing.registered:
            await self._listings.retire(name)
            return Retirement(self._clock.now())
        sender = sender_of(seller, self._devnet_owner)
        if sender is None:
            call = await self._assets.plan_retirement(seller, listing.id)
            return Retirement(None, transactions=for_wallet("retire", self._chain_id, call))
        retires_at, transaction = await self._assets.retire(sender, listing.id)
        return Retirement(retires_at, transaction)

    async def pause(self, name: str) -> Pause:
        """Refuse new calls of a service until it is resumed; running ones end as they would have.

        Raises:
            UnknownListing: when there is no such service.
            RetiredListing: when it is off sale.
        """
        return Pause((await self._listings.pause(name)).paused_at)

    async def resume(self, name: str) -> Pause:
        """Take new calls of a service again; raises as `pause`."""
        return Pause((await self._listings.resume(name)).paused_at)

    async def offer_sample(self, name: str, wish: NewSample | None) -> SampleOffer:
        """Let visitors try a service without payment, within bounds; None ends that.

        Raises:
            UnknownListing: when there is no such service.
            RetiredListing: when it is off sale.
            InvalidListing: for bounds that no free sample can have.
        """
        await self._listings.offer_sample(name, read_sample(wish))
        return await self.sample_offer(name)

    async def sample_offer(self, name: str) -> SampleOffer:
        """Return what visitors may try of a service, and how many calls they made today; raises UnknownListing."""
        listing = await self._listings.find(name)
        offered = NewSample(**asdict(listing.sample)) if listing.sample else None
        return SampleOffer(offered, await self._samples.given_today(listing.id))

    async def give_level_discount(self, name: str, wish: LevelDiscount) -> LevelDiscount:
        """Let the staking levels of payers lower a service's prices, by at most so much; raises as `offer_sample`."""
        most = bps_of_percent(wish.most, "level_discount")
        listing = await self._listings.give_level_discount(name, most)
        return LevelDiscount(format_units(listing.level_discount_bps, 2))

    @property
    def every_discount(self) -> Sequence[int]:
        """What the staking levels 1 to 10 take off where a seller gives it, hundredths of a per cent."""
        return self._benefits.discounts

    async def replace_key(self, name: str, wish: NewKey) -> None:
        """Give a service's server another API key. A key is of one provider: no other gets it.

        Raises:
            UnknownListing: when there is no such service.
            Invalid: when it has no such server.
            Conflict: when it has several servers, and none is named.
        """
        served = await self._catalogue.find(name)
        urls = list(dict.fromkeys(each.url for each in served.upstreams))
        if wish.server and wish.server not in urls:
            message = f"server is {wish.server!r}; it is one of {', '.join(urls)}"
            raise Invalid(message, code="unknown_server", field="server")
        if not wish.server and len(urls) > 1:
            message = f"{name} has several servers: {', '.join(urls)}; say by `server` whose key it is"
            raise Conflict(message, code="server_needed", field="server")
        server = wish.server or urls[0]
        changed = [replace(each, api_key=wish.key) if each.url == server else each for each in served.upstreams]
        await self._catalogue.replace_upstreams(served, changed)

    async def collect(self, seller: Address, name: str) -> Payout:
        """Pay the seller what their shares of a service earned.

        Raises:
            Conflict: when the service has no shares: its income goes to an address by itself.
        """
        listing = await self._registered(name)
        sender = sender_of(seller, self._devnet_owner)
        if sender is None:
            calls = await self._holders.plan_collection(listing.id, seller)
            due = await self.due(seller, name) or 0
            return Payout(due, transactions=for_wallet("collect", self._chain_id, *calls))
        paid = await self._holders.collect(sender, listing.id)
        ours = [each for each in paid if each.token.address == self.operator.token]
        return Payout(sum(each.amount for each in ours), paid[0].transaction if paid else None)

    async def announced(self, name: str) -> Announced:
        """Return what the chain has announced of a service; nothing for one that is not registered."""
        listing = await self._listings.find(name)
        if not listing.registered:
            return Announced()
        return Announced(await self._assets.pending_price(listing.id), await self._assets.retires_at(listing.id))

    async def due(self, seller: Address, name: str) -> int | None:
        """Return what the seller can collect of a service; None when it has no shares."""
        listing = await self._listings.find(name)
        if not listing.registered:
            return None
        pending = await self._holders.pending(listing.id, seller)
        return sum(each.total for each in pending if each.token.address == self.operator.token)

    async def _registered(self, name: str) -> Listing:
        listing = await self._listings.find(name)
        if not listing.registered:
            raise Conflict(
                f"the income of {name} goes to {listing.pay_to} by itself; there is nothing to collect",
                code="no_shares",
                field="name",
            )
        return listing

    def asks_wallet(self, seller: Address) -> bool:
        """Tell whether a seller's own wallet sends what the chain decides."""
        return sender_of(seller, self._devnet_owner) is None


def _together(counted: Iterable[CallCounts]) -> CallCounts:
    found = CallCounts()
    for each in counted:
        found.add_counts(each)
    return found


def _errors(counts: CallCounts) -> int:
    """Return the calls that the service was to answer, and did not answer whole."""
    return counts.tried - counts.answered


def _earned(counts: CallCounts) -> Earnings:
    return Earnings(counts.calls, _errors(counts), counts.income)


def _usage(counts: CallCounts) -> Usage:
    return Usage(counts.input_tokens, counts.output_tokens, counts.cached_input_tokens)
