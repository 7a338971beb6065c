"""Shares bought and sold between two browsers, in Debian's chromium: both balances and the income to the unit."""

import pytest
from playwright.async_api import expect

from tests.support.altered_answer import change_word, refused_when
from tests.support.browser import DESKTOP, PHONE, needs_chromium, visit
from tests.support.confirm_sheet import agree, yes
from tests.support.injected_wallet import InjectedWallet
from tests.support.page_budgets import check_page
from tests.support.passkey_wallet import passkey_wallet
from tests.support.trade_pages import check_german_page, check_link, enter, publish_offer
from tests.support.trade_town import NAME, SHARE, TradeTown
from tests.support.waiting import until
from usufruct.core import address

pytestmark = [needs_chromium, pytest.mark.anvil]

DOLLAR = 10**6


async def offer(page, amount: str, price: str) -> None:
    await page.get_by_label("How many shares").last.fill(amount)
    await page.get_by_label("Price of all of them").fill(price)
    await publish_offer(page)


async def test_shares_are_bought_and_sold_between_two_browsers(town: TradeTown, browser, root):
    client = town.world.installation.client
    seller, buyer = [InjectedWallet(await town.world.account(40), node=client) for _ in range(2)]
    sellers, buyers = (address(each.account.address) for each in (seller, buyer))
    await town.give(sellers, 1_000_000 * SHARE)
    await town.earn(500 * DOLLAR)
    income = await town.shares.pending(sellers, town.world.dollar.address)
    async with visit(browser, "about:blank", **DESKTOP) as sold, visit(browser, "about:blank", **PHONE) as bought:
        await enter(sold.page, root, seller, "shares")
        await expect(sold.page.get_by_text("1,000,000", exact=True)).to_be_visible()
        await offer(sold.page, "1000000", "50")
        await enter(bought.page, root, buyer, "shares")
        page = bought.page
        await page.get_by_text("Buy", exact=True).click()
        await page.get_by_label("How many shares").fill("500000")
        await expect(page.locator("form output")).to_have_text("25")
        await page.get_by_role("button", name="Sign and buy").click()
        await yes(page).dblclick()
        await expect(page.get_by_text("You have bought the shares.")).to_be_visible()
        await expect(page.get_by_text("500,000", exact=True).first).to_be_visible()
        assert buyer.signed.count("eth_signTypedData_v4") == 1

        await sold.page.reload()
        await expect(sold.page.locator("td", has_text="25")).to_be_visible()
        await town.world.devnet.set_balance(sellers, 10**18)  # only a cancellation needs coins
        await sold.page.get_by_role("button", name="Cancel the offer").click()
        await agree(sold.page)
        await expect(sold.page.get_by_text("Your offer is cancelled.")).to_be_visible()
        assert [*sold.problems, *bought.problems] == []
    fee = 25 * DOLLAR * (await town.exchange.protocol_fee()).bps // 10_000
    dollar = town.world.dollar
    assert await dollar.balance_of(buyers) == 15 * DOLLAR
    assert await dollar.balance_of(sellers) == 65 * DOLLAR - fee
    assert await dollar.balance_of(town.exchange.address) == fee
    assert await dollar.balance_of(town.shares.address) == 500 * DOLLAR
    assert await town.shares.balance_of(buyers) == await town.shares.balance_of(sellers) == 500_000 * SHARE
    pending = [await town.shares.pending(each, dollar.address) for each in (sellers, buyers)]
    assert pending == [income // 2, income // 2]


async def test_a_purchase_is_resumed_after_the_network_was_lost(town: TradeTown, browser, root):
    """The answer never comes, the page is loaded again, in a second tab too: one purchase."""
    seller = await town.trader(shares=1_000 * SHARE)
    assert (await seller.offer(1_000 * SHARE, 10 * DOLLAR)).status_code == 201
    wallet = InjectedWallet(await town.world.account(40), node=town.world.installation.client)
    async with visit(browser, "about:blank", **PHONE) as shown:
        page = shown.page
        await enter(page, root, wallet, "shares")
        other = await page.context.new_page()
        await wallet.inject(other)
        await other.goto(f"{root}/shares/{NAME}")
        lost = []

        async def lose(route) -> None:
            lost.append(await route.fetch())  # it reaches the server, and the answer is lost
            await route.abort()

        await page.route("**/v1/purchases", lose)
        await page.get_by_text("Buy", exact=True).click()
        await page.get_by_label("How many shares").fill("100")
        await page.get_by_role("button", name="Sign and buy").click()
        await agree(page)
        await expect(page.get_by_role("button", name="Sign and buy")).to_be_disabled()

        async def arrived() -> bool:
            return bool(lost)

        await until(arrived)
        await page.reload()
        await expect(page.get_by_text("What you signed here before is being finished.")).to_be_visible()
        await page.unroute_all(behavior="ignoreErrors")
        await expect(page.get_by_text("You have bought the shares.")).to_be_visible()
        await other.get_by_text("Buy", exact=True).click()
        await other.get_by_label("How many shares").fill("100")
        await other.get_by_role("button", name="Sign and buy").click()
        await agree(other)
        await expect(other.locator("#toasts")).to_contain_text("You have bought of this offer meanwhile.")
    assert await town.shares.balance_of(address(wallet.account.address)) == 100 * SHARE
    assert await town.world.balance(wallet.account) == 39 * DOLLAR


async def test_a_page_that_asks_for_more_is_not_signed_for(town: TradeTown, browser, root):
    seller = await town.trader(shares=1_000 * SHARE)
    assert (await seller.offer(1_000 * SHARE, 10 * DOLLAR)).status_code == 201
    wallet = InjectedWallet(await town.world.account(40), node=town.world.installation.client)
    async with visit(browser, "about:blank", **PHONE) as shown:
        page = shown.page
        await enter(page, root, wallet, "shares")

        async def more(route) -> None:
            answer = await route.fetch()
            asked = await answer.json()
            asked["request"]["document"]["message"]["value"] = "30000000"
            await route.fulfill(response=answer, json=asked)

        await page.route("**/v1/purchases/requests", more)
        await page.get_by_text("Buy", exact=True).click()
        await page.get_by_role("button", name="Sign and buy").click()
        await agree(page)
        await expect(page.locator("#toasts")).to_contain_text("The server asked to sign something else.")
        assert "eth_signTypedData_v4" not in wallet.signed
        await page.unroute("**/v1/purchases/requests")
        await page.get_by_label("At most").fill("9.99")
        await page.get_by_role("button", name="Sign and buy").click()
        await agree(page)
        await expect(page.locator("#toasts")).to_contain_text("The price is above the most that you would pay.")


async def test_a_passkey_sells_shares_and_cancels(town: TradeTown, browser, root):
    local = root.replace("127.0.0.1", "localhost")
    buyer = await town.trader(dollars=40)
    async with visit(browser, "about:blank", **PHONE) as shown:
        page = shown.page
        account = await passkey_wallet(page, local)
        await town.give(account, 1_000 * SHARE)
        await page.goto(f"{local}/shares/{NAME}")
        await offer(page, "1000", "10")
        [found] = (await buyer.http.get(f"/shares/{town.asset_text}/offers")).json()["offers"]
        assert (await buyer.buy(found["offer"], 400 * SHARE)).status_code == 200
        await page.reload()
        await expect(page.get_by_text("600", exact=True).first).to_be_visible()
        await page.get_by_role("button", name="Cancel the offer").click()
        await agree(page)
        await expect(page.get_by_text("Your offer is cancelled.")).to_be_visible()
        await offer(page, "600", "6")  # the approval still holds: the passkey signs the offer alone
    refused = await buyer.ask(found["offer"], 1 * SHARE, bought=400 * SHARE)
    assert refused.status_code == 409
    fee = 4 * DOLLAR * (await town.exchange.protocol_fee()).bps // 10_000
    assert await town.shares.balance_of(account) == 600 * SHARE
    assert await town.shares.balance_of(buyer.address) == 400 * SHARE
    assert await town.world.dollar.balance_of(account) == 104 * DOLLAR - fee
    assert await town.world.dollar.balance_of(buyer.address) == 36 * DOLLAR


def as_payment(asked) -> None:
    """What is signed is a payment, which also has the members that a page looks at."""
    document = asked["document"]
    document["primaryType"] = "ReceiveWithAuthorization"
    document["types"]["ReceiveWithAuthorization"] = [{"name": "to", "type": "address"}]
    document["message"]["to"] = "0x" + "66" * 20


def with_gas(asked) -> None:
    asked["document"]["message"]["gasFees"] = "0x" + "00" * 31 + "01"


def with_hidden_calls(asked) -> None:
    """The type's text is that of an operation; the calls that are shown are not those that are hashed."""
    document = asked["document"]
    fields = document["types"]["PackedUserOperation"]
    at = [each["name"] for each in fields].index("callData")
    fields[at : at + 2] = [{"name": fields[at + 1]["name"], "type": "bytes callData,bytes32"}]
    document["message"][fields[at]["name"]] = "0x" + "66" * 64


async def test_a_passkey_signs_no_other_approval(town: TradeTown, browser, root):
    local = root.replace("127.0.0.1", "localhost")
    async with visit(browser, "about:blank", **PHONE) as shown:
        page = shown.page
        account = await passkey_wallet(page, local)
        await town.give(account, 1_000 * SHARE)
        await page.goto(f"{local}/shares/{NAME}")

        def another(asked) -> None:
            change_word(0, asked, of="approvals")

        def for_ever(asked) -> None:
            asked["offer"]["document"]["message"]["expiry"] = str(2**64 - 1)

        await page.get_by_label("How many shares").last.fill("10")
        await page.get_by_label("Price of all of them").fill("1")
        for altered in (another, for_ever):
            await refused_when(page, "**/v1/offers/requests", altered, "Sign and offer")
    assert await town.shares.allowance(account, town.exchange.address) == 0


async def test_a_passkey_buys_shares(town: TradeTown, browser, root):
    seller = await town.trader(shares=1_000 * SHARE)
    assert (await seller.offer(1_000 * SHARE, 10 * DOLLAR)).status_code == 201
    local = root.replace("127.0.0.1", "localhost")
    async with visit(browser, "about:blank", **PHONE) as shown:
        page = shown.page
        account = await passkey_wallet(page, local)
        await page.goto(f"{local}/shares/{NAME}")
        await page.get_by_text("Buy", exact=True).click()
        await page.get_by_role("button", name="Sign and buy").click()
        await agree(page)
        await expect(page.get_by_text("You have bought the shares.")).to_be_visible()
    assert await town.shares.balance_of(account) == 1_000 * SHARE
    assert await town.world.dollar.balance_of(account) == 90 * DOLLAR


async def test_a_wallet_collects_the_income_of_its_shares(town: TradeTown, browser, root):
    wallet = InjectedWallet(await town.world.account(0), node=town.world.installation.client)
    holder, dollar = address(wallet.account.address), town.world.dollar
    await town.give(holder, 1_000_000 * SHARE)
    await town.earn(500 * DOLLAR)
    await town.world.devnet.set_balance(holder, 10**18)
    due = await town.shares.pending(holder, dollar.address)
    async with visit(browser, "about:blank", **PHONE) as shown:
        await enter(shown.page, root, wallet, "shares")
        await shown.page.get_by_role("button", name="Collect the income").dblclick()
        await expect(shown.page.get_by_text("Your income is in your wallet.")).to_be_visible()
        await expect(shown.page.get_by_role("button", name="Collect the income")).to_have_count(0)
        assert shown.problems == []
    assert await dollar.balance_of(holder) == due > 0


async def test_a_passkey_collects_the_income_and_signs_nothing_else(town: TradeTown, browser, root):
    local, dollar = root.replace("127.0.0.1", "localhost"), town.world.dollar
    async with visit(browser, "about:blank", **PHONE) as shown:
        page = shown.page
        account = await passkey_wallet(page, local)
        await town.give(account, 1_000_000 * SHARE)
        await town.earn(500 * DOLLAR)
        due = await town.shares.pending(account, dollar.address)
        coins = await town.world.installation.client.balance(account)
        await page.goto(f"{local}/shares/{NAME}")

        def transfer(asked) -> None:
            asked["transactions"][0]["data"] = "0xa9059cbb" + asked["transactions"][0]["data"][10:]

        def to_another(asked) -> None:
            data = asked["transactions"][0]["data"]
            asked["transactions"][0]["data"] = data[:98] + "66" * 20 + data[138:]

        for altered in (transfer, to_another):
            await refused_when(page, "**/collection", altered, "Collect the income")
        for altered in (as_payment, with_gas, with_hidden_calls):
            await refused_when(page, "**/wallet/operations", altered, "Collect the income")
        assert await dollar.balance_of(account) == 100 * DOLLAR
        await page.get_by_role("button", name="Collect the income").click()
        await expect(page.get_by_text("Your income is in your wallet.")).to_be_visible()
    assert await dollar.balance_of(account) == 100 * DOLLAR + due > 100 * DOLLAR
    assert await town.world.installation.client.balance(account) == coins, "the relayer paid"


async def test_the_page_keeps_every_budget_and_is_german(town: TradeTown, browser, root):
    await check_page(browser, f"{root}/shares/{NAME}")
    seller = await town.trader(shares=1_000 * SHARE)
    buyer = await town.trader()
    made = await seller.offer(1_000 * SHARE, 10 * DOLLAR)
    for bought in (0, 10 * SHARE):
        assert (await buyer.buy(made.json()["offer"], 10 * SHARE, bought=bought)).status_code == 200
    assert (await seller.offer(100 * SHARE, 33 * DOLLAR)).status_code == 201
    await check_page(browser, f"{root}/shares/{NAME}")
    await check_german_page(browser, root, "shares", seller, f"Erlösanteile von {NAME}")
    await check_link(browser, root, "shares", "Buy and sell revenue shares")
