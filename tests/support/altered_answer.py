"""A server's answer that is altered on its way to a page, whose passkey must not sign what it asks for."""

from collections.abc import Callable
from typing import Any

from playwright.async_api import Page, Route, expect

from tests.support.confirm_sheet import agree


async def refused_when(
    page: Page, path: str, alter: Callable[[Any], None], button: str, *, asks_first: bool = False
) -> None:
    """Have an answer altered on its way: the page says so, and signs nothing. `asks_first`: its sheet wants a yes."""

    async def other(route: Route) -> None:
        answer = await route.fetch()
        asked = await answer.json()
        alter(asked)
        await route.fulfill(response=answer, json=asked)

    await page.route(path, other)
    await page.get_by_role("button", name=button).click()
    if asks_first:
        await agree(page)
    said = page.locator("#toasts .toast", has_text="The server asked to sign something else.")
    await expect(said).to_be_visible()
    await said.get_by_role("button").click()
    await expect(said).to_have_count(0)
    await page.unroute(path)


def change_word(index: int, asked: Any, transaction: int = 0, of: str = "transactions") -> None:
    """Count one up in a word of a transaction's data: the first 32 bytes after the selector are word 0."""
    altered = asked[of][transaction]
    start = 10 + 64 * index
    word = int(altered["data"][start : start + 64], 16) + 1
    altered["data"] = f"{altered['data'][:start]}{word:064x}{altered['data'][start + 64 :]}"
