"""A person with nothing but a phone: a passkey is their wallet, from the first tap to the first answer."""

import openai
import pytest
from playwright.async_api import expect

from tests.support.browser import NARROW, PHONE, chromium, needs_chromium, visit
from tests.support.page_budgets import check_page
from tests.support.virtual_authenticator import VirtualAuthenticator
from usufruct.core import address

pytestmark = [needs_chromium, pytest.mark.anvil]


@pytest.fixture
async def browser():
    async with chromium() as opened:
        yield opened


@pytest.fixture
def url(world):
    return world.url.removesuffix("/v1").replace("127.0.0.1", "localhost") + "/account"


async def ask(base_url: str, key: str) -> str:
    async with openai.AsyncOpenAI(base_url=base_url, api_key=key, max_retries=0) as client:
        messages = [{"role": "user", "content": "x"}]
        answer = await client.chat.completions.create(model="chat", messages=messages, max_tokens=10)
    return answer.usage.cost_details["charge"]


async def test_a_newcomer_makes_a_passkey_gets_money_deposits_and_calls(world, browser, url):
    async with visit(browser, "about:blank", **PHONE) as shown:
        page = shown.page
        device = await VirtualAuthenticator.add(page)
        await page.goto(url)
        await page.get_by_role("button", name="Create a wallet with a passkey").click()
        await expect(page.get_by_text("No keys yet")).to_be_visible()
        assert await device.passkeys() == 1
        account = address(await page.locator(".address code").first.text_content())
        assert await world.installation.client.code_at(account) == b""
        await page.get_by_role("button", name="Get 100 test dollars").click()
        await expect(page.get_by_text("Your wallet holds 100")).to_be_visible()

        await page.get_by_label("Name").fill("phone")
        await page.get_by_role("button", name="Make the key").click()
        sheet = page.get_by_role("dialog", name="Your new key")
        await expect(sheet.get_by_text("The deposit is made. The key works.")).to_be_visible()
        key = await page.locator("#made-key").text_content()
        assert await ask(world.url, key)
        assert await world.installation.client.code_at(account) != b""
        assert await world.dollar.balance_of(account) == 98_000_000
        await page.get_by_role("button", name="I have copied it").click()
        card = page.locator(".card", has_text="phone")
        await card.get_by_label("Amount in").fill("0.5")
        await card.get_by_role("button", name="Deposit").click()
        await expect(card.get_by_text("2.49")).to_be_visible()

        await page.get_by_role("button", name="Sign out").click()
        await page.get_by_role("button", name="Sign in with a passkey").click()
        await expect(page.get_by_text(account)).to_be_visible()
        assert [each for each in shown.problems if "pubKeyCredParams" not in each] == []


async def test_what_the_passkey_does_not_sign_is_not_done(world, browser, url):
    async with visit(browser, "about:blank", **PHONE) as shown:
        page = shown.page
        device = await VirtualAuthenticator.add(page)
        await page.goto(url)
        await device.verify_user(does=False)
        await page.get_by_role("button", name="Create a wallet with a passkey").click()
        await expect(page.locator("#toasts")).to_contain_text("The passkey was not used. Nothing was sent.")
        await device.verify_user(does=True)
        await page.get_by_role("button", name="Create a wallet with a passkey").click()
        await page.get_by_role("button", name="Get 100 test dollars").click()
        await expect(page.get_by_text("Your wallet holds 100")).to_be_visible()
        await device.verify_user(does=False)
        await page.get_by_role("button", name="Make the key").click()
        await expect(page.get_by_text("The key is made, but not the deposit.")).to_be_visible()
        assert await world.dollar.balance_of(address(await page.locator(".address code").first.text_content())) > 0


async def test_a_page_that_asks_for_another_amount_is_not_signed_for(browser, url):
    """The browser hashes what it is shown: a changed amount is another hash, and the server's own check refuses it."""
    async with visit(browser, "about:blank", **PHONE) as shown:
        page = shown.page
        await VirtualAuthenticator.add(page)
        await page.goto(url)
        await page.get_by_role("button", name="Create a wallet with a passkey").click()
        await page.get_by_role("button", name="Get 100 test dollars").click()
        await expect(page.get_by_text("Your wallet holds 100")).to_be_visible()

        async def more(route) -> None:
            answer = await route.fetch()
            asked = await answer.json()
            asked["document"]["message"]["value"] = "99000000"
            await route.fulfill(response=answer, json=asked)

        await page.route("**/v1/account/deposit-requests", more)
        await page.get_by_role("button", name="Make the key").click()
        await expect(page.locator("#toasts")).to_contain_text("another amount")


async def test_in_german_at_numbers_and_on_a_narrow_screen(world, browser, url):
    async with visit(browser, world.url.removesuffix("/v1") + "/account", **NARROW, locale="de-DE") as shown:
        link = shown.page.get_by_role("link", name=url)
        await expect(link).to_be_visible()
        await VirtualAuthenticator.add(shown.page)
        await link.click()
        assert await shown.too_wide() <= 0
        assert await shown.small_targets() == []
        assert await shown.accessibility_faults() == []
        await shown.page.get_by_role("button", name="Wallet mit Passkey anlegen").click()
        await expect(shown.page.get_by_text("Noch keine Schlüssel")).to_be_visible()
        await shown.page.wait_for_load_state("networkidle")
        assert await shown.too_wide() <= 0
        assert await shown.small_targets() == []
        assert await shown.accessibility_faults() == []


async def test_the_page_before_sign_in_keeps_every_budget(browser, url):
    await check_page(browser, url)
