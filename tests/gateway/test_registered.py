"""What the registry decides reaches the catalogue: cards with their own versions, retirement; nothing else does."""

from dataclasses import replace

import pytest

from usufruct.core import Address, AssetId, FakeClock, PriceCard
from usufruct.gateway import (
    USUAL_WINDOW,
    Catalogue,
    Endpoint,
    InvalidListing,
    PricePeriod,
    RegisteredOffers,
    ServedListing,
    Upstream,
    registered_card,
)
from usufruct.store import Seal

ASSET = ServedListing(
    name="hamlet",
    endpoint=Endpoint.CHAT,
    pay_to=Address("0x" + "55" * 20),
    id=AssetId(77),
    upstreams=(Upstream("http://one/v1", "m"),),
    prices=(PricePeriod(PriceCard(1, 2, 3, 4_096, 4), 0),),
)

CARD = PriceCard(10, 20, 30, 8_192, 5)
WINDOWLESS = replace(CARD, context_window=0)


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
async def catalogue(database, clock):
    catalogue = Catalogue(database, Seal(b"a secret of some length", "upstreams"), clock)
    await catalogue.add(ASSET)
    return catalogue


async def test_a_card_of_the_registry_holds_under_its_own_version(catalogue, clock):
    offers = RegisteredOffers(catalogue)
    card = PriceCard(10, 20, 30, 8_192, 6, cached_input_bps=2_500)
    for _ in range(2):  # it may be told again
        await offers.priced(ASSET.id, card, clock.now())
    await offers.priced(ASSET.id, replace(card, version=5), clock.now())  # and late
    asset = await catalogue.find("hamlet")
    assert [period.card.version for period in asset.prices] == [4, 6]
    assert asset.card(clock.now()) == PriceCard(10, 20, 30, 8_192, 6, cached_input_bps=2_500)


async def test_a_card_that_prices_no_call_is_refused_and_changes_nothing(catalogue, clock):
    for _ in range(2):
        with pytest.raises(InvalidListing, match="hamlet keeps its price: context_window"):
            await RegisteredOffers(catalogue).priced(ASSET.id, replace(CARD, context_window=1), clock.now())
    assert len((await catalogue.find("hamlet")).prices) == 1


async def test_a_card_without_a_window_leaves_the_asset_the_one_it_has(catalogue, clock):
    """On the chain 0 says that there is none; every service here has one."""
    await RegisteredOffers(catalogue).priced(ASSET.id, WINDOWLESS, clock.now())
    assert (await catalogue.find("hamlet")).card(clock.now()) == PriceCard(10, 20, 30, 4_096, 5)
    assert registered_card(WINDOWLESS, USUAL_WINDOW) == PriceCard(10, 20, 30, USUAL_WINDOW, 5)


async def test_retirement_ends_the_offer_and_a_new_holder_does_not(catalogue):
    offers = RegisteredOffers(catalogue)
    await offers.moved(ASSET.id, Address("0x" + "66" * 20))
    assert await catalogue.find("hamlet") in await catalogue.list()
    await offers.retired(ASSET.id, 5)
    assert await catalogue.list() == []


async def test_what_is_not_offered_here_is_left_alone(catalogue, clock):
    offers = RegisteredOffers(catalogue)
    await offers.priced(AssetId(78), replace(CARD, version=1), clock.now())
    await offers.retired(AssetId(78), 5)
    await offers.moved(AssetId(78), ASSET.pay_to)
    assert await catalogue.list() == [await catalogue.find("hamlet")]


async def test_nobody_here_prices_a_registered_asset(catalogue, clock):
    with pytest.raises(InvalidListing, match="asset price"):
        await catalogue.price("hamlet", PriceCard(1, 1, 1, 4_096, 1), clock.now())
