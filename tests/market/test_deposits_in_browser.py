"""Deposits on the account page in chromium: each state, each way back, double taps, reloads and two tabs: one each."""

import openai
import pytest
from playwright.async_api import Page, expect

from tests.support.browser import NARROW, PHONE, chromium, needs_chromium, visit
from tests.support.injected_wallet import InjectedWallet
from tests.support.virtual_authenticator import VirtualAuthenticator
from usufruct.chain.contracts.batch_settlement import Refunded, WithdrawFinalized, WithdrawInitiated
from usufruct.chain.escrow import SETTLEMENT
from usufruct.core import address
from usufruct.payments.settlement import Claimer
from usufruct.payments.settlement.event_watcher import EventWatcher

pytestmark = [needs_chromium, pytest.mark.anvil]
DAY = 86_400
DOLLAR = 1_000_000


@pytest.fixture
async def browser():
    async with chromium() as opened:
        yield opened


@pytest.fixture
def url(world):
    return world.url.removesuffix("/v1").replace("127.0.0.1", "localhost") + "/account"


async def call_once(base_url: str, key: str) -> int:
    async with openai.AsyncOpenAI(base_url=base_url, api_key=key, max_retries=0, timeout=120) as client:
        messages = [{"role": "user", "content": "x"}]
        answer = await client.chat.completions.create(model="chat", messages=messages, max_tokens=10)
    return int(answer.usage.cost_details["charge"])


async def make_deposit(world, page: Page) -> int:
    """Make a key with a deposit of two dollars and one call; return what that cost."""
    await page.get_by_role("button", name="Make the key").click()
    await expect(page.get_by_text("The deposit is made. The key works.")).to_be_visible()
    charge = await call_once(world.url, await page.locator("#made-key").text_content())
    await page.get_by_role("button", name="I have copied it").click()
    await expect(page.locator(".deposit")).to_be_visible()
    return charge


async def enter(world, page: Page, url: str) -> InjectedWallet:
    """Sign in with a wallet that has dollars, and gas of its own."""
    wallet = InjectedWallet(await world.account(), node=world.installation.client)
    await world.devnet.set_balance(address(wallet.account.address), 10**18)
    await wallet.inject(page)
    await page.goto(url)
    await page.get_by_role("button", name="Test Wallet").click()
    await expect(page.get_by_text("No keys yet")).to_be_visible()
    return wallet


async def count(world, kind) -> int:
    last = await world.installation.client.block_number()
    return len(await world.installation.client.logs(0, last, addresses=[SETTLEMENT], topics=[kind.TOPIC]))


async def check_look(shown) -> None:
    assert await shown.too_wide() <= 0
    assert await shown.small_targets() == []
    assert await shown.accessibility_faults() == []


async def test_money_comes_back_by_one_tap_once_and_its_state_is_shown(world, browser, url):
    async with visit(browser, "about:blank", **PHONE) as shown:
        page = shown.page
        wallet = await enter(world, page, url)
        charge = await make_deposit(world, page)
        other = await page.context.new_page()
        await other.goto(url)
        await expect(other.get_by_role("button", name="Get it back")).to_be_visible()
        await check_look(shown)

        await world.devnet.set_automine(on=False)
        await page.get_by_role("button", name="Get it back").dblclick()
        await expect(page.get_by_text("refund requested")).to_be_visible()
        await expect(page.get_by_text("arrive in your wallet by")).to_be_visible()
        await page.reload()
        await expect(page.get_by_text("refund requested")).to_be_visible()
        await other.get_by_role("button", name="Get it back").click()
        await expect(other.get_by_text("refund requested")).to_be_visible()
        await check_look(shown)

        await world.devnet.set_automine(on=True)
        await world.devnet.mine()
        for each in (page, other):
            await expect(each.get_by_text("refund done")).to_be_visible()
            await expect(each.locator(".deposit").get_by_text("Transaction")).to_be_visible()
        assert await world.balance(wallet.account) == 1000 * DOLLAR - charge
        assert await world.dollar.balance_of(SETTLEMENT) == charge
        assert await count(world, Refunded) == 1
        await check_look(shown)
        assert shown.problems == []


async def test_a_wallet_takes_it_without_the_operator_and_two_tabs_and_a_reload_are_one(world, browser, url):
    async with visit(browser, "about:blank", **PHONE) as shown:
        page = shown.page
        wallet = await enter(world, page, url)
        charge = await make_deposit(world, page)
        other = await page.context.new_page()
        await wallet.inject(other)
        await other.goto(url)

        await world.devnet.set_automine(on=False)
        await page.get_by_text("Without the operator's help").click()
        await expect(page.get_by_text("wait 24 hours")).to_be_visible()
        await check_look(shown)
        await page.get_by_role("button", name="Announce it").dblclick()
        await wallet.has_sent(1)
        await page.reload()
        await page.get_by_text("Without the operator's help").click()
        async with page.expect_response("**/v1/account/withdrawals"):  # before it is mined: this tab waits for it
            await page.get_by_role("button", name="Announce it").click()
        await other.get_by_text("Without the operator's help").click()
        await other.get_by_role("button", name="Announce it").click()
        await world.devnet.set_automine(on=True)
        await world.devnet.mine()
        await expect(page.get_by_text("withdrawal announced")).to_be_visible()
        await expect(other.locator("#toasts")).to_contain_text("It is announced already.")
        assert len(wallet.transactions) == 1
        await world.installation.get(EventWatcher).poll()
        await world.installation.get(Claimer).run()

        await other.reload()
        await expect(other.get_by_text("withdrawal announced")).to_be_visible()
        await check_look(shown)
        await world.devnet.pass_time(DAY)
        await page.reload()
        await other.reload()
        await check_look(shown)
        await page.get_by_role("button", name="Take it now").click()
        await expect(page.get_by_role("button", name="Take it now")).to_have_count(0)
        await other.get_by_role("button", name="Take it now").click()
        await expect(other.locator("#toasts")).to_contain_text("Nothing is left of this deposit.")
        assert len(wallet.transactions) == 2
        assert await count(world, WithdrawInitiated) == await count(world, WithdrawFinalized) == 1
        assert await world.balance(wallet.account) == 1000 * DOLLAR - charge
        assert await world.dollar.balance_of(SETTLEMENT) == 0


async def test_what_the_wallet_declines_is_not_announced(world, browser, url):
    async with visit(browser, "about:blank", **NARROW) as shown:
        page = shown.page
        wallet = await enter(world, page, url)
        await make_deposit(world, page)
        wallet.declines = True
        await page.get_by_text("Without the operator's help").click()
        await page.get_by_role("button", name="Announce it").click()
        await expect(page.locator("#toasts")).to_contain_text("You declined in your wallet. Nothing was sent.")
        assert await count(world, WithdrawInitiated) == 0
        await expect(page.get_by_role("button", name="Announce it")).to_be_enabled()


async def test_a_passkey_takes_it_without_the_operator_and_signs_nothing_else(world, browser, url):
    async with visit(browser, "about:blank", **PHONE) as shown:
        page = shown.page
        await VirtualAuthenticator.add(page)
        await page.goto(url)
        await page.get_by_role("button", name="Create a wallet with a passkey").click()
        await page.get_by_role("button", name="Get 100 test dollars").click()
        await expect(page.get_by_text("Your wallet holds 100")).to_be_visible()
        account = address(await page.locator(".address code").first.text_content())
        charge = await make_deposit(world, page)

        async def another_payer(route) -> None:
            answer = await route.fetch()
            asked = await answer.json()
            message = asked["request"]["document"]["message"]
            message["callData"] = message["callData"].replace(account[2:], "12" * 20)
            await route.fulfill(response=answer, json=asked)

        await page.route("**/v1/account/withdrawals", another_payer)
        await page.get_by_text("Without the operator's help").click()
        await page.get_by_role("button", name="Announce it").click()
        await expect(page.locator("#toasts")).to_contain_text("The server asked to sign something else.")
        await page.unroute("**/v1/account/withdrawals")
        await page.get_by_role("button", name="Announce it").click()
        await expect(page.get_by_text("withdrawal announced")).to_be_visible()
        await world.installation.get(EventWatcher).poll()
        await world.installation.get(Claimer).run()

        await world.devnet.pass_time(DAY)
        await page.reload()
        await page.get_by_role("button", name="Take it now").click()
        await expect(page.get_by_role("button", name="Take it now")).to_have_count(0)
        assert await world.dollar.balance_of(account) == 100 * DOLLAR - charge
        assert await world.dollar.balance_of(SETTLEMENT) == 0


async def test_the_section_in_german_on_a_narrow_dark_screen(world, browser, url):
    async with visit(browser, url, **NARROW, locale="de-DE", color_scheme="dark") as shown:
        page = shown.page
        await page.get_by_role("button", name="Demokonto nutzen").click()
        await page.get_by_role("button", name="Schlüssel anlegen").click()
        await expect(page.get_by_text("Die Einlage ist gemacht.")).to_be_visible()
        await page.get_by_role("button", name="Ich habe ihn kopiert").click()
        await page.get_by_text("Ohne Hilfe des Betreibers").click()
        await page.wait_for_load_state("networkidle")
        await check_look(shown)
        await page.get_by_role("button", name="Zurückholen").click()
        await expect(page.get_by_text("zurückgezahlt")).to_be_visible()
        assert shown.problems == []


async def test_two_browsers_that_deposit_at_one_moment_deposit_once(world, browser, url):
    """Each has loaded the page before the other signed; the second is told, and looks first."""
    account = await world.account(100)
    async with visit(browser, "about:blank", **PHONE) as one, visit(browser, "about:blank", **PHONE) as two:
        wallets = [InjectedWallet(account, node=world.installation.client) for _ in range(2)]
        for shown, wallet in zip((one, two), wallets, strict=True):
            await wallet.inject(shown.page)
            await shown.page.goto(url)
            await shown.page.get_by_role("button", name="Test Wallet").click()
            await expect(shown.page.get_by_text("Your wallet holds 100")).to_be_visible()
        await one.page.get_by_role("button", name="Make the key").click()
        await expect(one.page.get_by_text("The deposit is made. The key works.")).to_be_visible()
        await two.page.get_by_role("button", name="Make the key").click()
        await expect(two.page.locator("#toasts")).to_contain_text("You made another deposit meanwhile")
        assert len(wallets[1].signed) == 2, "the sign-in and the key, no deposit"
        assert await world.dollar.balance_of(address(account.address)) == 98 * DOLLAR
        await two.page.goto(url)
        await two.page.get_by_role("button", name="Deposit", exact=True).first.click()
        await expect(two.page.get_by_text("The deposit is made.", exact=True)).to_be_visible()
    assert await world.dollar.balance_of(address(account.address)) == 96 * DOLLAR
