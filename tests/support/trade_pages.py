"""What browser tests of the trade pages share: a wallet's owner opens a page; the German page keeps its budgets."""

import re

from playwright.async_api import Browser, Page, expect

from tests.support.browser import DESKTOP, NARROW, visit
from tests.support.injected_wallet import InjectedWallet
from tests.support.trade_town import NAME, Trader


async def enter(page: Page, root: str, wallet: InjectedWallet, path: str) -> None:
    """Sign in with an injected wallet, and open a page of the service's trade: `shares`, `passes` or `titles`."""
    await wallet.inject(page)
    await page.goto(f"{root}/account")
    await page.get_by_role("button", name="Test Wallet").click()
    await expect(page.get_by_text("No keys yet")).to_be_visible()
    await page.goto(f"{root}/{path}/{NAME}")


async def publish_offer(page: Page) -> None:
    """Sign the offer that was filled in."""
    await page.get_by_role("button", name="Sign and offer").click()
    await expect(page.get_by_text("Your offer is published.")).to_be_visible()


async def check_german_page(browser: Browser, root: str, path: str, trader: Trader, heading: str) -> None:
    """Look at a trader's page in German, light and dark, on the narrowest screen."""
    cookies = [{"name": each.name, "value": each.value, "url": root} for each in trader.http.cookies.jar]
    signed_in = {"storage_state": {"cookies": cookies, "origins": []}}
    async with visit(browser, f"{root}/{path}/{NAME}?language=de", **NARROW, **signed_in) as shown:
        await expect(shown.page.get_by_role("heading", level=1)).to_have_text(heading)
        assert await shown.too_wide() <= 0
        assert await shown.small_targets() == []
        assert await shown.accessibility_faults_in_both_schemes() == []
        assert shown.problems == []


async def check_link(browser: Browser, root: str, path: str, link: str) -> None:
    """Find a page from the service's own, under who is paid."""
    async with visit(browser, f"{root}/s/{NAME}", **DESKTOP) as shown:
        await shown.page.get_by_role("heading", name="Who is paid", exact=True).last.scroll_into_view_if_needed()
        await shown.page.get_by_role("link", name=link).click()
        await expect(shown.page).to_have_url(re.compile(f"/{path}/{NAME}$"))
