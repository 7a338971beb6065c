"""Reviews in Debian's chromium: refused before a paid call, signed after it, shown on the service's page, in German."""

import pytest
from playwright.async_api import expect

from tests.support.browser import NARROW, PHONE, chromium, needs_chromium, visit
from tests.support.page_budgets import check_page

pytestmark = [needs_chromium, pytest.mark.anvil]


@pytest.fixture
async def browser():
    async with chromium() as opened:
        yield opened


@pytest.fixture
def url(world):
    return world.url.removesuffix("/v1")


async def test_a_review_is_refused_without_a_receipt_and_shown_after_a_paid_call(world, browser, url):
    async with visit(browser, f"{url}/account", **PHONE) as shown:
        page = shown.page
        await page.get_by_role("button", name="Use the demo account").click()
        await page.get_by_role("button", name="Make the key").click()
        await expect(page.get_by_text("The deposit is made.")).to_be_visible()
        await page.goto(f"{url}/s/chat")
        await page.get_by_role("heading", name="Reviews").scroll_into_view_if_needed()
        await expect(page.get_by_text("No reviews yet")).to_be_visible()
        await page.get_by_role("link", name="Write a review").click()
        await page.get_by_label("What others should know").fill("<b>Helpful</b>\nمرحبا")
        await page.get_by_label("Stars").select_option("4")
        await page.get_by_role("button", name="Sign and publish").click()
        await expect(page.locator("#toasts")).to_contain_text("has not paid for a call")
        assert [each for each in shown.problems if "403" not in each] == []

        await page.goto(f"{url}/s/chat")
        await page.get_by_role("button", name="Send").click()
        await expect(page.locator("[data-receipt]")).to_be_visible()
        await page.get_by_role("heading", name="Reviews").scroll_into_view_if_needed()
        await page.get_by_role("link", name="Write a review").click()
        await page.get_by_label("What others should know").fill("<b>Helpful</b>\nمرحبا")
        await page.get_by_label("Stars").select_option("4")
        await page.get_by_role("button", name="Sign and publish").click()
        await expect(page.get_by_text("<b>Helpful</b>")).to_be_visible()
        await expect(page.get_by_text("4 of 5", exact=True)).to_be_visible()
        reviews = page.url.split("#")[0]
        await page.goto(f"{url}/s/chat")
        await page.get_by_role("heading", name="Reviews").scroll_into_view_if_needed()
        await expect(page.get_by_text("<b>Helpful</b>")).to_be_visible()
    await check_page(browser, reviews)
    async with visit(browser, f"{reviews}?language=de", **NARROW) as shown:
        await expect(shown.page.get_by_role("heading", level=1)).to_have_text("Bewertungen von chat")
        await expect(shown.page.get_by_role("img", name="4 von 5 Sternen")).to_be_visible()
