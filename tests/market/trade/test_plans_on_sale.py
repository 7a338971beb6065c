"""A service's page lists its prepaid packages that are on sale, and links to where they are bought."""

import httpx
import pytest
from playwright.async_api import expect

from tests.support.browser import PHONE, needs_chromium, visit
from tests.support.fake_clock import FakeClock
from tests.support.page_budgets import check_page
from tests.support.trade_town import NAME, TradeTown
from tests.support.waiting import until
from usufruct.assets import Listings
from usufruct.chain.keys import DEVNET_ADDRESSES
from usufruct.core import Unavailable, format_asset
from usufruct.market.trade import PassPlans
from usufruct.market.trade.plans_on_sale import FRESH_SECONDS, PlansOnSale

pytestmark = pytest.mark.anvil

DOLLAR = 10**6
CREDIT = 10**6
_TITLE_HOLDER = DEVNET_ADDRESSES[4]


async def section(town: TradeTown, asset: str) -> str:
    """Read the section as a page of its own; spaces in amounts are plain ones."""
    async with httpx.AsyncClient(base_url=town.world.url.removesuffix("/v1"), timeout=60) as http:
        shown = await http.get(f"/plans-of/{asset}", headers={"accept": "text/html"})
    assert shown.status_code == 200, shown.text
    return shown.text.replace("\xa0", " ")


async def test_packages_on_sale_are_listed_with_price_calls_and_end(town: TradeTown):
    dear, cheap = await town.plan(10 * DOLLAR, 10 * CREDIT, days=400), await town.plan(9 * DOLLAR, 10 * CREDIT)
    closed = await town.plan(7 * DOLLAR, 10 * CREDIT)
    await town.act(_TITLE_HOLDER, town.passes.set_selling(closed, False))
    page = await section(town, town.asset_text)
    assert page.index("9 tUSD") < page.index("10 tUSD</span>"), "the cheapest use first"
    assert page.count("for about 8,000 calls") == 2
    assert "0.001125 tUSD instead of 0.00125 tUSD" in page
    assert "7 tUSD" not in page
    assert ("never" in page, "from " in page) == (True, True), "when the credits are void"
    assert f'href="/passes/{NAME}"' in page
    assert dear != cheap


async def test_a_service_without_packages_says_so(town: TradeTown):
    assert "No packages are on sale" in await section(town, town.asset_text)
    plain = await town.world.sell("plain")
    assert "No packages are on sale" in await section(town, format_asset(plain.id))
    async with httpx.AsyncClient(base_url=town.world.url.removesuffix("/v1"), timeout=60) as http:
        assert (await http.get(f"/plans-of/0x{7:032x}")).status_code == 404


async def test_the_node_is_asked_once_a_minute_and_not_while_it_is_away(town: TradeTown):
    gateway, clock = town.world.gateway, FakeClock()
    plans = PlansOnSale(gateway.get(Listings), gateway.get(PassPlans), clock)
    assert (await plans.of(town.asset)).plans == []
    plan = await town.plan(9 * DOLLAR, 10 * CREDIT)
    assert (await plans.of(town.asset)).plans == [], "as it was a moment ago"

    async def listed() -> bool:
        clock.advance(FRESH_SECONDS)
        return [each.plan.id for each in (await plans.of(town.asset)).plans] == [plan]

    await until(listed)  # the gateway looks for new blocks every few seconds
    await town.world.anvil.stop()
    assert [each.plan.id for each in (await plans.of(town.asset)).plans] == [plan]
    clock.advance(FRESH_SECONDS)
    with pytest.raises(Unavailable):
        await plans.of(town.asset)
    with pytest.raises(Unavailable, match="did not answer a moment ago"):
        await plans.of(town.asset)
    assert "is not known now" in await section(town, town.asset_text)


@needs_chromium
async def test_a_reader_comes_from_the_service_to_its_packages(town: TradeTown, browser, root):
    await town.plan(9 * DOLLAR, 10 * CREDIT)
    async with visit(browser, f"{root}/s/{NAME}", **PHONE) as shown:
        await shown.page.get_by_role("heading", name="Prepaid packages").scroll_into_view_if_needed()
        await expect(shown.page.get_by_text("for about 8,000 calls")).to_be_visible()
        await shown.page.get_by_role("link", name="Buy a package").click()
        await expect(shown.page).to_have_url(f"{root}/passes/{NAME}")
        assert shown.problems == []
    await check_page(browser, f"{root}/plans-of/{town.asset_text}")
