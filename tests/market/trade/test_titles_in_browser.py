"""A title, and a whole service, bought and sold between two phones, in Debian's chromium: to the unit."""

from dataclasses import replace

import pytest
from playwright.async_api import expect

from tests.support.altered_answer import change_word, refused_when
from tests.support.browser import PHONE, needs_chromium, visit
from tests.support.confirm_sheet import agree, yes
from tests.support.injected_wallet import InjectedWallet
from tests.support.page_budgets import check_page
from tests.support.passkey_wallet import passkey_wallet
from tests.support.trade_pages import check_german_page, check_link, enter, publish_offer
from tests.support.trade_town import NAME, ROYALTY_BPS, SHARE, TradeTown
from usufruct.chain import FEE_SINK
from usufruct.core import address

pytestmark = [needs_chromium, pytest.mark.anvil]

DOLLAR = 10**6
CREDIT = 10**6
BOUGHT = "You are the owner of the service now."


async def fill_bundle(page) -> None:
    """A service for 30 dollars: 20 of them for 400,000 shares, 2.5 for credits of 4 dollars of use."""
    await page.get_by_label("Price of everything").fill("30")
    await page.get_by_label("How many shares go with it").fill("400000")
    await page.get_by_label("Of the price, for the shares").fill("20")
    await page.get_by_label("Credits that go with it").fill("4")
    await page.get_by_label("Of the price, for the credits").fill("2.5")


async def test_a_whole_service_is_bought_and_sold_between_two_phones(town: TradeTown, browser, root):
    client, dollar, passes = town.world.installation.client, town.world.dollar, town.passes
    plan = await town.plan(9 * DOLLAR, 10 * CREDIT)
    seller, buyer = [InjectedWallet(await town.world.account(40), node=client) for _ in range(2)]
    sellers, buyers = (address(each.account.address) for each in (seller, buyer))
    await town.give_title(sellers)
    await town.give(sellers, 1_000_000 * SHARE)
    await town.give_credits(sellers, plan)
    await town.world.devnet.set_balance(sellers, 10**18)  # approvals and a cancellation need coins, a sale does not
    price, for_credits, for_title = 30 * DOLLAR, 2_500_000, 7_500_000
    fee = price * (await town.exchange.protocol_fee()).bps // 10_000
    royalty = for_credits * ROYALTY_BPS // 10_000 + for_title * ROYALTY_BPS // 10_000
    async with visit(browser, "about:blank", **PHONE) as sold, visit(browser, "about:blank", **PHONE) as bought:
        await enter(sold.page, root, seller, "titles")
        await fill_bundle(sold.page)
        gets = f"{(price - fee - royalty) / DOLLAR:.6f}".rstrip("0")
        await expect(sold.page.locator("form[data-title] output")).to_have_text(["7.5", gets])
        await publish_offer(sold.page)
        await enter(bought.page, root, buyer, "titles")
        page = bought.page
        await expect(page.get_by_text("400,000 revenue shares, 0.4% of all")).to_be_visible()
        await expect(page.get_by_text("Prepaid credits for 4 tUSD of use")).to_be_visible()
        await expect(page.get_by_text("You are not the owner of this service.")).to_be_visible()
        await expect(page.get_by_text("the royalty of the sale books the income")).to_be_visible()
        await page.get_by_role("button", name="Sign and buy").click()
        await yes(page).dblclick()
        await expect(page.get_by_text(BOUGHT)).to_be_visible()
        await expect(page.get_by_label("Price of everything")).to_be_visible()
        assert buyer.signed.count("eth_signTypedData_v4") == 1

        await sold.page.reload()
        await expect(sold.page.locator("td", has_text="30")).to_be_visible()
        await expect(sold.page.get_by_role("button", name="Cancel the offer")).to_have_count(0)
        assert [*sold.problems, *bought.problems] == []
    assert await town.titles.owner_of(town.asset) == buyers
    assert [await town.shares.balance_of(each) for each in (sellers, buyers)] == [600_000 * SHARE, 400_000 * SHARE]
    assert [await passes.balance_of(each, plan) for each in (sellers, buyers)] == [6 * CREDIT, 4 * CREDIT]
    assert await dollar.balance_of(buyers) == 40 * DOLLAR - price
    assert await dollar.balance_of(sellers) == 40 * DOLLAR + price - fee - royalty
    assert await dollar.balance_of(town.exchange.address) == fee
    assert await dollar.balance_of(town.shares.address) == royalty


async def test_a_passkey_sells_its_title_and_another_buys_it_and_looks_after_the_service(
    town: TradeTown, browser, root
):
    local = root.replace("127.0.0.1", "localhost")
    async with visit(browser, "about:blank", **PHONE) as sold, visit(browser, "about:blank", **PHONE) as bought:
        page, buyers = sold.page, bought.page
        seller = await passkey_wallet(page, local)
        await town.give_title(seller)
        for price in ("50", "60"):  # the approval still holds: the passkey signs the second offer alone
            await page.goto(f"{local}/titles/{NAME}")
            await page.get_by_label("Price of everything").fill(price)
            await publish_offer(page)
        await page.get_by_role("button", name="Cancel the offer").first.click()
        await agree(page)
        await expect(page.get_by_text("Your offer is cancelled.")).to_be_visible()
        buyer = await passkey_wallet(buyers, local)
        await buyers.goto(f"{local}/titles/{NAME}")
        await buyers.get_by_role("button", name="Sign and buy").click()
        await agree(buyers)
        await expect(buyers.get_by_text(BOUGHT)).to_be_visible()
        await expect(buyers.get_by_label("Price of everything")).to_be_visible()
        await buyers.goto(f"{local}/desk")
        await expect(buyers.get_by_role("link", name=NAME)).to_be_visible()
        await page.reload()
        await expect(page.get_by_text("You are not the owner of this service.")).to_be_visible()
    assert await town.titles.owner_of(town.asset) == buyer
    spent = 100 * DOLLAR - await town.world.dollar.balance_of(buyer)
    assert spent in (50 * DOLLAR, 60 * DOLLAR)


async def test_a_passkey_signs_no_other_offer_or_approval_of_a_title(town: TradeTown, browser, root):
    local = root.replace("127.0.0.1", "localhost")
    plan = await town.plan(9 * DOLLAR, 10 * CREDIT)
    async with visit(browser, "about:blank", **PHONE) as shown:
        page = shown.page
        account = await passkey_wallet(page, local)
        await town.give_title(account)
        await town.give(account, 400_000 * SHARE)
        await town.give_credits(account, plan)
        await page.goto(f"{local}/titles/{NAME}")
        await fill_bundle(page)

        def items(asked) -> list:
            message = asked["offer"]["document"]["message"]
            return [message["item"], *message["more"]]

        def with_more_shares(asked) -> None:
            next(each for each in items(asked) if each["kind"] == "0")["amount"] = str(1_000_000 * SHARE)

        def with_a_cheaper_title(asked) -> None:
            next(each for each in items(asked) if each["kind"] == "1")["price"] = "1"

        def without_credits(asked) -> None:
            message = asked["offer"]["document"]["message"]
            message["more"] = message["more"][:1]

        def of_other_credits(asked) -> None:
            next(each for each in items(asked) if each["kind"] == "2")["id"] = str(plan ^ 1)

        def in_parts(asked) -> None:
            asked["offer"]["document"]["message"]["divisible"] = True

        def of_another_contract(asked) -> None:
            asked["approvals"][0]["to"] = "0x" + "66" * 20

        def for_another(asked) -> None:
            change_word(0, asked, of="approvals")

        altering = (with_more_shares, with_a_cheaper_title, without_credits, of_other_credits, in_parts)
        for altered in (*altering, of_another_contract, for_another):
            await refused_when(page, "**/v1/offers/requests", altered, "Sign and offer")
    assert int(await town.titles.get_approved(town.asset), 16) == 0
    assert await town.shares.allowance(account, town.exchange.address) == 0


async def test_an_offer_that_its_seller_can_no_longer_keep_is_shown_as_such(town: TradeTown, browser, root):
    seller = await town.trader(dollars=0)
    await town.give_title(seller.address)
    assert (await seller.offer_title(10 * DOLLAR)).status_code == 201
    wallet = InjectedWallet(await town.world.account(40), node=town.world.installation.client)
    async with visit(browser, "about:blank", **PHONE) as shown:
        await enter(shown.page, root, wallet, "titles")
        await expect(shown.page.get_by_role("button", name="Sign and buy")).to_be_visible()
        await town.act(seller.address, town.titles.transfer_from(seller.address, FEE_SINK, town.asset))
        await shown.page.get_by_role("button", name="Sign and buy").click()
        await agree(shown.page)
        await expect(shown.page.locator("#toasts")).to_contain_text("The seller no longer holds what this offer sells.")
        await shown.page.reload()
        await expect(shown.page.get_by_text("the seller no longer has all of it")).to_be_visible()
        await expect(shown.page.get_by_role("button", name="Sign and buy")).to_have_count(0)
        assert "eth_signTypedData_v4" not in wallet.signed
    assert await town.world.balance(wallet.account) == 40 * DOLLAR


async def test_the_page_keeps_every_budget_and_is_german(town: TradeTown, browser, root):
    await check_page(browser, f"{root}/titles/{NAME}")
    plan = await town.plan(9 * DOLLAR, 10 * CREDIT)
    seller, buyer = await town.trader(shares=1_000 * SHARE, dollars=0), await town.trader()
    await town.give_title(seller.address)
    await town.give_credits(seller.address, plan)
    made = await seller.offer_title(10 * DOLLAR)
    assert (await buyer.buy(made.json()["offer"], 0)).status_code == 200
    await town.give_credits(buyer.address, plan)
    await town.give(buyer.address, 1_000 * SHARE)
    more = [{"amount": str(1_000 * SHARE), "price": str(3 * DOLLAR)}]
    assert (await buyer.offer_title(90 * DOLLAR, more)).status_code == 201
    card = await town.titles.price_card(town.asset)
    await town.act(buyer.address, town.titles.set_price_card(town.asset, replace(card, input_per_million=7, version=2)))
    await town.act(buyer.address, town.titles.retire(town.asset))
    await check_page(browser, f"{root}/titles/{NAME}")
    await check_german_page(browser, root, "titles", buyer, f"Das Eigentümer-NFT von {NAME}")
    await check_link(browser, root, "titles", "Buy and sell the owner NFT")
