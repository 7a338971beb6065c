"""A phone opens the site at a computer's address in its network: http, so no secure context, and fewer browser APIs.

The QR code that `usufruct up` draws leads there. Chromium takes a name that is not this machine's for such an address.
"""

from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
from playwright.async_api import Browser, Route, expect

from tests.support.browser import PHONE, needs_chromium, own_chromium, visit
from usufruct.web.ui import PageRoute

pytestmark = [needs_chromium, pytest.mark.anvil]

HOST = "phone.test"
UNTRUSTWORTHY = "Cross-Origin-Opener-Policy"
"""Browsers note on their console that they ignore this header where the context is not secure."""


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with own_chromium(f"--host-resolver-rules=MAP {HOST} 127.0.0.1") as opened:
        yield opened


@pytest.fixture
def root(world: Any) -> str:
    return str(world.url.removesuffix("/v1").replace("127.0.0.1", HOST))


def faults(problems: list[str]) -> list[str]:
    """Return what went wrong, but for pages and proofs that are not there yet."""
    return [each for each in problems if UNTRUSTWORTHY not in each and "status of 4" not in each]


async def test_a_key_and_its_deposit_are_made_and_tried(world, browser, root):
    async with visit(browser, f"{root}/s/chat", **PHONE) as shown:
        page = shown.page
        assert await page.evaluate("isSecureContext") is False
        await page.get_by_role("link", name="Get a key").first.click()
        await expect(page.get_by_text("at https addresses and at localhost only")).to_be_visible()
        await page.get_by_role("button", name="Use the demo account").click()
        await page.get_by_role("button", name="Make the key").click()
        await expect(page.get_by_text("The deposit is made. The key works.")).to_be_visible()
        key = await page.locator("#made-key").text_content()
        async with openai.AsyncOpenAI(base_url=world.url, api_key=key, max_retries=0, timeout=120) as client:
            messages = [{"role": "user", "content": "x"}]
            await client.chat.completions.create(model="chat", messages=messages, max_tokens=10)

        await page.get_by_role("dialog").get_by_role("button", name="Copy", exact=True).click()
        await expect(page.get_by_role("button", name="Copied", exact=True)).to_be_visible()
        await page.get_by_role("button", name="Copy it and try").click()
        await expect(page.get_by_label("API key")).to_have_value(key)
        await page.get_by_role("button", name="Send").click()
        await page.get_by_role("button", name="Verify in this browser").click()
        await expect(page.locator("[data-verdict=good]")).to_be_visible()
        assert faults(shown.problems) == []


async def test_the_scripts_of_all_pages_load(world, browser, root):
    async with visit(browser, f"{root}/account", **PHONE) as shown:
        page = shown.page
        await page.get_by_role("button", name="Use the demo account").click()
        await expect(page.get_by_role("button", name="Sign out")).to_be_enabled()
        pages = [each for component in world.gateway.components for each in component.routes()]
        paths = [each.path for each in pages if isinstance(each, PageRoute) and each.method == "GET"]
        whole = [path for path in paths if "{" not in path and "." not in path]
        assert {"/", "/account", "/sell"} <= set(whole)
        for path in [*whole, "/s/chat", "/reviews/chat"]:
            await page.goto(root + path)
            await expect(page.locator("[data-scripted]:disabled")).to_have_count(0)
            assert faults(shown.problems) == [], path


async def test_a_fault_of_a_script_is_not_shown_as_a_lost_connection(browser, root):
    async with visit(browser, "about:blank", **PHONE) as shown:
        page = shown.page
        await page.goto(f"{root}/account")
        await page.get_by_role("button", name="Use the demo account").click()
        await expect(page.get_by_text("No keys yet")).to_be_visible()
        await page.evaluate("crypto.getRandomValues = undefined")
        await page.get_by_role("button", name="Make the key").click()
        toasts = page.locator("#toasts")
        await expect(toasts).to_contain_text("This page has a fault and could not go on.")
        assert "The connection was lost" not in await toasts.text_content()
        assert [each for each in shown.problems if "TypeError" in each]

        await page.route("**/v1/account/key-requests", lambda route: route.abort())
        await page.get_by_role("button", name="I have copied it").click()
        await page.get_by_role("button", name="Make the key").click()
        await expect(page.locator("#toasts")).to_contain_text("The connection was lost.")


async def test_a_script_that_does_not_come_is_a_lost_connection(browser, root):
    async def lose(route: Route) -> None:
        await route.abort()

    async with visit(browser, f"{root}/account?service=chat", **PHONE) as shown:
        page = shown.page
        await page.get_by_role("button", name="Use the demo account").click()
        await page.get_by_role("button", name="Make the key").click()
        await expect(page.get_by_text("The deposit is made. The key works.")).to_be_visible()
        await page.get_by_role("button", name="Copy it and try").click()
        await page.get_by_role("button", name="Send").click()
        await page.route("**/receipt_checks.js", lose)
        await page.get_by_role("button", name="Verify in this browser").click()
        await expect(page.locator("#toasts")).to_contain_text("The connection was lost.")
