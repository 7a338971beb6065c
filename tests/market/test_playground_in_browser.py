"""The playground in Debian's chromium: turns, the meter, receipts checked to the chain, a model that writes markup."""

import orjson
import pytest
from playwright.async_api import expect

from tests.support.browser import NARROW, PHONE, chromium, needs_chromium, visit
from usufruct.payments.settlement import Claimer

pytestmark = [needs_chromium, pytest.mark.anvil]

LINKS = "<img src=x onerror=alert(1)> [x](javascript:alert(1)) \u202eabc"
MARKUP = "# Title\n\n- one\n- **two**\n\n```\nif a < b:\n```\n" + LINKS


@pytest.fixture
async def browser():
    async with chromium() as opened:
        yield opened


@pytest.fixture
def url(world):
    return world.url.removesuffix("/v1")


async def get_key(page, url: str) -> None:
    await page.goto(f"{url}/account")
    await page.get_by_role("button", name="Use the demo account").click()
    await page.get_by_role("button", name="Make the key").click()
    await expect(page.get_by_text("The deposit is made.")).to_be_visible()


async def test_a_conversation_is_metered_and_its_receipt_leads_to_the_chain(world, browser, url):
    async with visit(browser, url, **PHONE) as shown:
        page = shown.page
        await get_key(page, url)
        await page.goto(f"{url}/s/chat")
        await page.get_by_role("button", name="Send").click()
        await expect(page.locator("[data-receipt]")).to_be_visible()
        first = await page.locator("[data-shows=charge]").text_content()
        assert await page.locator("[data-shows=total]").text_content() == first
        await page.get_by_label("Message").fill("And then?")
        await page.get_by_role("button", name="Send").click()
        await expect(page.locator(".turn")).to_have_count(4)
        await expect(page.locator("[data-receipt]")).to_be_visible()
        asked = world.upstream.requests[-1]["messages"]
        assert [each["role"] for each in asked] == ["user", "assistant", "user"]
        assert asked[1]["content"] == await page.locator(".turn.model").first.text_content()

        await page.get_by_role("button", name="Verify in this browser").click()
        await expect(page.locator("[data-verdict=good]")).to_be_visible()
        await expect(page.locator("[data-check=answer] .status")).to_have_text("the one charged for")
        await expect(page.locator("[data-check=request] .status")).to_have_text("the one charged for")
        await expect(page.locator("[data-check=proof] .status")).to_have_text("not on the chain yet")
        await world.installation.get(Claimer).run(everything=True)
        await page.get_by_role("button", name="Verify in this browser").click()
        await expect(page.locator("[data-check=proof] .status")).to_have_text("it does")
        await expect(page.locator("[data-check=root] code")).to_contain_text("0x")
        await expect(page.locator("[data-verdict=good]")).to_be_visible()
        assert await shown.too_wide() <= 0
        assert await shown.small_targets() == []
        assert await shown.accessibility_faults() == []
        assert [each for each in shown.problems if "404" not in each] == []

        await page.get_by_role("button", name="Start over").click()
        await expect(page.locator(".turn")).to_have_count(0)


async def test_a_models_markup_is_text(world, browser, url):
    body = "".join(
        f"data: {line}\n\n"
        for line in (
            orjson.dumps({"choices": [{"delta": {"content": MARKUP}}]}).decode(),
            "[DONE]",
        )
    )
    headers = {"x-request-id": "0x" + "ab" * 32, "x-usufruct-ceiling": "9"}
    async with visit(browser, f"{url}/s/chat", **NARROW) as shown:
        page = shown.page
        await page.route(
            "**/v1/chat/completions",
            lambda route: route.fulfill(body=body, headers=headers, content_type="text/event-stream"),
        )
        await page.route("**/v1/receipts/*", lambda route: route.abort())
        await page.get_by_label("API key").fill("uf_x")
        await page.get_by_role("button", name="Send").click()
        answer = page.locator(".turn.model")
        await expect(answer.locator("li")).to_have_count(2)
        await expect(answer.locator("pre")).to_have_text("if a < b:\n")
        await expect(answer).to_contain_text("<img src=x onerror=alert(1)> [x](javascript:alert(1))")
        assert await answer.locator("img, a, script").count() == 0
        assert await shown.too_wide() <= 0
