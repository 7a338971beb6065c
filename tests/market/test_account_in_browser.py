"""The buyer's page in Debian's chromium: with a wallet, with the demo account, declined, on a phone, in German."""

import asyncio
import re

import openai
import pytest
from playwright.async_api import Route, expect

from tests.support.browser import NARROW, PHONE, chromium, needs_chromium, own_chromium, visit
from tests.support.confirm_sheet import agree
from tests.support.injected_wallet import InjectedWallet
from tests.support.page_budgets import check_page
from tests.support.waiting import until

pytestmark = [needs_chromium, pytest.mark.anvil]


@pytest.fixture
async def browser():
    async with chromium() as opened:
        yield opened


@pytest.fixture
def url(world):
    return world.url.removesuffix("/v1") + "/account"


async def ask(base_url: str, key: str) -> str:
    async with openai.AsyncOpenAI(base_url=base_url, api_key=key, max_retries=0, timeout=120) as client:
        messages = [{"role": "user", "content": "x"}]
        answer = await client.chat.completions.create(model="chat", messages=messages, max_tokens=10)
    return answer.usage.cost_details["charge"]


async def test_a_button_waits_for_its_script(browser, url):
    async with visit(browser, "about:blank", **PHONE) as shown:
        page, asked = shown.page, asyncio.Event()

        async def late(route: Route) -> None:
            await asyncio.wait_for(asked.wait(), 20)
            await route.continue_()

        await page.route("**/wallet.js", late)
        await page.goto(url, wait_until="commit")
        demo = page.get_by_role("button", name="Use the demo account")
        await expect(demo).to_be_disabled()
        asked.set()
        await demo.click()
        await expect(page.get_by_role("button", name="Sign out")).to_be_enabled()


async def test_a_wallets_owner_signs_in_makes_a_key_calls_and_revokes(world, browser, url):
    wallet = InjectedWallet(await world.account())
    async with visit(browser, "about:blank", **PHONE) as shown:
        page = shown.page
        await wallet.inject(page)
        await page.goto(url)
        await page.get_by_role("button", name="Test Wallet").click()
        await expect(page.get_by_text(wallet.account.address.lower())).to_be_visible()
        await expect(page.get_by_text("No keys yet")).to_be_visible()

        await page.get_by_text("Name and limits").click()
        await page.get_by_label("Name").fill("laptop")
        await page.get_by_label("Limit in").fill("3")
        await page.get_by_label("Deposit in").fill("1,5")
        await page.get_by_role("button", name="Make the key").click()
        sheet = page.get_by_role("dialog", name="Your new key")
        await expect(sheet.get_by_text("The deposit is made. The key works.")).to_be_visible()
        key = await page.locator("#made-key").text_content()
        assert wallet.signed == ["personal_sign", "eth_signTypedData_v4", "eth_signTypedData_v4"]
        await ask(world.url, key)
        await page.get_by_role("button", name="I have copied it").click()
        card = page.locator(".card", has_text="laptop")
        await expect(card.get_by_text("active")).to_be_visible()
        await expect(page.get_by_role("rowheader").first).to_be_visible()
        assert key not in await page.content()

        await card.get_by_label("Amount in").fill("0.5")
        await card.get_by_role("button", name="Deposit").click()
        await expect(card.get_by_text("1.99")).to_be_visible()

        await card.get_by_role("button", name="Revoke").click()
        await agree(page)
        await page.get_by_text("1 key that is over").click()
        await expect(card.get_by_text("revoked")).to_be_visible()
        with pytest.raises(openai.AuthenticationError):
            await ask(world.url, key)
        assert shown.problems == []

        await page.get_by_role("button", name="Sign out").click()
        await expect(page.get_by_role("button", name="Test Wallet")).to_be_visible()


async def test_a_key_has_a_daily_limit_is_renamed_and_folds_away_when_it_is_over(world, browser, url):
    wallet = InjectedWallet(await world.account())
    async with visit(browser, "about:blank", **PHONE) as shown:
        page = shown.page
        await wallet.inject(page)
        await page.goto(url)
        await page.get_by_role("button", name="Test Wallet").click()
        await page.get_by_text("Name and limits").click()
        await page.get_by_label("Most per day in").fill("0.5")
        await page.get_by_label("Only for these services").fill("chat, nothing")
        await page.get_by_role("button", name="Make the key").click()
        await expect(page.locator("#toasts")).to_contain_text("There is no service of this name.")
        await page.get_by_label("Only for these services").fill(" chat,")
        await page.get_by_role("button", name="Make the key").click()
        await expect(page.get_by_text("The deposit is made. The key works.")).to_be_visible()
        await page.get_by_role("button", name="I have copied it").click()
        card = page.locator(".card")
        await expect(card.get_by_text("Left today")).to_be_visible()
        await expect(card.get_by_text("chat", exact=True)).to_be_visible()
        await expect(card.get_by_text("never")).to_be_visible()

        await card.get_by_text("Rename").click()
        await card.get_by_label("New name").fill("kitchen")
        await card.get_by_role("button", name="Save the name").click()
        await expect(card.get_by_role("heading", name="kitchen")).to_be_visible()
        await card.get_by_role("button", name="Revoke").click()
        await agree(page)
        await expect(page.get_by_text("No active keys")).to_be_visible()
        await expect(card).to_be_hidden()
        await page.get_by_text("1 key that is over").click()
        await expect(card.get_by_text("revoked")).to_be_visible()


async def test_what_goes_wrong_is_said_above_an_open_sheet_in_the_readers_language(browser, url):
    """A refusal by its code, and a proxy's page in words; a toast is no part of what an open sheet disables."""
    async with visit(browser, url + "?language=de", **PHONE) as shown:
        page = shown.page
        await page.get_by_role("button", name="Demokonto").click()
        await page.get_by_label("Einlage in").fill("0.001")
        await page.get_by_role("button", name="Schlüssel anlegen").click()
        await expect(page.get_by_role("dialog", name="Ihr neuer Schlüssel")).to_be_visible()
        toast = page.locator(".toast", has_text="kleiner als die kleinste, die angenommen wird")
        await toast.get_by_role("button", name="Schließen").click()
        await expect(toast).to_have_count(0)
        await page.get_by_role("button", name="Ich habe ihn kopiert").click()
        await expect(page.get_by_text("aktiv", exact=True)).to_be_visible()

        busy = "<html><body>502 Bad Gateway</body></html>"
        answer = {"status": 502, "body": busy, "content_type": "text/html"}
        await page.route("**/v1/account/*", lambda route: route.fulfill(**answer))
        await page.get_by_role("button", name="Schlüssel anlegen").click()
        await expect(page.locator("#toasts")).to_contain_text("Die Antwort (Status 502) ist nicht von dieser Website.")


async def test_without_storage_the_wallet_that_shows_the_account_signs(world, browser, url):
    """Of two wallets in a browser that keeps nothing, the other one is not asked, whichever comes first."""
    wallet = InjectedWallet(await world.account())
    refused = "for (const name of ['localStorage', 'sessionStorage'])"
    refused += (
        " Object.defineProperty(window, name, { get() { throw new DOMException('refused', 'SecurityError'); } });"
    )
    other = """{
      const info = { uuid: "other", name: "Other", icon: "", rdns: "other" };
      const provider = { on() {}, request: async ({ method }) => {
        if (method === "eth_accounts") return ["0x" + "12".repeat(20)];
        throw new Error("the other wallet was asked: " + method);
      } };
      addEventListener("eip6963:requestProvider", () => dispatchEvent(
        new CustomEvent("eip6963:announceProvider", { detail: { info, provider } })));
    }"""
    async with visit(browser, "about:blank", **PHONE) as shown:
        await shown.page.add_init_script(other)
        await wallet.inject(shown.page)
        await shown.page.add_init_script(refused)
        await shown.page.goto(url)
        await shown.page.get_by_role("button", name="Test Wallet").click()
        await shown.page.get_by_role("button", name="Make the key").click()
        await expect(shown.page.get_by_text("The deposit is made. The key works.")).to_be_visible()
        assert wallet.signed == ["personal_sign", "eth_signTypedData_v4", "eth_signTypedData_v4"]


async def test_what_is_declined_is_not_done(world, browser, url):
    wallet = InjectedWallet(await world.account())
    wallet.declines = True
    async with visit(browser, "about:blank", **PHONE) as shown:
        page = shown.page
        await wallet.inject(page)
        await page.goto(url)
        await page.get_by_role("button", name="Test Wallet").click()
        await expect(page.locator("#toasts")).to_contain_text("You declined in your wallet.")
        wallet.declines = False
        await page.get_by_role("button", name="Test Wallet").click()
        await expect(page.get_by_text("No keys yet")).to_be_visible()
        wallet.declines = True
        await page.get_by_role("button", name="Make the key").click()
        await expect(page.locator("#toasts")).to_contain_text("You declined in your wallet.")
        await page.reload()
        await expect(page.get_by_text("No keys yet")).to_be_visible()
        await page.get_by_text("Name and limits").click()
        for unclear in ("1.500", "1,500"):  # fifteen hundred, or one and a half
            await page.get_by_label("Limit in").fill(unclear)
            await page.get_by_role("button", name="Make the key").click()
            await expect(page.locator("#toasts")).to_contain_text("Write an amount such as 2 or 2.50.")
        await page.get_by_label("Limit in").fill("a lot")
        await page.get_by_role("button", name="Make the key").click()
        await expect(page.locator("#toasts")).to_contain_text("Write an amount such as 2 or 2.50.")


async def test_a_wallet_on_another_chain_is_asked_to_change_it(world, browser, url):
    wallet = InjectedWallet(await world.account(), chain=1)
    async with visit(browser, "about:blank", **PHONE) as shown:
        await wallet.inject(shown.page)
        await shown.page.goto(url)
        await shown.page.get_by_role("button", name="Test Wallet").click()
        await shown.page.get_by_role("button", name="Make the key").click()
        await expect(shown.page.get_by_text("The deposit is made. The key works.")).to_be_visible()
        assert wallet.chain == 31337


async def test_a_key_that_is_shown_once_stays_until_it_is_copied_and_ends_with_the_session(browser, url):
    async with visit(browser, url, **PHONE) as shown:
        page = shown.page
        await page.get_by_role("button", name="Use the demo account").click()
        await page.get_by_role("button", name="Make the key").click()
        sheet = page.get_by_role("dialog", name="Your new key")
        await expect(sheet.get_by_role("status").get_by_text("The deposit is made.")).to_be_visible()
        await page.keyboard.press("Escape")
        await page.keyboard.press("Escape")
        await page.mouse.click(10, 10)
        await expect(sheet).to_be_visible()
        assert (await page.locator("#made-key").text_content()).startswith("uf_")
        assert (await page.evaluate("sessionStorage.getItem('usufruct-key')")).startswith("uf_")
        await page.get_by_role("button", name="I have copied it").click()
        await expect(page.get_by_text("active", exact=True)).to_be_visible()
        await page.get_by_role("button", name="Sign out").click()
        await expect(page.get_by_role("button", name="Use the demo account")).to_be_visible()
        assert await page.evaluate("sessionStorage.length") == 0


async def test_without_storage_a_wallet_still_makes_a_key(world, browser, url):
    wallet = InjectedWallet(await world.account())
    refused = "for (const name of ['localStorage', 'sessionStorage'])"
    refused += (
        " Object.defineProperty(window, name, { get() { throw new DOMException('refused', 'SecurityError'); } });"
    )
    async with visit(browser, "about:blank", **PHONE) as shown:
        await wallet.inject(shown.page)
        await shown.page.add_init_script(refused)
        await shown.page.goto(url)
        await shown.page.get_by_role("button", name="Test Wallet").click()
        await shown.page.get_by_role("button", name="Make the key").click()
        await expect(shown.page.get_by_text("The deposit is made. The key works.")).to_be_visible()
        assert (await shown.page.locator("#made-key").text_content()).startswith("uf_")
        await shown.page.goto(url.removesuffix("/account") + "/s/chat")
        await shown.page.get_by_label("API key").fill("uf_mistyped")
        await shown.page.get_by_role("button", name="Send").click()
        await expect(shown.page.locator("#toasts")).to_contain_text("mistyped")


async def test_a_wallet_that_changes_its_account_is_signed_out(world, browser, url):
    wallet = InjectedWallet(await world.account())
    async with visit(browser, "about:blank", **PHONE) as shown:
        await wallet.inject(shown.page)
        await shown.page.goto(url)
        await shown.page.get_by_role("button", name="Test Wallet").click()
        await expect(shown.page.get_by_role("button", name="Sign out")).to_be_enabled()  # its scripts listen
        await shown.page.evaluate("changeTestAccount('0x' + '12'.repeat(20))")
        await expect(shown.page.get_by_role("button", name="Test Wallet")).to_be_visible()


async def test_a_wallets_name_and_icon_are_not_markup(world, browser, url):
    wallet = InjectedWallet(name="<img src=x onerror=alert(1)>" + "x" * 100, icon="https://evil.example/a.png")
    async with visit(browser, "about:blank", **NARROW) as shown:
        await wallet.inject(shown.page)
        await shown.page.goto(url)
        button = shown.page.locator("#wallets button")
        await expect(button).to_have_text("<img src=x onerror=alert(1)>xxxxxxxxxxxx")
        assert await button.locator("img").count() == 0
        assert not [each for each in shown.requests if "evil" in each]
        assert await shown.too_wide() <= 0


async def test_the_demo_account_needs_no_wallet(world, browser, url):
    async with visit(browser, url, **PHONE, locale="de-DE") as shown:
        page = shown.page
        await page.get_by_role("button", name="Demokonto nutzen").click()
        await page.get_by_role("button", name="Schlüssel anlegen").click()
        sheet = page.get_by_role("dialog", name="Ihr neuer Schlüssel")
        await expect(sheet.get_by_text("Die Einlage ist gemacht.")).to_be_visible()
        key = await page.locator("#made-key").text_content()
        assert await ask(world.url, key)
        await page.get_by_role("button", name="Ich habe ihn kopiert").click()
        await expect(page.get_by_text("aktiv", exact=True)).to_be_visible()
        await page.wait_for_load_state("networkidle")
        assert await shown.too_wide() <= 0
        assert await shown.small_targets() == []
        assert await shown.accessibility_faults() == []
        assert shown.problems == []


async def test_after_sign_out_going_back_shows_nothing(url):
    keeping = own_chromium(ignore_default_args=["--disable-back-forward-cache"])
    async with keeping as browser, visit(browser, url, **PHONE) as shown:
        page = shown.page
        await page.get_by_role("button", name="Use the demo account").click()
        await expect(page.get_by_text("No keys yet")).to_be_visible()
        await page.get_by_role("link", name="Deutsch").click()
        await page.get_by_role("link", name="Konto", exact=True).click()
        await page.get_by_role("button", name="Abmelden").click()
        await expect(page.get_by_role("button", name="Demokonto nutzen")).to_be_visible()
        await page.go_back(wait_until="commit")
        await expect(page.get_by_role("button", name="Demokonto nutzen")).to_be_visible()


async def test_the_page_before_sign_in_keeps_every_budget(browser, url):
    await check_page(browser, url)


async def test_a_key_that_was_made_is_tried_in_the_playground(world, browser, url):
    service = url.removesuffix("/account") + "/s/chat"
    async with visit(browser, url, **PHONE) as shown:
        page = shown.page
        await page.get_by_role("button", name="Use the demo account").click()
        await page.get_by_role("button", name="Make the key").click()
        await expect(page.get_by_text("The deposit is made.")).to_be_visible()
        key = await page.locator("#made-key").text_content()
        await page.goto(service)
        await expect(page.get_by_label("API key")).to_have_value(key)
        await page.get_by_label("Longest answer").fill("10")
        await page.get_by_role("button", name="Send").click()
        charged = page.locator("[data-shows=charge]")
        await expect(charged).to_have_text(re.compile(r"^0\.\d+\s+tUSD$"))  # "about" until the answer has ended
        text = (await charged.text_content()).replace("\N{NO-BREAK SPACE}tUSD", "")
        log = await page.request.get(f"{world.url}/account/spending")
        assert round(float(text) * 1_000_000) == int((await log.json())["calls"][0]["charge"])
        await page.get_by_label("API key").fill("uf_wrong")
        await page.get_by_label("Message").fill("x")
        await page.get_by_role("button", name="Send").click()
        await expect(page.locator("#toasts .toast")).to_have_count(1)
        assert [each for each in shown.problems if "401" not in each] == []


async def test_the_page_leads_back_to_the_service_also_where_nothing_is_copied(browser, url):
    async with visit(browser, "about:blank", **PHONE) as shown:
        page = shown.page
        await page.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
        await page.add_init_script("document.execCommand = () => false")
        await page.goto(url + "?service=another")
        await expect(page.get_by_role("link", name="another")).to_have_count(0)
        await page.goto(url.removesuffix("/account") + "/s/chat")
        await page.get_by_role("link", name="Get a key").first.click()
        await expect(page.get_by_role("link", name="← chat")).to_be_visible()
        await page.get_by_role("button", name="Use the demo account").click()
        await page.get_by_role("button", name="Make the key").click()
        await expect(page.get_by_text("The deposit is made. The key works.")).to_be_visible()
        key = await page.locator("#made-key").text_content()
        await page.get_by_role("button", name="Copy it and try").click()
        await expect(page.locator("#toasts")).to_contain_text("This browser copies nothing by itself.")
        assert await page.evaluate("getSelection().toString()") == key
        await page.get_by_role("button", name="Copy it and try").click()
        await expect(page.get_by_label("API key")).to_have_value(key)


async def test_an_answer_that_is_stopped_is_charged_for_what_came(world, browser, url):
    await world.sell("slow", "stalls")
    async with visit(browser, url, **PHONE) as shown:
        page = shown.page
        await page.get_by_role("button", name="Use the demo account").click()
        await page.get_by_role("button", name="Make the key").click()
        await expect(page.get_by_text("The deposit is made.")).to_be_visible()
        await page.goto(url.removesuffix("/account") + "/s/slow")
        await page.get_by_role("button", name="Send").click()
        await expect(page.locator(".turn.model")).to_have_text("To be or")
        await expect(page.locator("[data-shows=ceiling]")).to_contain_text("tUSD")
        await page.get_by_role("button", name="Stop").click()
        await expect(page.get_by_role("button", name="Stop")).to_be_hidden()
        await expect(page.get_by_role("button", name="Send")).to_be_enabled()
        await expect(page.locator("[data-shows=charge]")).to_contain_text("0.0")

        async def spent() -> list[dict]:
            return (await (await page.request.get(f"{world.url}/account/spending")).json())["calls"]

        await until(spent)
        [call] = await spent()
        assert 1 <= call["outputTokens"] <= 3  # counted here: the upstream did not report
        assert [each for each in shown.problems if "404" not in each] == []  # no receipt yet


async def test_a_deposit_whose_answer_is_lost_is_made_once(world, browser, url):
    async with visit(browser, url, **PHONE) as shown:
        page = shown.page
        await page.get_by_role("button", name="Use the demo account").click()
        await expect(page.get_by_text("No keys yet")).to_be_visible()
        lost = []

        async def lose_the_first_answer(route) -> None:
            answer = await route.fetch()
            if not lost:
                lost.append(route.request.post_data)
                await route.abort()
            else:
                assert route.request.post_data == lost[0]
                await route.fulfill(response=answer)

        await page.route("**/v1/deposits", lose_the_first_answer)
        await page.get_by_role("button", name="Make the key").click()
        await expect(page.get_by_text("The deposit is made.")).to_be_visible()
        assert lost
        await page.get_by_role("button", name="I have copied it").click()
        await expect(page.locator(".card").get_by_text("2\N{NO-BREAK SPACE}tUSD").first).to_be_visible()
        await expect(page.get_by_text("Your wallet holds 98")).to_be_visible()
