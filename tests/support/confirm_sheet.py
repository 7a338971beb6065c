"""The sheet that asks before something is spent or ended for good, as a person answers it."""

from playwright.async_api import Locator, Page, expect


def yes(page: Page) -> Locator:
    """Return the open sheet's one action."""
    return page.locator("#sure .actions [type=submit]")


async def agree(page: Page) -> None:
    """Say yes, once; the sheet goes."""
    await yes(page).click()
    await expect(page.locator("#sure")).to_have_count(0)
