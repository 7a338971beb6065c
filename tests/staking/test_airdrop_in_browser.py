"""A list becomes an airdrop by two commands, and a visitor without a wallet claims on a phone, by one tap."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import expect

from tests.staking.airdrop_samples import write_csv
from tests.staking.airdrop_town import DAYS, ENTRIES, NAMES, TREASURY, AirdropTown, airdrop_town
from tests.support import command_line
from tests.support.browser import PHONE, chromium, needs_chromium, visit
from tests.support.gateway_server import served
from tests.support.page_budgets import check_page
from usufruct.app import open_installation, set_up_devnet
from usufruct.chain.contracts.platform_token import PlatformToken
from usufruct.chain.keys import DEVNET_ADDRESSES, Role, signer_of
from usufruct.core import Address, checksum
from usufruct.staking.airdrop_claims import AirdropClaims

pytestmark = [pytest.mark.anvil, needs_chromium]

MINE = ENTRIES[0]


@pytest.fixture
async def browser():
    async with chromium() as opened:
        yield opened


@pytest.fixture
async def town(devnet_template, tmp_path) -> AsyncIterator[AirdropTown]:
    async with airdrop_town(devnet_template, tmp_path) as opened:
        yield opened


@pytest.fixture
async def url(town: AirdropTown) -> AsyncIterator[str]:
    async with served(town.installation.router()) as (_, url, _):
        yield url.removesuffix("/v1")


async def test_from_a_list_to_tokens_that_a_visitor_claimed(devnet_template, tmp_path, browser):
    """Build, deploy, serve, check, claim; after the deadline the page says where the rest goes."""
    account, amount = MINE
    async with devnet_template.running(tmp_path) as anvil:
        own = command_line.settings(tmp_path, anvil.url) | NAMES
        commands = command_line.Commands(own)
        place = (await set_up_devnet(commands.config)).address(PlatformToken)
        source = str(write_csv(tmp_path, ENTRIES))

        def prepare() -> str:
            file = commands.json("airdrop", "build", source, "--cap", "1000000")["file"]
            end = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
            owner = str(DEVNET_ADDRESSES.index(signer_of(Role.OWNER, commands.config).address))
            terms = ("--until", end, "--treasury", TREASURY, "--wallet", owner)
            return commands.json("airdrop", "deploy", file, *terms)["setting"]

        setting = await asyncio.to_thread(prepare)
        own["USUFRUCT_PLATFORM_TOKEN_AIRDROPS"] = setting.partition("= ")[2].strip('"')
        async with (
            open_installation(commands.config) as installation,
            served(installation.router()) as (_, base, _),
            visit(browser, base.removesuffix("/v1"), **PHONE) as shown,
        ):
            page, result = shown.page, shown.page.locator("#result")
            await page.locator("summary", has_text="Economy").click()
            await page.get_by_role("link", name="Airdrop", exact=True).click()
            await page.get_by_label("Address").fill(TREASURY)
            await page.get_by_role("button", name="Check").click()
            await expect(result).to_contain_text("This address gets nothing")
            await page.get_by_label("Address").fill(checksum(Address(account)))
            await page.get_by_role("button", name="Check").click()
            await expect(result).to_contain_text("ready to claim")
            await page.get_by_role("button", name="Claim").click()
            await expect(result).to_contain_text("The tokens went to this address.")
            token = PlatformToken(place, installation.client)
            assert await token.balance_of(Address(account)) == amount
            await expect(result).to_contain_text("Transaction: 0x")
            await page.reload()
            await expect(result.get_by_text("claimed", exact=True)).to_be_visible()
            await expect(result.get_by_role("button", name="Claim")).to_have_count(0)

            town = AirdropTown(installation, tmp_path, installation.get(AirdropClaims).served[0].place)
            await town.devnet.pass_time(DAYS + 86_400)
            await page.reload()
            await expect(result.get_by_text("claimed", exact=True)).to_be_visible()
            await page.get_by_label("Address").fill(ENTRIES[1][0])
            await page.get_by_role("button", name="Check").click()
            await expect(result).to_contain_text("not claimed in time")
            await expect(result).to_contain_text(TREASURY)
            await expect(page.locator(".cards")).to_contain_text("The rest goes to the treasury")
            assert shown.problems == []


async def test_the_page_keeps_every_budget(town: AirdropTown, url: str, browser):
    for path in ("/airdrop", f"/airdrop?account={MINE[0]}", "/airdrop?account=0x12", f"/airdrop?account={TREASURY}"):
        await check_page(browser, url + path)


async def test_a_visitor_without_scripts_reads_german_and_claims(town: AirdropTown, url: str, browser):
    account, amount = MINE
    german = {"java_script_enabled": False, "locale": "de-DE"}
    async with visit(browser, f"{url}/airdrop", **PHONE, **german) as shown:
        page, result = shown.page, shown.page.locator("#result")
        await page.get_by_label("Adresse").fill("0x12")
        await page.get_by_role("button", name="Prüfen").click()
        await expect(result).to_contain_text("Das ist keine Adresse")
        await page.get_by_label("Adresse").fill(account)
        await page.get_by_role("button", name="Prüfen").click()
        await expect(result).to_contain_text("bereit zum Abholen")
        await page.get_by_role("button", name="abholen").click()
        await expect(result).to_contain_text("Die Token sind an diese Adresse gegangen.")
    assert await town.token.balance_of(Address(account)) == amount


async def test_the_page_says_why_an_entry_is_not_paid(town: AirdropTown, url: str, browser):
    held = await town.token.balance_of(town.place)
    await town.move_tokens(held)
    async with visit(browser, f"{url}/airdrop?account={MINE[0]}", **PHONE) as shown:
        page, result = shown.page, shown.page.locator("#result")
        await expect(result).to_contain_text("waits for tokens")
        await expect(result.get_by_role("button")).to_have_count(0)
        await town.move_tokens(held, back=True)
        await page.reload()
        await expect(result).to_contain_text("ready to claim")
        await town.move_tokens(held)
        await page.get_by_role("button", name="Claim").click()
        await expect(page.locator("#toasts")).to_contain_text("The airdrop does not hold enough tokens now.")


async def test_a_signed_in_account_is_checked_at_once(town: AirdropTown, url: str, browser):
    async with visit(browser, f"{url}/account", **PHONE) as shown:
        signed_in = await shown.page.request.post(f"{url}/v1/sessions/demo", data={})
        assert signed_in.ok
        await shown.page.goto(f"{url}/airdrop")
        await expect(shown.page.locator("#result")).to_contain_text("This address gets nothing")
        await expect(shown.page.get_by_label("Address")).to_have_value(DEVNET_ADDRESSES[4])
