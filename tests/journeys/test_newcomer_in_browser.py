"""A newcomer with a phone, from the first page to a checked receipt, in Debian's chromium: taps, scrolls and seconds.

`pytest -n 0 -s tests/journeys/test_newcomer_in_browser.py` prints them. The pictures are in the test's folder.
"""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Locator, Page, expect

from tests.support.browser import chromium, needs_chromium, visit
from tests.support.virtual_authenticator import VirtualAuthenticator
from tests.support.waiting import until
from tests.support.x402_installation import x402_installation

pytestmark = [needs_chromium, pytest.mark.anvil]

PIXEL_5 = {
    "viewport": {"width": 393, "height": 727},
    "screen": {"width": 393, "height": 851},
    "device_scale_factor": 2.75,
    "is_mobile": True,
    "has_touch": True,
    "user_agent": (
        "Mozilla/5.0 (Linux; Android 11; Pixel 5) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/141.0.0.0 Mobile Safari/537.36"
    ),
}
TAPS = 7
"""The service, a key, the account, the deposit, back to the service, send; and the check of the receipt."""

SEEN = """element => {
  const box = element.getBoundingClientRect();
  return box.top >= 0 && box.bottom <= innerHeight;
}"""


@pytest.fixture
async def root(devnet_template, tmp_path) -> AsyncIterator[str]:
    """The address of an installation on a local chain that sells one service and has no buyer yet."""
    async with x402_installation(devnet_template, tmp_path) as world:
        await world.sell("chat")
        async with httpx.AsyncClient(base_url=world.url, timeout=60) as http:

            async def listed() -> bool:
                return bool((await http.get("/services")).json()["total"])

            await until(listed)
        yield world.url.removesuffix("/v1").replace("127.0.0.1", "localhost")


@dataclass
class Finger:
    """Taps as a person does: what is tapped has to be there, and is scrolled to when it is out of sight."""

    page: Page
    pictures: Path
    taps: list[str] = field(default_factory=list)
    scrolls: list[str] = field(default_factory=list)
    _began: float = field(default_factory=time.monotonic)

    async def tap(self, target: Locator) -> None:
        """Tap something once it can be tapped."""
        await expect(target).to_be_enabled()
        name = " ".join((await target.inner_text()).split())
        self.taps.append(name)
        if not await target.evaluate(SEEN):
            self.scrolls.append(name)
        await self.picture()
        await target.tap()

    async def picture(self, what: str = "") -> None:
        """Take a picture of what the screen shows."""
        name = f"{len(self.taps):02}-{what or 'tap'}.png"
        await self.page.screenshot(path=self.pictures / name, animations="disabled")

    @property
    def seconds(self) -> float:
        """How long it has been going on."""
        return time.monotonic() - self._began


WORDS = {
    "en": {
        "key": "Get a key",
        "passkey": "Create a wallet with a passkey",
        "demo": "Use the demo account",
        "make": "Make the key",
        "made": "The deposit is made. The key works.",
        "try": "Copy it and try",
        "send": "Send",
        "verify": "Verify in this browser",
    },
    "de": {
        "key": "Schlüssel holen",
        "passkey": "Wallet mit Passkey anlegen",
        "demo": "Demokonto nutzen",
        "make": "Schlüssel anlegen",
        "made": "Die Einlage ist gemacht. Der Schlüssel funktioniert.",
        "try": "Kopieren und ausprobieren",
        "send": "Senden",
        "verify": "In diesem Browser prüfen",
    },
}


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("account", ["passkey", "demo"])
async def test_a_newcomer_pays_for_an_answer_and_checks_its_receipt(root, tmp_path, account, language):
    words = WORDS[language]
    options = PIXEL_5 | {"locale": language, "permissions": ["clipboard-read", "clipboard-write"]}
    async with chromium() as browser, visit(browser, "about:blank", **options) as shown:
        page = shown.page
        await VirtualAuthenticator.add(page)
        finger = Finger(page, tmp_path)
        await page.goto(root)
        await finger.tap(page.get_by_role("link", name="chat"))
        await finger.tap(page.get_by_role("link", name=words["key"]).first)
        await finger.tap(page.get_by_role("button", name=words[account]))
        await finger.tap(page.get_by_role("button", name=words["make"]))
        await expect(page.get_by_text(words["made"])).to_be_visible()
        key = await page.locator("#made-key").text_content()
        await finger.tap(page.get_by_role("button", name=words["try"]))
        await finger.tap(page.get_by_role("button", name=words["send"]))
        verify = page.get_by_role("button", name=words["verify"])
        await expect(verify).to_be_visible()
        seconds = finger.seconds
        await expect(page.locator(".turn.model")).to_be_in_viewport()
        await finger.picture("answer")
        await finger.tap(verify)
        await expect(page.locator("[data-verdict=good]")).to_be_in_viewport()
        await finger.picture("end")
        assert await page.evaluate("navigator.clipboard.readText()") == key
        lines = [
            f"{language}, {account}: {seconds:.1f} s and {len(finger.taps) - 1} taps to the answer",
            f"taps: {finger.taps}",
            f"scrolled to: {finger.scrolls}",
            f"pictures: {tmp_path}",
        ]
        print("", *lines, sep="\n")  # noqa: T201
        assert len(finger.taps) == TAPS
        known = ("pubKeyCredParams", "404")  # the receipt is not on the chain yet
        assert [each for each in shown.problems if not any(text in each for text in known)] == []
