"""Debian's chromium, driven through its debugging protocol; and what every page must be in it."""

import atexit
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.support.browser_connection import connected_browser
from tests.support.browser_server import ARGUMENTS, CHROMIUM

PATIENCE_MILLISECONDS = 60_000
"""A busy machine makes a page late; only a fault keeps it away."""

expect.set_options(timeout=PATIENCE_MILLISECONDS)

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium: apt-get install chromium")

PHONE = {"viewport": {"width": 393, "height": 851}, "device_scale_factor": 2.75, "is_mobile": True, "has_touch": True}
NARROW = {"viewport": {"width": 320, "height": 640}}
DESKTOP = {"viewport": {"width": 1280, "height": 900}}

_ROOT = Path(__file__).parents[2]
_AXE = _ROOT / "node_modules" / "axe-core" / "axe.min.js"
_COLOUR_RULES = "{ runOnly: { type: 'rule', values: ['color-contrast', 'link-in-text-block'] } }"
"""axe-core's rules on colours of WCAG's levels A and AA."""
_TARGETS = "a[href], button, input, select, textarea, summary"
_SMALL_TARGETS = """() => {
  const small = [];
  for (const each of document.querySelectorAll(TARGETS)) {
    if (each.disabled || !each.checkVisibility() || each.closest("p, .skip, #toasts, dialog:not([open])")) continue;
    each.scrollIntoView({ block: "center" });
    const box = each.getBoundingClientRect();
    const [x, y] = [box.x + Math.min(box.width, 60) / 2, box.y + box.height / 2];
    for (const [right, down] of [[0, -21], [0, 21], [-21, 0], [21, 0]]) {
      const hit = document.elementFromPoint(x + right, y + down);
      if (!hit || !(each.contains(hit) || hit.contains(each) && box.width >= 44 && box.height >= 44)) {
        small.push(`${each.outerHTML.slice(0, 90)} ${Math.round(box.width)}x${Math.round(box.height)}`);
        break;
      }
    }
  }
  return small;
}""".replace("TARGETS", repr(_TARGETS))
_OUTLINE = """() => {
  const focused = document.activeElement;
  return focused === document.body ? null : getComputedStyle(focused).outlineStyle;
}"""
_TOO_WIDE = """() => {
  const tables = [...document.querySelectorAll(".scroll:has(> .stacks)")];
  const over = tables.map((each) => each.scrollWidth - each.clientWidth);
  return Math.max(document.documentElement.scrollWidth - innerWidth, ...over);
}"""
_SHIFT = """() => new Promise((resolve) => {
  let shifted = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) shifted += entry.value;
  }).observe({ type: "layout-shift", buffered: true });
  requestAnimationFrame(() => setTimeout(() => resolve(shifted), 50));
})"""


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Connect to this process's browser: starting one takes longer than most tests. Profiles are each visit's own."""
    async with AsyncExitStack() as stack:
        try:
            browser = await stack.enter_async_context(connected_browser(_browser_server()))
        except aiohttp.ClientError:  # it ended, which one test must not pass on to the next
            _browser_server.cache_clear()
            browser = await stack.enter_async_context(connected_browser(_browser_server()))
        yield browser


@asynccontextmanager
async def own_chromium(*arguments: str, **options: Any) -> AsyncIterator[Browser]:
    """Start a browser for one test, with more arguments, and more of Playwright's options to launch one."""
    async with async_playwright() as playwright:
        given = [*ARGUMENTS, *arguments]
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=given, **options)
        try:
            yield browser
        finally:
            await browser.close()


@cache
def _browser_server() -> str:
    """Start the browser that the tests of this process share; return its address."""
    command = [sys.executable, "-m", "tests.support.browser_server"]
    server = subprocess.Popen(command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    atexit.register(server.communicate)  # closes its standard input, which ends it
    address = server.stdout.readline().strip()
    assert address.startswith("ws://"), address
    return address


@dataclass
class Visit:
    """A page in the browser, with what went wrong in it and what it loaded."""

    page: Page
    problems: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    sizes: dict[str, int] = field(default_factory=dict)
    """Bytes over the wire, heads included, by the kind of file."""

    async def accessibility_faults(self) -> list[str]:
        """Return what axe-core finds."""
        return await self._faults("axe.run()")

    async def accessibility_faults_in_both_schemes(self) -> list[str]:
        """Return what axe-core finds in light colours, and what its rules on colours find in dark ones.

        A scheme changes colours only, which `tests/web/test_styles.py` checks; so the other rules need no second run.
        """
        await self.page.emulate_media(color_scheme="light")
        light = await self._faults("axe.run()")
        await self.page.emulate_media(color_scheme="dark")
        dark = await self._faults(f"axe.run({_COLOUR_RULES})")
        return [*(f"light: {each}" for each in light), *(f"dark: {each}" for each in dark)]

    async def _faults(self, run: str) -> list[str]:
        """Run axe-core in a world of its own, so that the page's policy stays on."""
        session = await self.page.context.new_cdp_session(self.page)
        frame = (await session.send("Page.getFrameTree"))["frameTree"]["frame"]["id"]
        world = await session.send("Page.createIsolatedWorld", {"frameId": frame, "worldName": "axe"})
        context = world["executionContextId"]
        await session.send("Runtime.evaluate", {"expression": _AXE.read_text(), "contextId": context})
        asked = {"expression": run, "contextId": context, "awaitPromise": True, "returnByValue": True}
        found = (await session.send("Runtime.evaluate", asked))["result"]["value"]
        assert found["passes"]
        return [f"{each['id']}: {node['html'][:120]}" for each in found["violations"] for node in each["nodes"]]

    async def small_targets(self) -> list[str]:
        """Return what cannot be hit by a finger: everything to press but links in running text must be 44 px."""
        found: list[str] = await self.page.evaluate(_SMALL_TARGETS)
        return found

    async def too_wide(self) -> int:
        """Return how many pixels the page is wider than its window, or a stacked table wider than its place."""
        wide: int = await self.page.evaluate(_TOO_WIDE)
        return wide

    async def elements(self) -> int:
        """Return how many elements the page has."""
        count: int = await self.page.evaluate("document.querySelectorAll('*').length")
        return count

    async def layout_shift(self) -> float:
        """Return the cumulative layout shift so far."""
        shift: float = await self.page.evaluate(_SHIFT)
        return shift

    async def reached_by_keyboard(self) -> int:
        """Press Tab until the focus leaves the page; return how many elements had it, each visibly."""
        reached = 0
        await self.page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
        while True:
            await self.page.keyboard.press("Tab")
            outline = await self.page.evaluate(_OUTLINE)
            if outline is None or reached > 300:
                return reached
            assert outline != "none", await self.page.evaluate("document.activeElement.outerHTML.slice(0, 100)")
            reached += 1


@asynccontextmanager
async def visit(browser: Browser, url: str, **options: Any) -> AsyncIterator[Visit]:
    """Open a page in a profile of its own, and wait until nothing is loaded any more."""
    context = await browser.new_context(**options)
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    page = await context.new_page()
    found = Visit(page)
    page.on("console", lambda message: _note(found, message.type, message.text))
    page.on("pageerror", lambda error: found.problems.append(str(error)))
    session = await context.new_cdp_session(page)
    kinds: dict[str, str] = {}
    session.on("Network.responseReceived", lambda event: kinds.update({event["requestId"]: event["type"]}))
    session.on("Network.loadingFinished", lambda event: _weigh(found, kinds, event))
    page.on("request", lambda request: found.requests.append(request.url))
    await session.send("Network.enable")
    try:
        await page.goto(url, wait_until="load")
        yield found
    finally:
        await context.close()


def _note(found: Visit, kind: str, text: str) -> None:
    if kind in ("error", "warning"):
        found.problems.append(f"{kind}: {text}")


def _weigh(found: Visit, kinds: dict[str, str], event: dict[str, Any]) -> None:
    kind = kinds.get(event["requestId"], "Other")
    found.sizes[kind] = found.sizes.get(kind, 0) + int(event["encodedDataLength"])
