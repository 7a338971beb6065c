"""A visitor on a phone tries a service without a key, sees what is left, and how to go on when nothing is."""

import pytest
from playwright.async_api import expect

from tests.support.browser import PHONE, chromium, needs_chromium, visit
from tests.support.page_budgets import check_page
from usufruct.assets import FreeSample

pytestmark = needs_chromium


@pytest.fixture
async def browser():
    async with chromium() as opened:
        yield opened


@pytest.fixture
async def url(world, upstream):
    await world.asset("hamlet", upstream.url())
    await world.listings.offer_sample("hamlet", FreeSample(calls_per_visitor=2, calls_per_day=5, output_per_call=200))
    await world.gateway.search.refresh()
    return world.url.removesuffix("/v1")


@pytest.mark.parametrize("path", ["/s/hamlet", "/?sample=1"])
async def test_pages_with_free_samples_keep_every_budget(browser, url, path):
    await check_page(browser, url + path)


async def test_a_visitor_without_a_key_tries_it_until_nothing_is_left(world, upstream, browser, url):
    async with visit(browser, f"{url}/s/hamlet", **PHONE) as shown:
        page = shown.page
        left, charged = page.locator("[data-shows=left]"), page.locator("[data-shows=charge]")
        send = page.get_by_role("button", name="Send")
        await expect(page.get_by_text("Free sample: 2 calls a day")).to_be_visible()
        await expect(left).to_have_text("2 of 2 left today")
        await send.click()
        await expect(left).to_have_text("1 of 2 left today")
        await expect(charged).to_have_text("nothing")
        await expect(page.locator("[data-shows=paid]")).to_contain_text("0.")
        await expect(page.locator(".turn.model")).to_contain_text("To be or not to be")
        await page.get_by_label("Message").fill("And then?")
        await send.click()
        await expect(left).to_have_text("0 of 2 left today")
        await expect(page.locator(".turn")).to_have_count(4)
        assert await page.locator("[data-receipt]").count() == 0
        notice = page.locator("#playground-used-up")
        await expect(notice).to_contain_text("You have used today's free calls.")
        await page.get_by_label("Message").fill("And now?")
        await send.click()
        await expect(send).to_be_enabled()
        await expect(notice).to_be_visible()
        assert await shown.too_wide() <= 0
        assert await shown.small_targets() == []
        assert await shown.accessibility_faults() == []
        assert await page.get_by_label("Message").input_value() == "And now?", "not lost"
        assert [each for each in shown.problems if "429" not in each] == []
        assert len(upstream.requests) == 2
        link = notice.get_by_role("link", name="Go on with an account")
        assert (await link.get_attribute("href")).endswith("/account?service=hamlet")
    assert await world.ledger.account_list() == []


async def test_a_german_visitor_is_told_in_german(world, browser, url):
    await world.listings.offer_sample("hamlet", FreeSample(calls_per_visitor=1, calls_per_day=1, output_per_call=16))
    async with visit(browser, f"{url}/s/hamlet?language=de", **PHONE) as shown:
        page = shown.page
        await expect(page.locator("[data-shows=left]")).to_have_text("heute noch 1 von 1")
        for count in (2, 2):
            await page.get_by_label("Nachricht").fill("Und?")
            await page.get_by_role("button", name="Senden").click()
            await expect(page.locator(".turn")).to_have_count(count)
        await expect(page.locator("#playground-used-up")).to_contain_text(
            "Ihre Gratisaufrufe von heute sind verbraucht."
        )


async def test_a_key_is_charged_as_ever(world, browser, url):
    key = await world.key()
    async with visit(browser, f"{url}/s/hamlet", **PHONE) as shown:
        page = shown.page
        await page.get_by_label("API key").fill(key.text)
        await page.get_by_role("button", name="Send").click()
        await expect(page.locator("[data-receipt]")).to_be_visible()
        await expect(page.locator("[data-shows=left]")).to_have_text("2 of 2 left today")
    assert await world.charged(key) > 0
