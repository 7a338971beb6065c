"""What every page must keep, looked at in a real browser: weight, size, accessibility, width, keyboard."""

from collections.abc import Mapping
from typing import Any

from playwright.async_api import Browser

from tests.support.browser import NARROW, PHONE, visit

MOST_BYTES = 60 * 1024
MOST_SCRIPT_BYTES = 30_000
MOST_ELEMENTS = 1_500
MOST_SHIFT = 0.05


async def check_page(browser: Browser, url: str, **options: Any) -> None:
    """Assert every budget that does not depend on the machine's speed; `options`: more of `visit`'s."""
    await _check_on_phone(browser, url, options)
    await _check_narrow_in_german(browser, f"{url}{'&' if '?' in url else '?'}language=de", options)


async def _check_on_phone(browser: Browser, url: str, options: Mapping[str, Any]) -> None:
    origin = "/".join(url.split("/")[:3])
    async with visit(browser, url, **PHONE, **options) as phone:
        await phone.page.wait_for_load_state("networkidle")
        assert phone.problems == []
        assert [each for each in phone.requests if not each.startswith(f"{origin}/")] == []
        assert sum(phone.sizes.values()) <= MOST_BYTES, phone.sizes
        assert phone.sizes.get("Script", 0) <= MOST_SCRIPT_BYTES, phone.sizes
        assert await phone.elements() <= MOST_ELEMENTS
        assert await phone.layout_shift() <= MOST_SHIFT
        assert await phone.too_wide() <= 0
        assert await phone.small_targets() == []


async def _check_narrow_in_german(browser: Browser, url: str, options: Mapping[str, Any]) -> None:
    async with visit(browser, url, **NARROW, **options, reduced_motion="reduce") as narrow:
        await narrow.page.wait_for_load_state("networkidle")
        assert await narrow.too_wide() <= 0
        reached = await narrow.reached_by_keyboard()
        assert reached >= await narrow.page.locator("a:visible, button:visible:enabled, input:visible").count()
        faults = await narrow.accessibility_faults_in_both_schemes()
        assert faults == [], faults
        assert narrow.problems == []
