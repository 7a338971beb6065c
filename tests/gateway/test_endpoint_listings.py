"""Listings of endpoints that are sold by the call: as the operator's prices are, on both databases."""

from dataclasses import replace
from typing import Any

import pytest

from tests.support.fake_clock import FakeClock
from usufruct.assets import Caps, Listing, Listings, PricePeriod, plain_listing_id
from usufruct.assets.errors import RetiredListing
from usufruct.core import Address
from usufruct.core.price_cards import PriceCard
from usufruct.gateway.endpoints.listings import EndpointListings
from usufruct.gateway.endpoints.pipeline import EndpointPipeline
from usufruct.payments.x402 import PaidEndpoint
from usufruct.store import Database

PAY_TO = Address("0x" + "55" * 20)
PRICE = PaidEndpoint("GET", "/v2/price", 2_000, PAY_TO, 1_000, ("token_id",), {})
TOKENS = replace(PRICE, path="/v2/tokens")
MODEL = Listing(
    "hamlet",
    "chat",
    PAY_TO,
    plain_listing_id("hamlet", PAY_TO),
    (PricePeriod(PriceCard(1, 1, 0, 4_096, 1), 0),),
    caps=Caps(1, 1),
)


async def restarted(database: Database, clock: FakeClock, *endpoints: PaidEndpoint) -> Listings:
    """Start a gateway that sells endpoints, and return the listings as it has them."""
    listings, unused = Listings(database, clock), Any
    pipeline = EndpointPipeline(unused, unused, EndpointListings(listings), clock)  # type: ignore[arg-type]
    for each in endpoints:
        pipeline.sell(each)
    await pipeline.update_listings()
    return listings


async def on_sale(listings: Listings) -> dict[str, int]:
    return {each.name: each.prices[-1].card.version for each in await listings.list()}


async def test_an_endpoint_without_a_price_is_retired_and_sold_again_at_the_next_card(database: Database):
    clock = FakeClock()
    listings = await restarted(database, clock, PRICE, TOKENS)
    await listings.add(MODEL)
    assert await on_sale(listings) == {"/v2/price": 1, "/v2/tokens": 1, "hamlet": 1}

    listings = await restarted(database, clock, TOKENS)
    assert await on_sale(listings) == {"/v2/tokens": 1, "hamlet": 1}, "what others sell stays"
    retired = await listings.find("/v2/price")
    with pytest.raises(RetiredListing):
        retired.check_open()
    assert await listings.pay_to(retired.id) == PAY_TO, "income of earlier calls is still claimed"

    listings = await restarted(database, clock, replace(PRICE, price=3_000), TOKENS)
    assert await on_sale(listings) == {"/v2/price": 2, "/v2/tokens": 1, "hamlet": 1}
    assert (await listings.find("/v2/price")).prices[-1].card.per_call == 3_000
    listings = await restarted(database, clock)
    assert await on_sale(listings) == {"hamlet": 1}, "the whole product is off"
