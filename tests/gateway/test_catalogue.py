"""What is offered, on both databases: add, price, list, retire."""

from dataclasses import replace

import pytest
from sqlalchemy import text

from usufruct.core import UINT128_MAX, Address, AssetId, FakeClock, PriceCard, PriceUnit, format_asset
from usufruct.gateway import (
    Caps,
    Catalogue,
    CountingRule,
    Endpoint,
    InvalidListing,
    ListingExists,
    PricePeriod,
    RetiredListing,
    ServedListing,
    UnknownModel,
    Upstream,
    plain_asset_id,
)
from usufruct.gateway.catalogue import FRESH_SECONDS
from usufruct.gateway.store import add_asset
from usufruct.store import Seal

SECRET = b"a secret of some length"
PAY_TO = Address("0x" + "55" * 20)
CARD = PriceCard(1, 2**128 - 1, 0, 4_096, 1, cached_input_bps=2_500, unit=PriceUnit.IMAGE)
ASSET = ServedListing(
    name="hamlet",
    endpoint=Endpoint.CHAT,
    pay_to=PAY_TO,
    id=plain_asset_id("hamlet", PAY_TO),
    upstreams=(Upstream("http://one/v1", "m", "sk-upstream-secret"), Upstream("http://two/v1", "n")),
    prices=(PricePeriod(CARD, 0),),
    caps=Caps(largest_ceiling=UINT128_MAX),
)


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def catalogue(database, clock):
    return Catalogue(database, Seal(b"a secret of some length", "upstreams"), clock)


async def test_what_is_added_is_found_and_paid(catalogue, clock):
    added = await catalogue.add(ASSET)
    assert added == replace(ASSET, created_at=clock.now())
    assert await catalogue.find("hamlet") == added
    assert await catalogue.list() == [added]
    assert await catalogue.pay_to(ASSET.id) == PAY_TO
    for missing in (catalogue.find("macbeth"), catalogue.pay_to(AssetId(1))):
        with pytest.raises(UnknownModel) as refused:
            await missing
    assert refused.value.details == {"asset": format_asset(AssetId(1))}


async def test_upstream_keys_are_sealed(catalogue, database):
    await catalogue.add(ASSET)
    async with database.snapshot() as unit:
        row = (await unit.rows(text("SELECT * FROM gateway_assets")))[0]
    assert "upstream-secret" not in "".join(map(str, row))
    assert "upstream-secret" not in repr(ASSET)


async def test_a_name_and_an_id_are_taken_once(catalogue):
    await catalogue.add(ASSET)
    for again in (ASSET, replace(ASSET, name="other"), replace(ASSET, id=AssetId(5))):
        with pytest.raises(ListingExists):
            await catalogue.add(again)


async def test_prices_are_versioned_and_start_when_they_say(catalogue, clock):
    await catalogue.add(ASSET)
    dearer = replace(CARD, input_per_million=9, version=77)
    asset = await catalogue.price("hamlet", dearer, clock.now() + 60)
    assert [period.card.version for period in asset.prices] == [1, 2]
    assert asset.card(clock.now() + 59) == CARD
    assert asset.card(clock.now() + 60) == replace(dearer, version=2)
    asset = await catalogue.price("hamlet", CARD, 0)
    assert asset.prices[-1].starts_at == clock.now()
    assert asset.card(clock.now()).version == 3
    with pytest.raises(InvalidListing):
        await catalogue.price("hamlet", replace(CARD, context_window=1), 0)


async def test_a_retired_asset_is_kept_but_not_served(catalogue, clock):
    await catalogue.add(ASSET)
    retired = await catalogue.retire("hamlet")
    clock.advance(9)
    assert (await catalogue.retire("hamlet")).retired_at == retired.retired_at
    assert await catalogue.list() == []
    assert await catalogue.pay_to(ASSET.id) == PAY_TO
    with pytest.raises(RetiredListing):
        retired.check_open(Endpoint.CHAT)


async def test_a_neighbour_sees_changes_soon(catalogue, database, clock):
    neighbour = Catalogue(database, Seal(b"a secret of some length", "upstreams"), clock)
    assert await neighbour.list() == []
    await catalogue.add(ASSET)
    clock.advance(FRESH_SECONDS)
    assert [asset.name for asset in await neighbour.list()] == ["hamlet"]


async def test_a_vocabulary_comes_with_its_asset_and_outlives_the_process(catalogue, database, clock, vocabulary):
    added = await catalogue.add(ASSET, vocabulary)
    other = await catalogue.add(replace(ASSET, name="other", id=AssetId(5)), vocabulary)
    assert added.counting.vocabulary == other.counting.vocabulary != ""
    counter = await Catalogue(database, Seal(b"a secret of some length", "upstreams"), clock).counter(added)
    assert 0 < counter.count("to be or not to be") < 18
    with pytest.raises(InvalidListing):
        await catalogue.add(replace(ASSET, name="third", id=AssetId(6), counting=CountingRule(vocabulary="00")))
    async with database.transaction() as unit:
        await unit.rows(text("DELETE FROM gateway_vocabularies"))
    with pytest.raises(InvalidListing):
        await Catalogue(database, Seal(b"a secret of some length", "upstreams"), clock).counter(added)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"upstreams": ()}, "upstreams"),
        ({"upstreams": (Upstream("ftp://one", "m"),)}, "url"),
        ({"upstreams": (Upstream("http://user:password@one", "m"),)}, "url"),
        ({"upstreams": (Upstream("http://user@one", "m"),)}, "url"),
        ({"upstreams": (Upstream("http://:password@one", "m"),)}, "url"),
        ({"upstreams": (Upstream("http:///v1", "m"),)}, "url"),
        ({"upstreams": (Upstream("http://one", "m"), Upstream("http://two", " m"))}, "model"),
        ({"upstreams": (Upstream("http://one", ""),)}, "model"),
        ({"prices": ()}, "prices"),
        ({"prices": (PricePeriod(replace(CARD, per_call=-1), 0),)}, "price"),
        ({"prices": (PricePeriod(replace(CARD, input_per_million=UINT128_MAX + 1), 0),)}, "price"),
        ({"prices": (PricePeriod(replace(CARD, output_per_million=UINT128_MAX + 1), 0),)}, "price"),
        ({"prices": (PricePeriod(CARD, 0), PricePeriod(replace(CARD, per_call=UINT128_MAX + 1), 0))}, "price"),
        ({"prices": (PricePeriod(replace(CARD, context_window=1), 0),)}, "context_window"),
        ({"prices": (PricePeriod(replace(CARD, context_window=1 << 31), 0),)}, "context_window"),
        ({"prices": (PricePeriod(replace(CARD, cached_input_bps=10_001), 0),)}, "cached_input"),
        ({"prices": (PricePeriod(replace(CARD, cached_input_bps=-1), 0),)}, "cached_input"),
        ({"prices": (PricePeriod(replace(CARD, version=0), 0),)}, "version"),
        ({"prices": (PricePeriod(replace(CARD, version=1 << 63), 0),)}, "version"),
        *(
            ({"counting": CountingRule(**{number: wrong})}, "counting")
            for number in ("per_message", "per_request", "tolerance_ppm", "spare_tokens")
            for wrong in (-1, 1 << 31)
        ),
        ({"counting": CountingRule(forward=frozenset({"store", "n_predict"}))}, "forward"),
        ({"caps": Caps(largest_output=1 << 31)}, "caps"),
        ({"caps": Caps(largest_ceiling=UINT128_MAX + 1)}, "largest_ceiling"),
        ({"caps": Caps(usual_output=0)}, "caps"),
        ({"caps": Caps(usual_output=9, largest_output=8)}, "caps"),
        ({"caps": Caps(largest_ceiling=0)}, "largest_ceiling"),
    ],
)
async def test_assets_nobody_could_be_charged_for(catalogue, changes, field):
    with pytest.raises(InvalidListing) as caught:
        await catalogue.add(replace(ASSET, **changes))
    assert caught.value.details["field"] == field
    assert await catalogue.list() == []


async def test_assets_at_the_limits_are_taken(catalogue):
    most = (1 << 31) - 1
    dear = PriceCard(*[UINT128_MAX] * 3, context_window=most, version=(1 << 63) - 1, cached_input_bps=10_000)
    largest = replace(
        ASSET,
        name="x" * 200,
        upstreams=(Upstream("https://one", "m"),),
        prices=(PricePeriod(dear, 0),),
        counting=CountingRule("", most, most, most, most, frozenset({"store", "service_tier"})),
        caps=Caps(most, most, UINT128_MAX),
    )
    free = PriceCard(0, 0, 0, context_window=2, version=1, cached_input_bps=0, unit=PriceUnit.STEP)
    smallest = replace(
        ASSET,
        name="x",
        id=AssetId(1),
        prices=(PricePeriod(free, 0),),
        counting=CountingRule("", 0, 0, 0, 0),
        caps=Caps(1, 1, 1),
    )
    for asset in (largest, smallest):
        await catalogue.add(asset)
        added = await catalogue.find(asset.name)
        assert (added.prices, added.counting, added.caps) == (asset.prices, asset.counting, asset.caps)


class CountedSeal(Seal):
    """A seal that says how often it was opened."""

    opened = 0

    def open(self, sealed: bytes, context: str) -> bytes:
        self.opened += 1
        return super().open(sealed, context)


async def test_an_unchanged_catalogue_of_a_thousand_assets_unseals_nothing(database, clock):
    seal = CountedSeal(SECRET, "upstreams")
    here, elsewhere = Catalogue(database, seal, clock), Catalogue(database, Seal(SECRET, "upstreams"), clock)
    names = [f"asset {number}" for number in range(1_000)]
    async with database.transaction() as unit:
        for name in names:
            asset = replace(ASSET, name=name, id=plain_asset_id(name, PAY_TO), created_at=clock.now())
            await add_asset(unit, asset, seal)
    assert [asset.name for asset in await here.list()] == sorted(names)
    assert seal.opened == 1_000
    for _ in range(5):
        clock.advance(FRESH_SECONDS + 1)
        assert (await here.find("asset 7")).name == "asset 7"
        assert (await here.offered(plain_asset_id("asset 9", PAY_TO))).name == "asset 9"
    assert seal.opened == 1_000

    await elsewhere.retire("asset 7")
    clock.advance(FRESH_SECONDS + 1)
    assert (await here.find("asset 7")).retired_at is not None
    assert seal.opened == 1_000, "its upstreams are what they were"
    await elsewhere.add(replace(ASSET, name="new", id=plain_asset_id("new", PAY_TO)))
    assert (await here.find("new")).name == "new", "an unknown name is looked up at once"
    assert seal.opened == 1_001
