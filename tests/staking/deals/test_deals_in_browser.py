"""A person with a phone reads a deal, pays in by passkey or wallet, and gets tokens and what was too much."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from tests.staking.deals.deal_town import HOUR, ISSUER, DealTown, address_of
from tests.support.altered_answer import change_word, refused_when
from tests.support.browser import PHONE, chromium, needs_chromium, visit
from tests.support.devnet import Devnet
from tests.support.devnet_template import DevnetTemplate
from tests.support.gateway_server import served
from tests.support.injected_wallet import InjectedWallet
from tests.support.page_budgets import check_page
from tests.support.passkey_wallet import passkey_wallet
from tests.support.staked_economy import ANN, DOLLAR, TOKEN
from usufruct.app import Installation, open_installation
from usufruct.chain.contracts.deal_room import DealRoom
from usufruct.chain.contracts.erc20 import Erc20
from usufruct.chain.contracts.platform_token import PlatformToken
from usufruct.chain.contracts.test_dollar import TestDollar
from usufruct.core import DAY_SECONDS, Address, address

pytestmark = [pytest.mark.anvil, needs_chromium]

HINTS = ("pubKeyCredParams", "409")  # a hint of chromium's; refusals that a test wants


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as opened:
        yield opened


@pytest.fixture
def town(devnet_template: DevnetTemplate, tmp_path: Path) -> Iterator[DealTown]:
    with devnet_template.copy(tmp_path) as anvil:
        yield DealTown(tmp_path, anvil.url)


@asynccontextmanager
async def gateway(town: DealTown, shown: str = "all") -> AsyncIterator[tuple[Installation, str]]:
    own = town.commands.own | {"USUFRUCT_PLATFORM_TOKEN_DEALS": shown}
    async with (
        open_installation(type(town.commands)(own).config) as installation,
        served(installation.router()) as (_, url, _),
    ):
        yield installation, url.removesuffix("/v1").replace("127.0.0.1", "localhost")


async def held(installation: Installation, account: Address) -> tuple[int, int]:
    tokens, dollars = (
        Erc20(installation.deployments.address(kind), installation.client) for kind in (PlatformToken, TestDollar)
    )
    return await tokens.balance_of(account), await dollars.balance_of(account)


def open_to_all(town: DealTown, hard_cap: str = "100") -> str:
    """Create a deal of 1,000 tokens whose levels may all pay in 80 dollars, and open it."""
    soon = town.at(HOUR)
    terms = {"for_sale": "1000", "hard_cap": hard_cap, "soft_cap": "50"}
    deal = town.create(**terms, levels=[f"0=80@{soon}"])
    town.go_to(HOUR)
    return deal


async def test_a_passkey_pays_in_once_and_gets_its_part_and_the_rest_back(town: DealTown, browser: Browser):
    deal = await asyncio.to_thread(open_to_all, town)
    async with gateway(town) as (installation, root), visit(browser, "about:blank", **PHONE) as shown:
        page, devnet = shown.page, Devnet(installation.client)
        account = await passkey_wallet(page, root)
        await page.goto(f"{root}/deals")
        await page.get_by_role("link", name="1,000 EXM for sale").click()
        await expect(page.get_by_text("This is not advice", exact=False)).to_be_visible()
        field, button = page.get_by_label("How much to pay in"), page.get_by_role("button", name="Pay in", exact=True)
        await field.fill("40")
        await expect(page.locator("#preview")).to_contain_text("Once that is reached, it buys 400 EXM")
        await field.fill("80")
        await expect(page.locator("#preview")).to_contain_text("would bring 800 EXM")
        await button.dblclick()
        await expect(page.get_by_text("Your payment is in.")).to_be_visible()
        assert await held(installation, account) == (0, 20 * DOLLAR), "paid once"
        await expect(page.get_by_text("You have paid in as much as your level may.")).to_be_visible()
        await asyncio.to_thread(town.deal, "subscribe", deal, "80", wallet=ANN)
        await page.reload()
        await expect(page.get_by_text("you would get 500 EXM, and 30 tUSD back")).to_be_visible()

        await devnet.pass_time(2 * DAY_SECONDS)
        await page.reload()
        await expect(page.get_by_text("The first tokens can be claimed on")).to_be_visible()
        await page.get_by_role("button", name="Take 30 tUSD back").dblclick()
        await expect(page.get_by_text("Your refund is paid.")).to_be_visible()
        assert await held(installation, account) == (0, 50 * DOLLAR)
        await devnet.pass_time(100 * DAY_SECONDS)
        await page.reload()
        await page.get_by_role("button", name="Claim 500 EXM").click()
        await expect(page.get_by_text("Your tokens are paid.")).to_be_visible()
        assert await held(installation, account) == (500 * TOKEN, 50 * DOLLAR)
        await expect(page.get_by_role("listitem").filter(has_text="claimed: 500 EXM")).to_be_visible()
        assert [each for each in shown.problems if not any(hint in each for hint in HINTS)] == []


async def test_a_passkey_signs_nothing_that_the_page_does_not_say(town: DealTown, browser: Browser):
    deal = await asyncio.to_thread(open_to_all, town)
    async with gateway(town) as (installation, root), visit(browser, "about:blank", **PHONE) as shown:
        page = shown.page
        account = await passkey_wallet(page, root)
        await page.goto(f"{root}/deals/{deal}")
        await page.get_by_label("How much to pay in").fill("40")

        def swapped(old: str, new: str) -> Any:
            def alter(asked: Any) -> None:
                message = asked["request"]["document"]["message"]
                assert old in message["callData"]
                message["callData"] = message["callData"].replace(old, new)

            return alter

        room, dollar = installation.deployments.address(DealRoom)[2:], installation.deployments.address(TestDollar)[2:]
        for altered in (
            swapped(f"{40 * DOLLAR:064x}", f"{80 * DOLLAR:064x}"),
            swapped(deal[2:], "12" * 32),
            swapped(room, "66" * 20),
            swapped(dollar, "66" * 20),
        ):
            await refused_when(page, "**/calls", altered, "Pay in")
        assert await held(installation, account) == (0, 100 * DOLLAR)


async def test_a_wallet_sends_an_approval_and_the_payment_and_nothing_else(town: DealTown, browser: Browser):
    deal = await asyncio.to_thread(open_to_all, town)
    async with gateway(town) as (installation, root), visit(browser, "about:blank", **PHONE) as shown:
        page, devnet = shown.page, Devnet(installation.client)
        wallet = InjectedWallet(node=installation.client)
        account = address(wallet.account.address)
        dollar = TestDollar(installation.deployments.address(TestDollar))
        await devnet.set_balance(account, 10**18)
        await devnet.send_as(account, dollar.mint(account, 100 * DOLLAR))
        await wallet.inject(page)
        await page.goto(f"{root}/account")
        await page.get_by_role("button", name="Test Wallet").click()
        await expect(page.get_by_text("Your wallet holds 100")).to_be_visible()
        await page.goto(f"{root}/deals/{deal}")
        await page.get_by_label("How much to pay in").fill("60")
        for place, word in ((0, 0), (0, 1), (1, 0), (1, 1)):
            await refused_when(
                page, "**/calls", lambda asked, word=word, place=place: change_word(word, asked, place), "Pay in"
            )
        await page.get_by_role("button", name="Pay in", exact=True).click()
        await expect(page.get_by_text("Your payment is in.")).to_be_visible()
        assert len(wallet.transactions) == 2
        assert await held(installation, account) == (0, 40 * DOLLAR)


async def test_the_pages_keep_every_budget_and_speak_german(town: DealTown, browser: Browser):
    deal = await asyncio.to_thread(open_to_all, town)
    async with gateway(town) as (_, root):
        for path in ("/deals", f"/deals/{deal}"):
            await check_page(browser, root + path)
        async with visit(browser, f"{root}/deals/{deal}", **PHONE, locale="de-DE") as shown:
            await expect(shown.page.get_by_text("Das ist kein Rat", exact=False)).to_be_visible()
            await expect(shown.page.get_by_role("link", name="Anmelden")).to_be_visible()


async def test_without_deals_the_list_says_so(town: DealTown, browser: Browser):
    async with gateway(town, address_of(ISSUER)) as (_, root), visit(browser, f"{root}/deals", **PHONE) as shown:
        await expect(shown.page.get_by_text("No deals now")).to_be_visible()
