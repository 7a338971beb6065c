"""What is served, on both databases: listings with their servers, sealed, and how they are counted."""

from dataclasses import replace

import pytest
from sqlalchemy import text

from tests.support.fake_clock import FakeClock
from usufruct.assets import (
    Caps,
    InvalidListing,
    Listing,
    ListingExists,
    Listings,
    PricePeriod,
    UnknownListing,
    plain_listing_id,
)
from usufruct.assets.errors import RetiredListing
from usufruct.assets.listing_store import put_listing
from usufruct.core import UINT128_MAX, Address, AssetId
from usufruct.core.price_cards import PriceCard, PriceUnit
from usufruct.gateway import Catalogue, CountingRule, Endpoint, ServedListing, Upstream
from usufruct.gateway.store import Serving, put_serving, sealed_upstreams
from usufruct.http import Reach
from usufruct.store import Seal
from usufruct.store.row_cache import FLOOR_SECONDS, FRESH_SECONDS

SECRET = b"a secret of some length"
PAY_TO = Address("0x" + "55" * 20)
CARD = PriceCard(1, 2**128 - 1, 0, 4_096, 1, cached_input_bps=2_500, unit=PriceUnit.IMAGE)
ASSET = ServedListing(
    name="hamlet",
    operation=Endpoint.CHAT,
    pay_to=PAY_TO,
    id=plain_listing_id("hamlet", PAY_TO),
    upstreams=(Upstream("http://one/v1", "m", "sk-upstream-secret"), Upstream("http://two/v1", "n")),
    prices=(PricePeriod(CARD, 0),),
    caps=Caps(largest_ceiling=UINT128_MAX),
)


@pytest.fixture
def clock():
    return FakeClock()


def world(database, seal, clock) -> Catalogue:
    return Catalogue(Listings(database, clock), database, seal, clock)


@pytest.fixture
def listings(database, clock):
    return Listings(database, clock)


@pytest.fixture
def catalogue(listings, database, clock):
    return Catalogue(listings, database, Seal(SECRET, "upstreams"), clock)


async def test_what_is_added_is_found(catalogue, clock):
    added = await catalogue.add(ASSET)
    assert added == replace(ASSET, created_at=clock.now())
    assert await catalogue.find("hamlet") == added
    assert await catalogue.find("hamlet") is await catalogue.find("hamlet")
    assert await catalogue.list() == [added]
    with pytest.raises(UnknownListing):
        await catalogue.find("macbeth")


async def test_which_addresses_a_server_may_have_is_kept(database, clock):
    limited = replace(ASSET.upstreams[0], reach=Reach.PUBLIC)
    await world(database, Seal(SECRET, "upstreams"), clock).add(replace(ASSET, upstreams=(limited, ASSET.upstreams[1])))
    found = await world(database, Seal(SECRET, "upstreams"), clock).find("hamlet")
    assert [each.reach for each in found.upstreams] == [Reach.PUBLIC, Reach.ANY]
    assert isinstance(found.upstreams[0].reach, Reach)


async def test_a_listing_without_servers_here_is_not_served(catalogue, listings):
    await listings.add(Listing("rows", "query", PAY_TO, AssetId(9), (PricePeriod(CARD, 0),)))
    assert await catalogue.list() == []
    with pytest.raises(UnknownListing):
        await catalogue.find("rows")


async def test_upstream_keys_are_sealed(catalogue, database):
    await catalogue.add(ASSET)
    async with database.snapshot() as unit:
        row = (await unit.rows(text("SELECT * FROM gateway_upstreams")))[0]
    assert "upstream-secret" not in "".join(map(str, row))
    assert "upstream-secret" not in repr(ASSET)


async def test_a_name_and_an_id_are_taken_once(catalogue):
    await catalogue.add(ASSET)
    for again in (ASSET, replace(ASSET, name="other"), replace(ASSET, id=AssetId(5))):
        with pytest.raises(ListingExists):
            await catalogue.add(again)


async def test_a_retired_listing_is_kept_but_not_served(catalogue, listings):
    await catalogue.add(ASSET)
    await listings.retire("hamlet")
    with pytest.raises(RetiredListing):
        (await catalogue.find("hamlet")).check_active()
    assert await catalogue.list() == []


async def test_a_listing_is_replaced_with_its_servers(catalogue):
    await catalogue.add(ASSET)
    other = replace(ASSET, upstreams=(Upstream("http://three/v1", "m"),))
    with pytest.raises(ListingExists):
        await catalogue.add(other)
    assert (await catalogue.find("hamlet")).upstreams == ASSET.upstreams
    await catalogue.add(other, replace_active=True)
    assert (await catalogue.find("hamlet")).upstreams == other.upstreams


async def test_a_neighbour_sees_changes_soon(catalogue, database, clock):
    neighbour = world(database, Seal(SECRET, "upstreams"), clock)
    assert await neighbour.list() == []
    await catalogue.add(ASSET)
    clock.advance(FRESH_SECONDS)
    assert [asset.name for asset in await neighbour.list()] == ["hamlet"]


async def test_a_vocabulary_comes_with_its_asset_and_outlives_the_process(catalogue, database, clock, vocabulary):
    added = await catalogue.add(ASSET, vocabulary)
    other = await catalogue.add(replace(ASSET, name="other", id=AssetId(5)), vocabulary)
    assert added.counting.vocabulary == other.counting.vocabulary != ""
    counter = await world(database, Seal(SECRET, "upstreams"), clock).counter(added)
    assert 0 < counter("to be or not to be") < 18
    with pytest.raises(InvalidListing):
        await catalogue.add(replace(ASSET, name="third", id=AssetId(6), counting=CountingRule(vocabulary="00")))
    async with database.transaction() as unit:
        await unit.rows(text("DELETE FROM gateway_vocabularies"))
    with pytest.raises(InvalidListing):
        await world(database, Seal(SECRET, "upstreams"), clock).counter(added)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"upstreams": ()}, "upstreams"),
        ({"upstreams": (Upstream("ftp://one", "m"),)}, "url"),
        ({"upstreams": (Upstream("http://user:password@one", "m"),)}, "url"),
        ({"upstreams": (Upstream("http://user@one", "m"),)}, "url"),
        ({"upstreams": (Upstream("http://:password@one", "m"),)}, "url"),
        ({"upstreams": (Upstream("http:///v1", "m"),)}, "url"),
        ({"upstreams": (Upstream("http://one", "m"), Upstream("http://two", " m"))}, "model"),
        ({"upstreams": (Upstream("http://one", ""),)}, "model"),
        *(
            ({"counting": CountingRule(**{number: wrong})}, "counting")
            for number in ("per_message", "per_request", "tolerance_ppm", "spare_tokens")
            for wrong in (-1, 1 << 31)
        ),
        ({"counting": CountingRule(forward=frozenset({"store", "n_predict"}))}, "forward"),
    ],
)
async def test_listings_that_could_not_be_served(catalogue, changes, field):
    with pytest.raises(InvalidListing) as caught:
        await catalogue.add(replace(ASSET, **changes))
    assert caught.value.details["field"] == field
    assert await catalogue.list() == []


async def test_rules_at_the_limits_are_taken(catalogue):
    most = (1 << 31) - 1
    for name, rule in {"x": CountingRule("", 0, 0, 0, 0), "y": CountingRule("", most, most, most, most)}.items():
        await catalogue.add(replace(ASSET, name=name, id=plain_listing_id(name, PAY_TO), counting=rule))
        assert (await catalogue.find(name)).counting == rule


class CountedSeal(Seal):
    """A seal that says how often it was opened."""

    opened = 0

    def open(self, sealed: bytes, context: str) -> bytes:
        self.opened += 1
        return super().open(sealed, context)


async def test_a_thousand_unchanged_listings_are_unsealed_once(database, clock):
    seal = CountedSeal(SECRET, "upstreams")
    here, elsewhere = world(database, seal, clock), world(database, Seal(SECRET, "upstreams"), clock)
    names = [f"listing {number}" for number in range(1_000)]
    async with database.transaction() as unit:
        for name in names:
            id_ = plain_listing_id(name, PAY_TO)
            await put_listing(unit, replace(ASSET, name=name, id=id_, created_at=clock.now()), known=None)
            await put_serving(unit, Serving(id_, sealed_upstreams(id_, ASSET.upstreams, seal), ASSET.counting))
    assert (await here.find("listing 7")).upstreams == ASSET.upstreams
    assert seal.opened == 1, "the others were not asked for"
    assert [served.name for served in await here.list()] == sorted(names)
    assert seal.opened == 1_000
    for _ in range(5):
        clock.advance(FRESH_SECONDS + 1)
        assert (await here.find("listing 7")).name == "listing 7"
    assert seal.opened == 1_000

    listings = Listings(database, clock)
    await listings.retire("listing 7")
    await elsewhere.limit("listing 8", Caps(1, 2), frozenset({"store"}))
    clock.advance(FRESH_SECONDS + 1)
    assert (await here.find("listing 7")).retired_at is not None
    assert (await here.find("listing 8")).counting.forward == {"store"}
    assert seal.opened == 1_000, "its upstreams are what they were"
    await elsewhere.add(replace(ASSET, name="new", id=plain_listing_id("new", PAY_TO)))
    clock.advance(2 * FLOOR_SECONDS)
    assert (await here.find("new")).name == "new", "an unknown name is looked up at once"
    assert seal.opened == 1_001


async def test_what_a_gateway_learnt_takes_back_nothing_that_the_operator_changed_meanwhile(database, clock):
    seal = Seal(SECRET, "upstreams")
    here, operator = world(database, seal, clock), world(database, seal, clock)
    await operator.add(ASSET)
    seen = await here.find("hamlet")
    learnt = (replace(ASSET.upstreams[0], output_limit="max_completion_tokens"), ASSET.upstreams[1])

    await operator.limit("hamlet", Caps(1, 2), frozenset({"store"}))
    await here.remember(seen, learnt)
    now = await world(database, seal, clock).find("hamlet")
    assert now.counting.forward == {"store"}
    assert [upstream.output_limit for upstream in now.upstreams] == ["max_completion_tokens", ""]

    other = (Upstream("http://three/v1", "m", "sk-another"),)
    await operator.add(replace(ASSET, upstreams=other), replace_active=True)
    await here.remember(seen, learnt)
    assert (await world(database, seal, clock).find("hamlet")).upstreams == other
