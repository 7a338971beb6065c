"""A person with nothing but a phone: a passkey is their wallet, from the first tap to the first answer."""

import openai
import pytest
from playwright.async_api import expect
from sqlalchemy import text

from tests.support.browser import NARROW, PHONE, chromium, needs_chromium, visit
from tests.support.confirm_sheet import agree
from tests.support.injected_wallet import InjectedWallet
from tests.support.page_budgets import check_page
from tests.support.virtual_authenticator import VirtualAuthenticator
from usufruct.chain.keys import DEVNET_ADDRESSES
from usufruct.core import address
from usufruct.store import Database

pytestmark = [needs_chromium, pytest.mark.anvil]

CENT = 10_000


@pytest.fixture
async def browser():
    async with chromium() as opened:
        yield opened


@pytest.fixture
def url(world):
    return world.url.removesuffix("/v1").replace("127.0.0.1", "localhost") + "/account"


async def ask(base_url: str, key: str) -> str:
    async with openai.AsyncOpenAI(base_url=base_url, api_key=key, max_retries=0, timeout=120) as client:
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

        await page.get_by_text("Name and limits").click()
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


async def enter(page, url: str) -> None:
    """Make a wallet of a passkey, with play money."""
    await page.goto(url)
    await page.get_by_role("button", name="Create a wallet with a passkey").click()
    await page.get_by_role("button", name="Get 100 test dollars").click()
    await expect(page.get_by_text("Your wallet holds 100")).to_be_visible()


async def second_device(page, first: VirtualAuthenticator) -> VirtualAuthenticator:
    """Add a device on which the next passkey is made; the first one then confirms it."""
    await first.answer(does=False)
    second = await VirtualAuthenticator.add(page, "usb")

    async def made(route) -> None:
        await first.answer(does=True)
        await second.answer(does=False)  # a device without the passkey would refuse for both
        await route.continue_()

    await page.route("**/v1/account/wallet/passkeys", made)
    return second


async def test_an_account_that_is_on_no_chain_and_holds_a_cent_is_not_lost_with_its_first_passkey(world, browser, url):
    async with visit(browser, "about:blank", **PHONE) as shown:
        page, client = shown.page, world.installation.client
        first = await VirtualAuthenticator.add(page)
        await page.goto(url)
        await page.get_by_role("button", name="Create a wallet with a passkey").click()
        await expect(page.get_by_text("Your wallet holds 0")).to_be_visible()
        account = address(await page.locator(".address code").first.text_content())
        await page.goto(f"{url}/passkeys")
        alone = page.get_by_text("One passkey is all that opens this account.")
        await expect(page.get_by_text("This account is not on the chain yet.")).to_be_visible()
        await expect(alone).to_have_count(0)
        await world.devnet.send_as(DEVNET_ADDRESSES[0], world.dollar.mint(account, CENT))
        await page.goto(url)
        await expect(alone).to_be_visible()
        await page.get_by_role("link", name="Add a second passkey").click()
        await expect(alone).to_be_visible()
        second = await second_device(page, first)
        await page.get_by_role("button", name="Add a second passkey").click()
        await expect(page.locator(".card")).to_have_count(2)
        await expect(alone).to_have_count(0)
        assert await client.code_at(account)
        assert await client.balance(account) == 0

        await first.lose()
        await second.answer(does=True)
        await page.goto(url)
        await page.get_by_role("button", name="Sign out").click()
        await page.get_by_role("button", name="Sign in with a passkey").click()
        await expect(page.get_by_text(account)).to_be_visible()
        await page.goto(f"{url}/passkeys")
        await page.get_by_label("To the address").fill("0x" + "12" * 20)
        await page.get_by_label("Amount in").fill("0.01")
        await page.get_by_role("button", name="Pay", exact=True).click()
        await expect(page.get_by_label("Amount in")).to_have_value("")
        assert await world.dollar.balance_of(address("0x" + "12" * 20)) == CENT
        assert [each for each in shown.problems if "pubKeyCredParams" not in each] == []


async def test_a_second_passkey_gets_in_after_the_first_is_lost(world, browser, url):
    async with visit(browser, "about:blank", **PHONE) as shown:
        page = shown.page
        first = await VirtualAuthenticator.add(page)
        await enter(page, url)
        account = address(await page.locator(".address code").first.text_content())
        await page.get_by_role("link", name="Passkeys and recovery").click()
        second = await second_device(page, first)
        await page.get_by_label("Name of the new passkey").fill("new phone")
        await page.get_by_role("button", name="Add a passkey").click()
        await expect(page.get_by_role("heading", name="new phone")).to_be_visible()
        await second.answer(does=True)
        assert (await first.passkeys(), await second.passkeys()) == (1, 1)

        await first.lose()
        await page.goto(url)
        await page.get_by_role("button", name="Sign out").click()
        await page.get_by_role("button", name="Sign in with a passkey").click()
        await expect(page.get_by_text(account)).to_be_visible()
        await page.get_by_role("link", name="Passkeys and recovery").click()
        lost = page.locator(".card").filter(has_not=page.get_by_role("heading", name="new phone"))
        await lost.get_by_role("button", name="Remove").click()
        await agree(page)
        await expect(lost).to_have_count(0)
        await expect(page.get_by_role("heading", name="new phone")).to_be_visible()
        await page.get_by_label("To the address").fill("0x" + "12" * 20)
        await page.get_by_label("Amount in").fill("1.5")
        await page.get_by_role("button", name="Pay", exact=True).click()
        await expect(page.get_by_label("Amount in")).to_have_value("")
        assert await world.dollar.balance_of(account) == 98_500_000
        assert [each for each in shown.problems if "pubKeyCredParams" not in each] == []


async def test_a_recovery_wallet_brings_an_owner_back(world, browser, url):
    guardian = InjectedWallet(await world.account(), node=world.installation.client)
    await world.devnet.set_balance(address(guardian.account.address), 10**18)
    async with visit(browser, "about:blank", **PHONE) as shown:
        page = shown.page
        device = await VirtualAuthenticator.add(page)
        await enter(page, url)
        account = address(await page.locator(".address code").first.text_content())
        await page.get_by_role("link", name="Passkeys and recovery").click()
        await page.get_by_label("Address of the recovery wallet").fill(guardian.account.address)
        await page.get_by_label("Delay in days").select_option("2")
        await page.get_by_role("button", name="Name this wallet").click()
        await expect(page.get_by_text("it replaces all passkeys 2 days later")).to_be_visible()
        await device.lose()

    async with visit(browser, "about:blank", **PHONE) as shown:
        page = shown.page
        await VirtualAuthenticator.add(page)
        await guardian.inject(page)
        await page.goto(url)
        await page.get_by_role("button", name="Test Wallet").click()
        await expect(page.get_by_text("No keys yet")).to_be_visible()
        await page.goto(f"{url}/recover?account={account}")
        await page.get_by_role("button", name="Make a new passkey and start").click()
        await expect(page.get_by_text("A recovery is running.")).to_be_visible()
        await page.get_by_role("button", name="Finish the recovery").click()
        await expect(page.locator("#toasts")).to_contain_text("DelayNotPassed")
        await world.devnet.pass_time(2 * 86_400)
        await page.get_by_role("button", name="Finish the recovery").click()
        await expect(page.get_by_role("button", name="Finish the recovery")).to_have_count(0)
        await page.goto(url)
        await page.get_by_role("button", name="Sign out").click()
        await page.get_by_role("button", name="Sign in with a passkey").click()
        await expect(page.get_by_text(account)).to_be_visible()


async def test_what_the_server_changes_is_not_signed_and_what_is_signed_can_be_taken_along(world, browser, url):
    async with visit(browser, "about:blank", **PHONE) as shown:
        page = shown.page
        await VirtualAuthenticator.add(page)
        await enter(page, url)
        await page.get_by_role("link", name="Passkeys and recovery").click()
        await page.get_by_label("To the address").fill("0x" + "12" * 20)
        await page.get_by_label("Amount in").fill("1")
        await page.get_by_role("button", name="Sign without sending").click()
        calls = page.locator("#exported-calls")
        await expect(calls).to_contain_text("0x433709009b8330fda32311df1c2afa402ed8d009")
        await page.get_by_role("dialog").get_by_role("button", name="Close").click()

        async def another_receiver(route) -> None:
            answer = await route.fetch()
            await route.fulfill(response=answer, body=(await answer.text()).replace("12" * 20, "66" * 20))

        await page.route("**/v1/account/wallet/payments", another_receiver)
        await page.get_by_role("button", name="Pay", exact=True).click()
        await expect(page.locator("#toasts")).to_contain_text("The server asked to sign something else.")


async def test_the_wallets_pages_fit_a_narrow_screen_and_are_german(browser, url):
    async with visit(browser, "about:blank", **NARROW, locale="de-DE") as shown:
        page = shown.page
        await VirtualAuthenticator.add(page)
        await page.goto(url)
        await page.get_by_role("button", name="Wallet mit Passkey anlegen").click()
        await page.get_by_role("link", name="Passkeys und Wiederherstellung").click()
        await expect(page.get_by_role("button", name="Passkey hinzufügen")).to_be_visible()
        for path in ("/passkeys", "/recover?account=" + "0x" + "12" * 20, "/recover?account=no"):
            await page.goto(url + path)
            assert await shown.too_wide() <= 0
            assert await shown.small_targets() == []
            assert await shown.accessibility_faults() == []


async def test_the_wallets_pages_keep_every_budget(browser, url):
    async with visit(browser, "about:blank", **PHONE) as shown:
        await VirtualAuthenticator.add(shown.page)
        await enter(shown.page, url)
        signed_in = await shown.page.context.storage_state()
    for path in ("/passkeys", "/recover?account=0x" + "12" * 20):
        await check_page(browser, url + path, storage_state=signed_in)
        await check_page(browser, url + path)


async def test_a_site_that_lost_its_data_finds_the_passkey_by_the_wallets_address(world, browser, url):
    async with visit(browser, "about:blank", **PHONE) as shown:
        page = shown.page
        await VirtualAuthenticator.add(page)
        await page.goto(url)
        await page.get_by_role("button", name="Create a wallet with a passkey").click()
        await page.get_by_role("button", name="Get 100 test dollars").click()
        await expect(page.get_by_text("Your wallet holds 100")).to_be_visible()
        account = await page.locator(".address code").first.text_content()
        await page.get_by_role("button", name="Make the key").click()
        await expect(page.get_by_text("The deposit is made. The key works.")).to_be_visible()
        await page.get_by_role("button", name="I have copied it").click()
        await page.get_by_role("button", name="Sign out").click()
        async with world.gateway.get(Database).transaction() as unit:
            await unit.rows(text("DELETE FROM passkeys"))

        await page.get_by_role("button", name="Sign in with a passkey").click()
        await expect(page.locator("#toasts")).to_contain_text("This site does not know this passkey.")
        await expect(page.get_by_text("Your wallet and its money are on the chain.")).to_be_visible()
        await page.locator(".toast").get_by_role("button", name="Close").click()
        assert await shown.too_wide() <= 0
        assert await shown.small_targets() == []
        assert await shown.accessibility_faults() == []
        await page.get_by_label("Your wallet's address").fill(account)
        await page.get_by_role("button", name="Sign in with this address").click()
        await expect(page.get_by_role("button", name="Sign out")).to_be_visible()
        await expect(page.get_by_text(account).first).to_be_visible()
