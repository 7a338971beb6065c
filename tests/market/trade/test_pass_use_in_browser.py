"""A person with a phone buys a package, activates it, calls with it, and sees what is left, in Debian's chromium."""

from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
from playwright.async_api import Browser, Page, expect

from tests.support.altered_answer import change_word, refused_when
from tests.support.browser import PHONE, chromium, needs_chromium, visit
from tests.support.confirm_sheet import yes
from tests.support.injected_wallet import InjectedWallet
from tests.support.passkey_wallet import passkey_wallet
from tests.support.trade_town import DAY, METER, NAME, TradeTown, plan_text
from usufruct.chain.keys import DEVNET_ADDRESSES
from usufruct.core import address, format_units
from usufruct.payments.settlement import Claimer

pytestmark = [needs_chromium, pytest.mark.anvil]

DOLLAR = 10**6
CREDIT = 10**6


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as opened:
        yield opened


@pytest.fixture
def root(world):
    return world.url.removesuffix("/v1").replace("127.0.0.1", "localhost")


async def open_form(page: Page, summary: str) -> None:
    """Open a form of the page's only plan."""
    await page.get_by_text(summary, exact=True).click()


async def ask(page: Page, town: TradeTown, plan: int, packages: int) -> Any:
    """Ask for a first purchase of packages, as another tab that knows of none."""
    body = {"plan": plan_text(plan), "packages": str(packages), "maxPrice": str(10**30), "bought": "0"}
    return await page.evaluate(
        """([path, body]) => fetch(path, {
          method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body),
        }).then((answer) => answer.json())""",
        [f"/v1/passes/{town.asset_text}/packages", body],
    )


async def buy(page: Page, packages: int, price: str) -> None:
    """Buy packages by two taps."""
    await open_form(page, "Buy a package")
    await page.get_by_label("Packages").fill(str(packages))
    await expect(page.locator("form[data-credits=buy] output")).to_have_text(price)
    await page.get_by_role("button", name="Buy now").click()
    await yes(page).dblclick()
    await expect(page.get_by_text("You have bought the credits.")).to_be_visible()


async def activate(page: Page, amount: str) -> None:
    """Activate credits."""
    await open_form(page, "Activate for calls")
    await page.get_by_label("Credits to activate").fill(amount)
    await page.get_by_role("button", name="Activate", exact=True).click()
    await expect(page.get_by_text("Your credits are activated.")).to_be_visible()


async def make_key(page: Page) -> str:
    """Make a key that pays with the activated credits."""
    await open_form(page, "Make a key that pays with them")
    await page.get_by_role("button", name="Sign and make the key").click()
    await expect(page.get_by_role("dialog", name="Your new key")).to_be_visible()
    key = await page.locator("#made-key").text_content()
    assert key is not None
    await page.get_by_role("button", name="I have copied it").click()
    return key


async def call(town: TradeTown, key: str) -> int:
    """Make a call by OpenAI's client, and return what it was charged."""
    async with openai.AsyncOpenAI(base_url=town.world.url, api_key=key, max_retries=0) as client:
        messages = [{"role": "user", "content": "x"}]
        answer = await client.chat.completions.create(model=NAME, messages=messages, max_tokens=10)
    return int(answer.usage.cost_details["charge"])


async def test_a_passkey_buys_activates_calls_and_sees_what_is_left(town: TradeTown, browser, root):
    plan, passes, dollar = await town.plan(9 * DOLLAR, 10 * CREDIT), town.passes, town.world.dollar
    async with visit(browser, "about:blank", **PHONE) as shown:
        page = shown.page
        account = await passkey_wallet(page, root)
        await page.goto(f"{root}/passes/{NAME}")
        await expect(page.get_by_text("8,000 calls").first).to_be_visible()
        await expect(page.get_by_text("0.001125 tUSD instead of 0.00125 tUSD")).to_be_visible()
        operations = [(await ask(page, town, plan, 2))["request"]["body"]["operation"] for _ in range(2)]
        assert operations[0] == operations[1], "two tabs sign the same operation, which the chain makes once"
        await buy(page, 2, "18")
        assert (await ask(page, town, plan, 2))["error"]["code"] == "purchase_outdated"
        assert await dollar.balance_of(account) == 82 * DOLLAR
        assert await passes.balance_of(account, plan) == 20 * CREDIT
        await activate(page, "4")
        key = await make_key(page)
        assert len(key) < 2_000, "as long as other tokens that stock clients send"
        charge = await call(town, key) + await call(town, key)
        await page.reload()
        left = page.locator(".card", has_text="Left for your calls")
        await expect(left).to_contain_text(f"{format_units(4 * CREDIT - charge, 6)} tUSD")
        await page.goto(f"{root}/account")
        card = page.locator(".card", has_text="Left for your calls")
        await expect(card).to_contain_text(f"{format_units(4 * CREDIT - charge, 6)} tUSD")
        await expect(card).to_contain_text("16 tUSD")
        await card.get_by_role("link", name="Activate, use or sell").click()
        await expect(page).to_have_url(f"{root}/passes/{NAME}")
        expected = "pubKeyCredParams", "409"  # a hint of chromium's; the refusal of the other tab
        assert [each for each in shown.problems if not any(name in each for name in expected)] == []
    await town.world.installation.get(Claimer).run(everything=True)
    state, income = await passes.plan(plan), await dollar.balance_of(town.shares.address)
    assert income == charge * 9 // 10, "what was used, at the plan's price, rounded down"
    assert await dollar.balance_of(passes.address) == state.escrow == 18 * DOLLAR - income
    assert state.outstanding == 20 * CREDIT - charge


async def test_a_wallet_buys_activates_and_gets_the_rest_back(town: TradeTown, browser, root):
    plan, dollar = await town.plan(9 * DOLLAR, 10 * CREDIT), town.world.dollar
    wallet = InjectedWallet(await town.world.account(40), node=town.world.installation.client)
    buyer = address(wallet.account.address)
    await town.world.devnet.set_balance(buyer, 10**18)
    async with visit(browser, "about:blank", **PHONE) as shown:
        page = shown.page
        await wallet.inject(page)
        await page.goto(f"{root}/account")
        await page.get_by_role("button", name="Test Wallet").click()
        await expect(page.get_by_text("Your wallet holds 40")).to_be_visible()
        await page.goto(f"{root}/passes/{NAME}")
        await buy(page, 1, "9")
        assert len(wallet.transactions) == 2, "the approval of the price, and the purchase"
        assert await dollar.balance_of(buyer) == 31 * DOLLAR
        await activate(page, "6")
        charge = await call(town, await make_key(page))
        await town.world.installation.get(Claimer).run(everything=True)
        await town.world.devnet.pass_time(31 * DAY)  # the meter gives no sign
        await page.reload()
        await page.get_by_role("button", name="Give unused credits back").click()
        await expect(page.get_by_text("Your unused credits are given back.")).to_be_visible()
        assert shown.problems == []
    back = 4 * 900_000 + (6 * CREDIT - charge) * 9 // 10
    income = await dollar.balance_of(town.shares.address)
    assert await dollar.balance_of(buyer) == 31 * DOLLAR + back
    assert 31 * DOLLAR + back + income + (await town.passes.plan(plan)).escrow == 40 * DOLLAR


async def test_a_passkey_signs_no_other_purchase_activation_key_or_refund(town: TradeTown, browser, root):
    plan, other = await town.plan(9 * DOLLAR, 10 * CREDIT), await town.plan(10 * DOLLAR, 10 * CREDIT)
    await town.act(DEVNET_ADDRESSES[4], town.passes.set_selling(other, False))
    async with visit(browser, "about:blank", **PHONE) as shown:
        page = shown.page
        account = await passkey_wallet(page, root)
        await town.give_credits(account, plan)
        await page.goto(f"{root}/passes/{NAME}")

        def swapped(old: int | str, new: int | str):
            old, new = (f"{each:064x}" if isinstance(each, int) else each for each in (old, new))

            def alter(asked) -> None:
                message = asked["request"]["document"]["message"]
                assert old in message["callData"]
                message["callData"] = message["callData"].replace(old, new)

            return alter

        await open_form(page, "Buy a package")
        contract, stranger = town.passes.address[2:], "66" * 20
        for altered in (
            swapped(9 * DOLLAR, 10 * DOLLAR),
            swapped(plan, other),
            swapped(contract, stranger),
            swapped(town.world.dollar.address[2:], stranger),
        ):
            await refused_when(page, "**/packages", altered, "Buy now", asks_first=True)

        await open_form(page, "Activate for calls")
        for word in (0, 1):
            await refused_when(page, "**/activation", lambda asked, word=word: change_word(word, asked), "Activate")
        await page.reload()
        await activate(page, "4")

        def limitless(asked) -> None:
            asked["document"]["message"]["limit"] = str(2**128 - 1)

        def of_another_plan(asked) -> None:
            asked["document"]["message"]["pass"] = str(other)

        await open_form(page, "Make a key that pays with them")
        await page.get_by_label("At most, in tUSD of use").fill("1")
        for altered in (limitless, of_another_plan):
            await refused_when(page, "**/v1/pass-grants/requests", altered, "Sign and make the key")

        await town.world.devnet.pass_time(31 * DAY)
        await page.reload()
        for word in (0, 2):  # the plan; who is paid
            button = "Give unused credits back"
            await refused_when(page, "**/refund", lambda asked, word=word: change_word(word, asked), button)
    assert await town.world.dollar.balance_of(account) == 100 * DOLLAR
    assert await town.passes.activated(plan, account, METER) == 4 * CREDIT
