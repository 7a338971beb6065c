"""What is sold, on both databases: add, price, limit, pay, retire, sell again; and what the registry decides of it."""

import asyncio
from dataclasses import replace

import pytest

from tests.support.fake_clock import FakeClock
from usufruct.assets import (
    Asset,
    Caps,
    InvalidListing,
    Listing,
    ListingExists,
    Listings,
    PricePeriod,
    UnknownListing,
    plain_listing_id,
)
from usufruct.assets.errors import PausedListing, RetiredListing
from usufruct.chain.contracts.asset_registry import Kind
from usufruct.core import UINT128_MAX, Address, AssetId, format_asset
from usufruct.core.price_cards import PriceCard, PriceUnit
from usufruct.store.row_cache import FRESH_SECONDS

PAY_TO, OTHER = Address("0x" + "55" * 20), Address("0x" + "66" * 20)
CARD = PriceCard(1, 2**128 - 1, 0, 4_096, 1, cached_input_bps=2_500, unit=PriceUnit.IMAGE)
PLAIN = Listing(
    name="hamlet",
    operation="chat",
    pay_to=PAY_TO,
    id=plain_listing_id("hamlet", PAY_TO),
    prices=(PricePeriod(CARD, 0),),
)
REGISTERED = replace(PLAIN, id=AssetId(77), registered=True, prices=(PricePeriod(PriceCard(1, 2, 3, 4_096, 4), 0),))


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def listings(database, clock):
    return Listings(database, clock)


async def test_what_is_added_is_found_and_paid(listings, clock):
    added = await listings.add(PLAIN)
    assert added == replace(PLAIN, created_at=clock.now())
    assert await listings.find("hamlet") == await listings.by_id(PLAIN.id) == added
    assert await listings.list() == [added]
    assert await listings.pay_to(PLAIN.id) == PAY_TO
    assert await listings.payees() == [PAY_TO]
    for missing in (listings.find("macbeth"), listings.pay_to(AssetId(1))):
        with pytest.raises(UnknownListing) as refused:
            await missing
    assert refused.value.details == {"asset": format_asset(AssetId(1))}


async def test_a_seller_gives_a_discount_by_level_within_bounds(listings, database, clock):
    await listings.add(PLAIN)
    assert (await listings.give_level_discount("hamlet", 5_000)).level_discount_bps == 5_000
    assert (await Listings(database, clock).find("hamlet")).level_discount_bps == 5_000
    for wrong in (-1, 5_001):
        with pytest.raises(InvalidListing, match="level_discount must be from 0 to 50 per cent"):
            await listings.give_level_discount("hamlet", wrong)
    assert (await listings.give_level_discount("hamlet", 0)).level_discount_bps == 0
    await listings.retire("hamlet")
    with pytest.raises(RetiredListing):
        await listings.give_level_discount("hamlet", 100)


async def test_a_name_and_an_id_are_taken_once(listings):
    await listings.add(PLAIN)
    for again in (PLAIN, replace(PLAIN, name="other"), replace(PLAIN, id=AssetId(5))):
        with pytest.raises(ListingExists):
            await listings.add(again)
    with pytest.raises(ListingExists):
        await listings.add(replace(PLAIN, name="other"), replace_active=True)


async def test_two_processes_do_not_take_one_name(listings, database, clock):
    neighbour = Listings(database, clock)
    assert await neighbour.list() == []
    await listings.add(PLAIN)
    with pytest.raises(ListingExists):
        await neighbour.add(replace(PLAIN, id=AssetId(5)))


async def test_what_is_written_beside_a_listing_is_committed_with_it_or_not_at_all(listings):
    async def fails(unit):
        raise RuntimeError("not now")

    with pytest.raises(RuntimeError):
        await listings.add(PLAIN, fails)
    assert await listings.list() == []
    added = await listings.add(PLAIN)
    with pytest.raises(RuntimeError):
        await listings.limit("hamlet", Caps(1, 1), fails)
    assert await listings.find("hamlet") == added


async def test_a_retired_name_is_sold_again_with_its_price_cards_going_on(listings, clock):
    await listings.add(PLAIN)
    await listings.retire("hamlet")
    clock.advance(9)
    dearer = replace(PLAIN, prices=(PricePeriod(replace(CARD, per_call=7), 0),), caps=Caps(5, 6))
    again = await listings.add(dearer)
    assert (again.retired_at, again.caps) == (None, Caps(5, 6))
    assert [period.card.version for period in again.prices] == [1, 2]
    assert again.card(clock.now()) == replace(CARD, per_call=7, version=2)
    await listings.retire("hamlet")
    assert len((await listings.add(dearer)).prices) == 2, "the same price is no new card"


async def test_a_retired_name_is_given_to_another_payee_and_the_old_one_is_still_paid(listings, database, clock):
    await listings.add(PLAIN)
    await listings.retire("hamlet")
    other = replace(PLAIN, pay_to=OTHER, id=plain_listing_id("hamlet", OTHER))
    await listings.add(other)
    for each in (listings, Listings(database, clock)):
        assert (await each.find("hamlet")).id == other.id
        assert [listing.id for listing in await each.list()] == [other.id]
        assert (await each.pay_to(PLAIN.id), await each.pay_to(other.id)) == (PAY_TO, OTHER)


async def test_an_active_listing_is_replaced_on_demand(listings, clock):
    await listings.add(PLAIN)
    same = await listings.add(replace(PLAIN, operation="embeddings"), replace_active=True)
    assert (same.id, same.operation, len(same.prices)) == (PLAIN.id, "embeddings", 1)
    other = await listings.add(REGISTERED, replace_active=True)
    assert await listings.list() == [other]
    assert (await listings.by_id(PLAIN.id)).retired_at == clock.now()


async def test_prices_are_versioned_and_start_when_they_say(listings, clock):
    await listings.add(PLAIN)
    dearer = replace(CARD, input_per_million=9, version=77)
    listing = await listings.price("hamlet", dearer, clock.now() + 60)
    assert [period.card.version for period in listing.prices] == [1, 2]
    assert listing.card(clock.now() + 59) == CARD
    assert listing.card(clock.now() + 60) == replace(dearer, version=2)
    listing = await listings.price("hamlet", CARD, 0)
    assert listing.prices[-1].starts_at == clock.now()
    assert listing.card(clock.now()).version == 3
    with pytest.raises(InvalidListing):
        await listings.price("hamlet", replace(CARD, context_window=1), 0)


async def test_the_payee_of_a_plain_listing_can_be_corrected_and_that_of_shares_not(listings):
    await listings.add(PLAIN)
    assert (await listings.pay("hamlet", OTHER)).pay_to == OTHER
    assert await listings.pay_to(PLAIN.id) == OTHER
    await listings.retire("hamlet")
    await listings.add(REGISTERED)
    with pytest.raises(InvalidListing, match="Shares") as refused:
        await listings.pay("hamlet", OTHER)
    assert refused.value.details["field"] == "pay_to"
    assert await listings.pay_to(REGISTERED.id) == PAY_TO


async def test_a_retired_listing_is_kept_but_not_sold(listings, clock):
    await listings.add(PLAIN)
    retired = await listings.retire("hamlet")
    clock.advance(9)
    assert (await listings.retire("hamlet")).retired_at == retired.retired_at
    assert await listings.list() == []
    assert await listings.pay_to(PLAIN.id) == PAY_TO
    with pytest.raises(RetiredListing):
        retired.check_active()


async def test_a_paused_listing_is_on_sale_and_takes_no_calls(listings, clock):
    await listings.add(PLAIN)
    paused = await listings.pause("hamlet")
    clock.advance(9)
    assert (await listings.pause("hamlet")).paused_at == paused.paused_at, "paused once"
    assert await listings.list() == [paused]
    with pytest.raises(PausedListing) as refused:
        paused.check_open()
    assert refused.value.details["paused_at"] == paused.paused_at
    dearer = await listings.price("hamlet", replace(CARD, input_per_million=9), 0)
    assert dearer.paused_at == paused.paused_at
    (await listings.resume("hamlet")).check_open()
    assert (await listings.resume("hamlet")).paused_at is None


async def test_a_listing_that_is_off_sale_is_not_paused_and_one_sold_again_is_open(listings):
    await listings.add(PLAIN)
    await listings.pause("hamlet")
    assert (await listings.add(PLAIN, replace_active=True)).paused_at is None
    await listings.retire("hamlet")
    for change in (listings.pause, listings.resume):
        with pytest.raises(RetiredListing):
            await change("hamlet")


async def test_a_neighbour_sees_changes_soon_and_reads_nothing_else(listings, database, clock):
    neighbour = Listings(database, clock)
    assert await neighbour.list() == []
    await listings.add(PLAIN)
    other = await listings.add(replace(PLAIN, name="other", id=AssetId(5)))
    clock.advance(FRESH_SECONDS)
    assert [listing.name for listing in await neighbour.list()] == ["hamlet", "other"]
    kept = await neighbour.find("hamlet")
    await listings.limit("other", Caps(1, 1))
    clock.advance(FRESH_SECONDS)
    assert await neighbour.find("other") == replace(other, caps=Caps(1, 1))
    assert await neighbour.find("hamlet") is kept
    await listings.add(replace(PLAIN, name="new", id=AssetId(6)))
    assert (await neighbour.find("new")).name == "new", "an unknown name is looked up at once"


class CountedReads:
    def __init__(self, database):
        self.snapshot = database.snapshot
        self._database = database
        self.count = 0

    async def rows(self, query):
        self.count += 1
        return await self._database.rows(query)


async def test_a_thousand_unknown_names_at_once_are_one_read(database, clock):
    counted = CountedReads(database)
    listings = Listings(counted, clock)

    async def ask(number):
        with pytest.raises(UnknownListing):
            await listings.find(f"unknown {number}")

    await listings.list()
    assert counted.count == 1
    await asyncio.gather(*(ask(number) for number in range(1_000)))
    assert counted.count == 2


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"prices": ()}, "prices"),
        ({"prices": (PricePeriod(replace(CARD, per_call=-1), 0),)}, "per_call"),
        ({"prices": (PricePeriod(replace(CARD, input_per_million=UINT128_MAX + 1), 0),)}, "input_per_million"),
        ({"prices": (PricePeriod(replace(CARD, output_per_million=UINT128_MAX + 1), 0),)}, "output_per_million"),
        ({"prices": (PricePeriod(CARD, 0), PricePeriod(replace(CARD, per_call=UINT128_MAX + 1), 0))}, "per_call"),
        ({"prices": (PricePeriod(replace(CARD, context_window=0), 0),)}, "context_window"),
        ({"prices": (PricePeriod(replace(CARD, context_window=1), 0),)}, "context_window"),
        ({"prices": (PricePeriod(replace(CARD, context_window=1 << 31), 0),)}, "context_window"),
        ({"prices": (PricePeriod(replace(CARD, cached_input_bps=10_001), 0),)}, "cached_input"),
        ({"prices": (PricePeriod(replace(CARD, cached_input_bps=-1), 0),)}, "cached_input"),
        ({"prices": (PricePeriod(replace(CARD, version=0), 0),)}, "version"),
        ({"prices": (PricePeriod(replace(CARD, version=1 << 32), 0),)}, "version"),
        ({"caps": Caps(largest_output=1 << 31)}, "caps"),
        ({"caps": Caps(largest_ceiling=UINT128_MAX + 1)}, "largest_ceiling"),
        ({"caps": Caps(usual_output=0)}, "caps"),
        ({"caps": Caps(usual_output=9, largest_output=8)}, "caps"),
        ({"caps": Caps(usual_output=9, largest_output=9, reasoning_output=10)}, "reasoning_output"),
        ({"caps": Caps(largest_ceiling=0)}, "largest_ceiling"),
    ],
)
async def test_listings_nobody_could_be_charged_for(listings, changes, field):
    with pytest.raises(InvalidListing) as caught:
        await listings.add(replace(PLAIN, **changes))
    assert caught.value.details["field"] == field
    assert await listings.list() == []


async def test_listings_at_the_limits_are_taken(listings):
    most = (1 << 31) - 1
    dear = PriceCard(*[UINT128_MAX] * 3, context_window=most, version=(1 << 32) - 1, cached_input_bps=10_000)
    free = PriceCard(0, 0, 0, context_window=2, version=1, cached_input_bps=0, unit=PriceUnit.STEP)
    largest = replace(PLAIN, name="x" * 200, prices=(PricePeriod(dear, 0),), caps=Caps(most, most, UINT128_MAX))
    smallest = replace(PLAIN, name="x", id=AssetId(1), prices=(PricePeriod(free, 0),), caps=Caps(1, 1, 1))
    for listing in (largest, smallest):
        await listings.add(listing)
        added = await listings.find(listing.name)
        assert (added.prices, added.caps) == (listing.prices, listing.caps)


def asset(*cards: PricePeriod, **changes) -> Asset:
    """What the registry's logs say about the listed asset."""
    fields = {"kind": Kind.MODEL, "holder": OTHER, "shares": PAY_TO, "currency": OTHER, "notice_period": 60}
    known = {"id": REGISTERED.id, "name": "n", "symbol": "N", "cards": cards, "retires_at": 0, "block": 1}
    return Asset(**fields | known | changes)


async def test_a_card_of_the_registry_holds_under_its_own_version(listings, clock):
    await listings.add(REGISTERED)
    old = PricePeriod(PriceCard(1, 2, 3, 4_096, 5), 100)
    new = PricePeriod(PriceCard(10, 20, 30, 8_192, 6, cached_input_bps=2_500), 1_000)
    for _ in range(2):  # each poll tells it again
        await listings.follow([asset(old, new)], 1_000)
    await listings.follow([asset(old)], 1_001)  # a reorganisation took the newer one away
    listing = await listings.find("hamlet")
    assert [period.card.version for period in listing.prices] == [4, 6]
    assert listing.prices[-1] == new
    assert listing.card(clock.now()) == new.card


async def test_processes_that_follow_the_registry_at_once_take_a_card_over_once(listings, database, clock):
    await listings.add(REGISTERED)
    everyone = [listings, *(Listings(database, clock) for _ in range(3))]
    for each in everyone:
        await each.find("hamlet")
    new = PricePeriod(PriceCard(10, 20, 30, 8_192, 6), 1_000)
    await asyncio.gather(*(each.follow([asset(new)], 1_000) for each in everyone))
    for each in everyone:
        assert [period.card.version for period in (await each.find("hamlet")).prices] == [4, 6]


async def test_a_card_that_is_not_in_force_yet_is_waited_for(listings):
    await listings.add(REGISTERED)
    cards = PricePeriod(REGISTERED.prices[0].card, 0), PricePeriod(PriceCard(1, 1, 1, 4_096, 5), 1_000)
    await listings.follow([asset(*cards)], 999)
    assert len((await listings.find("hamlet")).prices) == 1
    await listings.follow([asset(*cards)], 1_000)
    assert len((await listings.find("hamlet")).prices) == 2


async def test_a_card_that_prices_no_call_is_refused_once_and_holds_up_nothing_else(listings, database, clock, caplog):
    await listings.add(REGISTERED)
    other = await listings.add(replace(REGISTERED, name="other", id=AssetId(78)))
    useless = PricePeriod(PriceCard(1, 1, 1, 1, 5), 0)
    good = PricePeriod(PriceCard(1, 1, 1, 2, 5), 0)
    for _ in range(3):
        await listings.follow([asset(useless), asset(good, id=other.id)], 1_000)
    assert len((await listings.find("hamlet")).prices) == 1
    assert (await listings.find("other")).prices[-1] == good
    assert caplog.text.count("hamlet keeps its price, card 5 is refused: context_window") == 1
    await Listings(database, clock).follow([asset(useless)], 1_000)
    assert caplog.text.count("hamlet keeps its price") == 2
    await listings.follow([asset(useless, PricePeriod(PriceCard(1, 1, 1, 9, 6), 100))], 1_000)
    assert (await listings.find("hamlet")).prices[-1].card.version == 6


async def test_a_card_without_a_window_leaves_the_listing_the_one_it_has(listings):
    """On the chain 0 says that there is none; every listing has one."""
    await listings.add(REGISTERED)
    await listings.follow([asset(PricePeriod(PriceCard(10, 20, 30, 0, 5), 0))], 1_000)
    assert (await listings.find("hamlet")).prices[-1].card == PriceCard(10, 20, 30, 4_096, 5)


async def test_a_retirement_in_effect_takes_the_listing_off_sale(listings):
    await listings.add(REGISTERED)
    period = PricePeriod(REGISTERED.prices[0].card, 0)
    await listings.follow([asset(period, retires_at=1_001)], 1_000)
    assert (await listings.find("hamlet")).retired_at is None
    await listings.follow([asset(period, retires_at=1_001)], 1_001)
    assert await listings.list() == []
    with pytest.raises(RetiredListing):
        (await listings.find("hamlet")).check_active()


async def test_what_is_not_listed_here_is_left_alone(listings):
    added = await listings.add(PLAIN)
    period = PricePeriod(PriceCard(1, 1, 1, 9, 9), 0)
    await listings.follow([asset(period), asset(period, id=PLAIN.id, retires_at=1)], 1_000)
    assert await listings.list() == [added]


async def test_nobody_here_prices_a_registered_asset(listings, clock):
    await listings.add(REGISTERED)
    with pytest.raises(InvalidListing, match="asset price"):
        await listings.price("hamlet", PriceCard(1, 1, 1, 4_096, 1), clock.now())


async def test_a_name_that_leads_to_another_page_is_refused(listings):
    for name in ("../account", "org/..", "."):
        with pytest.raises(InvalidListing, match=r"without \. or \.\. between slashes"):
            await listings.add(replace(PLAIN, name=name))
    await listings.add(replace(PLAIN, name="org/model.v2"))
