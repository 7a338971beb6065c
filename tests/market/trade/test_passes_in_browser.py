"""Pass credits bought and sold between two browsers, in Debian's chromium: credits and money to the unit."""

import pytest
from playwright.async_api import expect

from tests.support.altered_answer import change_word, refused_when
from tests.support.browser import PHONE, needs_chromium, visit
from tests.support.confirm_sheet import agree, yes
from tests.support.injected_wallet import InjectedWallet
from tests.support.page_budgets import check_page
from tests.support.passkey_wallet import passkey_wallet
from tests.support.trade_pages import check_german_page, check_link, enter, publish_offer
from tests.support.trade_town import NAME, ROYALTY_BPS, TradeTown
from usufruct.core import address

pytestmark = [needs_chromium, pytest.mark.anvil]

DOLLAR = 10**6
CREDIT = 10**6


async def fill_offer(page, amount: str, price: str) -> None:
    await page.get_by_text("Sell these credits").click()
    await page.get_by_label("Credits to sell").fill(amount)
    await page.get_by_label("Price of all of them").fill(price)


async def offer(page, amount: str, price: str) -> None:
    await fill_offer(page, amount, price)
    await publish_offer(page)


async def buy(page, amount: str, price: str) -> None:
    await page.get_by_text("Buy", exact=True).click()
    await page.get_by_label("Credits, in tUSD of use").fill(amount)
    await expect(page.locator("form[data-trade=buy] output")).to_have_text(price)
    await page.get_by_role("button", name="Sign and buy").click()
    await yes(page).dblclick()
    await expect(page.get_by_text("You have bought the credits.")).to_be_visible()


async def test_credits_are_bought_and_sold_between_two_browsers(town: TradeTown, browser, root):
    client, dollar, passes = town.world.installation.client, town.world.dollar, town.passes
    plan = await town.plan(9 * DOLLAR, 10 * CREDIT, days=40)
    seller, buyer = [InjectedWallet(await town.world.account(40), node=client) for _ in range(2)]
    sellers, buyers = (address(each.account.address) for each in (seller, buyer))
    await town.give_credits(sellers, plan)
    await town.world.devnet.set_balance(sellers, 10**18)  # the approval and a cancellation need coins, a sale does not
    async with visit(browser, "about:blank", **PHONE) as sold, visit(browser, "about:blank", **PHONE) as bought:
        await enter(sold.page, root, seller, "passes")
        await expect(sold.page.get_by_text("8,000 calls").first).to_be_visible()
        await offer(sold.page, "8", "6")
        await enter(bought.page, root, buyer, "passes")
        await expect(bought.page.get_by_text("0.75 tUSD", exact=True).first).to_be_visible()
        await expect(bought.page.get_by_text("0.9 tUSD", exact=True).first).to_be_visible()
        await buy(bought.page, "5", "3.75")
        await expect(bought.page.get_by_text("5 tUSD", exact=True).first).to_be_visible()
        assert buyer.signed.count("eth_signTypedData_v4") == 1

        await sold.page.reload()
        await sold.page.get_by_role("button", name="Cancel the offer").click()
        await agree(sold.page)
        await expect(sold.page.get_by_text("Your offer is cancelled.")).to_be_visible()
        assert [*sold.problems, *bought.problems] == []
    price = 3_750_000
    fee, royalty = price * (await town.exchange.protocol_fee()).bps // 10_000, price * ROYALTY_BPS // 10_000
    assert await dollar.balance_of(buyers) == 40 * DOLLAR - price
    assert await dollar.balance_of(sellers) == 40 * DOLLAR + price - fee - royalty
    assert await dollar.balance_of(town.exchange.address) == fee
    assert await dollar.balance_of(town.shares.address) == royalty
    assert [await passes.balance_of(each, plan) for each in (sellers, buyers)] == [5 * CREDIT, 5 * CREDIT]


async def test_a_passkey_sells_credits_and_another_buys_them(town: TradeTown, browser, root):
    local = root.replace("127.0.0.1", "localhost")
    plan = await town.plan(9 * DOLLAR, 10 * CREDIT)
    async with visit(browser, "about:blank", **PHONE) as sold, visit(browser, "about:blank", **PHONE) as bought:
        seller = await passkey_wallet(sold.page, local)
        await town.give_credits(seller, plan)
        await sold.page.goto(f"{local}/passes/{NAME}")
        await offer(sold.page, "4", "2")
        await sold.page.goto(f"{local}/passes/{NAME}")  # without the first offer's message
        await offer(sold.page, "1", "0.4")  # the approval still holds: the passkey signs the offer alone
        buyer = await passkey_wallet(bought.page, local)
        await bought.page.goto(f"{local}/passes/{NAME}")
        await expect(bought.page.get_by_text("0.4 tUSD", exact=True).first).to_be_visible()
        await bought.page.get_by_text("Buy", exact=True).first.click()
        await bought.page.get_by_role("button", name="Sign and buy").first.click()
        await agree(bought.page)
        await expect(bought.page.get_by_text("You have bought the credits.")).to_be_visible()
    assert [await town.passes.balance_of(each, plan) for each in (seller, buyer)] == [9 * CREDIT, CREDIT]
    assert await town.world.dollar.balance_of(buyer) == 100 * DOLLAR - 400_000


async def test_a_passkey_signs_no_other_offer_approval_or_purchase(town: TradeTown, browser, root):
    local = root.replace("127.0.0.1", "localhost")
    plan, other = await town.plan(9 * DOLLAR, 10 * CREDIT), await town.plan(90 * DOLLAR, 10 * CREDIT)
    seller = await town.trader(dollars=0)
    await town.give_credits(seller.address, plan)
    assert (await seller.offer(CREDIT, DOLLAR, plan=plan)).status_code == 201
    async with visit(browser, "about:blank", **PHONE) as shown:
        page = shown.page
        account = await passkey_wallet(page, local)
        await town.give_credits(account, plan)
        await page.goto(f"{local}/passes/{NAME}")

        def of_another_plan(asked) -> None:
            asked["offer"]["document"]["message"]["item"]["id"] = str(other)

        def of_another_kind(asked) -> None:
            asked["offer"]["document"]["message"]["item"]["kind"] = "0"

        def with_more_deducted(asked) -> None:
            asked["offer"]["document"]["message"]["maxDeductionBps"] = "9999"

        def of_another_contract(asked) -> None:
            asked["approvals"][0]["to"] = town.shares.address

        def for_another(asked) -> None:
            change_word(0, asked, of="approvals")

        def dearer(asked) -> None:
            asked["request"]["document"]["message"]["value"] = "1000001"

        await fill_offer(page, "1", "1")
        for altered in (of_another_plan, of_another_kind, with_more_deducted, of_another_contract, for_another):
            await refused_when(page, "**/v1/offers/requests", altered, "Sign and offer")
        await page.get_by_text("Buy", exact=True).click()
        await refused_when(page, "**/v1/purchases/requests", dearer, "Sign and buy", asks_first=True)
    assert not await town.passes.is_approved_for_all(account, town.exchange.address)
    assert await town.world.dollar.balance_of(account) == 100 * DOLLAR


async def test_the_page_keeps_every_budget_and_is_german(town: TradeTown, browser, root):
    await check_page(browser, f"{root}/passes/{NAME}")
    plan = await town.plan(9 * DOLLAR, 10 * CREDIT)
    ending = await town.plan(4 * DOLLAR, 5 * CREDIT, days=40)
    seller, buyer = await town.trader(), await town.trader()
    for each in (plan, ending):
        await town.give_credits(seller.address, each)
    made = await seller.offer(5 * CREDIT, 4 * DOLLAR, plan=plan)
    assert (await buyer.buy(made.json()["offer"], CREDIT)).status_code == 200
    assert (await buyer.offer(CREDIT, DOLLAR, plan=plan)).status_code == 201
    await check_page(browser, f"{root}/passes/{NAME}")
    await check_german_page(browser, root, "passes", seller, f"Vorausbezahltes Guthaben für {NAME}")
    await check_link(browser, root, "passes", "Buy and sell prepaid credits")
