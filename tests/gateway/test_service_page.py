"""A service's page: what it cost and earned over time, who publishes it, and whether its name imitates an older one."""

from dataclasses import replace

import httpx
import pytest

from tests.support.gateway_server import CARD, PAY_TO
from tests.support.html_page import HtmlPage
from tests.support.ledger_samples import bill
from usufruct.assets import plain_listing_id
from usufruct.core import Address
from usufruct.core.address_lists import read_publishers
from usufruct.gateway.quality.tally import Times

UPSTREAM = "http://127.0.0.1:1/v1"
OTHER = Address("0x" + "66" * 20)


@pytest.fixture
async def site(world):
    async with httpx.AsyncClient(base_url=world.url.removesuffix("/v1"), timeout=60) as client:
        yield client


async def test_prices_are_shown_since_when_and_those_that_are_announced(world, site):
    await world.asset("poet", UPSTREAM)
    assert "Price history" not in (await site.get("/s/poet")).text
    await world.listings.price("poet", replace(CARD, input_per_million=7_000_000), world.clock.now() + 1_000)
    page = HtmlPage((await site.get("/s/poet")).text)
    assert "Price history" in page.texts["h2"]
    (announced,) = [row for row in page.texts["th"] if row.endswith("(announced)")]
    assert announced.startswith(("2", "1", "3"))
    assert {"1 USD", "7 USD"} <= set(page.texts["span"])


async def test_income_is_shown_by_day_to_the_unit(world, site):
    poet = await world.asset("poet", UPSTREAM)
    assert "Income" not in HtmlPage((await site.get("/s/poet")).text).texts["h2"]
    for charge in (1_234_567, 1):
        world.gateway.quality.charged(poet.id, None, Times(0.0, 0.5, 2.0), bill(charge))
    await world.gateway.quality.flush()
    page = HtmlPage((await site.get("/s/poet")).text)
    assert "Income" in page.texts["h2"]
    assert page.texts["td"].count("0") == 29
    assert "1.234568" in page.texts["td"]


async def test_a_younger_service_of_another_payee_with_a_like_name_is_marked(world, site):
    await world.asset("librarian", UPSTREAM)
    world.clock.ahead += 10
    await world.asset("Iibrarian", UPSTREAM, pay_to=OTHER, id=plain_listing_id("Iibrarian", OTHER))
    await world.asset("librarian-2", UPSTREAM)
    assert "has a name that looks like" in (await site.get("/s/Iibrarian")).text
    assert "/s/librarian" in HtmlPage((await site.get("/s/Iibrarian")).text).links
    assert "has a name that looks like" not in (await site.get("/s/librarian")).text
    found = {each["service"]["id"]: each["imitates"] for each in (await site.get("/v1/services")).json()["services"]}
    assert found == {"librarian": None, "Iibrarian": "librarian", "librarian-2": None}
    assert "a name like librarian" in HtmlPage((await site.get("/")).text).texts["span"]
    await world.listings.retire("librarian")
    await world.gateway.search.refresh()
    assert "has a name that looks like" not in (await site.get("/s/Iibrarian")).text


async def test_the_address_that_is_paid_is_on_every_page_and_its_name_where_the_operator_vouches(world, site):
    await world.asset("poet", UPSTREAM)
    for path in ("/", "/s/poet"):
        page = HtmlPage((await site.get(path)).text)
        assert PAY_TO in page.texts["code"]
        assert not [text for text in page.texts["span"] if text.startswith("verified")]


def test_publishers_are_read_from_the_configuration():
    assert read_publishers(f"{OTHER}=Ada & Co, {PAY_TO} = Grace") == {OTHER: "Ada & Co", PAY_TO: "Grace"}
    assert read_publishers("") == {}


@pytest.mark.parametrize("text", ["0x12=Ada", f"{OTHER}", f"{OTHER}=", f"{OTHER}={'x' * 41}", f"{OTHER}=a\u202eb"])
def test_a_publisher_without_address_or_name_is_refused(text):
    with pytest.raises(ValueError, match=r"ADDRESS=NAME|an address"):
        read_publishers(text)
