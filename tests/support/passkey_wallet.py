"""A passkey wallet made on a page, as a person with a phone makes one."""

from playwright.async_api import Page, expect

from tests.support.virtual_authenticator import VirtualAuthenticator
from usufruct.core import Address, address


async def passkey_wallet(page: Page, root: str) -> Address:
    """Make a passkey wallet with 100 test dollars at `root`, whose host is `localhost`, and return its address."""
    await VirtualAuthenticator.add(page)
    await page.goto(f"{root}/account")
    await page.get_by_role("button", name="Create a wallet with a passkey").click()
    await page.get_by_role("button", name="Get 100 test dollars").click()
    await expect(page.get_by_text("Your wallet holds 100")).to_be_visible()
    return address(await page.locator(".address code").first.text_content())
