"""`make bench-pages`: what a reader on a phone feels; `make screenshots`: what every page looks like.

A real installation sells the librarian on a local chain. Each page is opened in Debian's chromium as a Pixel 5 on slow
4G (150 ms, 1.6 Mbit/s) with a processor four times slower, in a profile of its own, and read by the browser's own
performance observers. `--check` fails when a page is over a budget; for times, which depend on the machine's load, the
best of the rounds counts, and a page that kept its budgets in one round is not opened again.
"""

import argparse
import asyncio
import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from playwright.async_api import Browser, Page

from bench.report import OURS, ROOT, Row, write
from bench.site import PAGES, Site, profiles, site
from tests.support.browser import PHONE, Visit, chromium, visit
from tests.support.browser_server import CHROMIUM

SCREENSHOTS = ROOT / "docs" / "guides" / "screenshots"
TALLEST = 2_400
"""Pixels of a page that a picture of a desktop shows: the files stay under 350 KB."""


_NAMES = ", ".join(PAGES)
_SLOW_4G = {"offline": False, "latency": 150, "downloadThroughput": 200_000, "uploadThroughput": 93_750}
_SLOWER = 4
_TIMES = """() => new Promise((resolve) => {
  const seen = { lcp: 0, blocked: 0 };
  new PerformanceObserver((list) => { seen.lcp = list.getEntries().at(-1).startTime; })
    .observe({ type: "largest-contentful-paint", buffered: true });
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) seen.blocked += Math.max(0, entry.duration - 50);
  }).observe({ type: "longtask", buffered: true });
  setTimeout(() => resolve(seen), 500);
})"""


@dataclass(frozen=True, slots=True)
class Budget:
    """The most that a figure may be on any page; `least` tells whether the best round counts."""

    unit: str
    most: float
    best_counts: bool = False


BUDGETS = {
    "lcp": Budget("ms", 1_200, best_counts=True),
    "tbt": Budget("ms", 100, best_counts=True),
    "transferred": Budget("bytes", 60 * 1024),
    "scripts": Budget("bytes", 30_000),
    "elements": Budget("elements", 1_500),
    "cls": Budget("shift", 0.05),
}


async def measure(browser: Browser, url: str, profile: dict[str, Any]) -> dict[str, float]:
    """Open a page once, as a phone; return its figures by metric."""
    async with visit(browser, "about:blank", **PHONE, **profile) as phone:
        session = await phone.page.context.new_cdp_session(phone.page)
        await session.send("Network.enable")
        await session.send("Network.emulateNetworkConditions", _SLOW_4G)
        await session.send("Emulation.setCPUThrottlingRate", {"rate": _SLOWER})
        await phone.page.goto(url, wait_until="load")
        return await _figures(phone)


async def _figures(phone: Visit) -> dict[str, float]:
    times = await phone.page.evaluate(_TIMES)
    return {
        "lcp": times["lcp"],
        "tbt": times["blocked"],
        "transferred": sum(phone.sizes.values()),
        "scripts": phone.sizes.get("Script", 0),
        "elements": await phone.elements(),
        "cls": await phone.layout_shift(),
    }


async def bench(
    where: Site, rounds: int, pages: Mapping[str, str], *, until_kept: bool = False
) -> tuple[list[Row], list[str]]:
    """Measure pages in turn, `rounds` times; return the rows, and the budgets that were missed.

    `until_kept`: a page that kept its budgets is not measured again.
    """
    found: dict[str, list[dict[str, float]]] = {name: [] for name in pages}
    profile = profiles(where.url)
    async with chromium() as browser:
        for _ in range(rounds):
            for name, path in pages.items():
                if not (until_kept and found[name]) or missed(name, found[name]):
                    found[name].append(await measure(browser, where.address(path), profile[name]))
    rows = [
        Row(
            f"{metric}_{name}",
            OURS,
            statistics.median(each[metric] for each in figures),
            budget.unit,
            len(figures),
            f"at most {budget.most:g}",
        )
        for name, figures in found.items()
        for metric, budget in BUDGETS.items()
    ]
    return rows, [each for name, figures in found.items() for each in missed(name, figures)]


def missed(page: str, figures: Sequence[Mapping[str, float]]) -> list[str]:
    """Return the budgets that a page missed, in words."""
    found = []
    for metric, budget in BUDGETS.items():
        values = [each[metric] for each in figures]
        counted = min(values) if budget.best_counts else max(values)
        if counted > budget.most:
            found.append(f"{page}: {metric} is {counted:g} {budget.unit}, at most {budget.most:g}")
    return found


async def photograph(where: Site, pages: Mapping[str, str]) -> None:
    """Write pictures of pages: phone and desktop, light and dark."""
    SCREENSHOTS.mkdir(exist_ok=True)
    profile = profiles(where.url)
    shapes: dict[str, dict[str, Any]] = {
        "phone": PHONE | {"device_scale_factor": 1.5},
        "desktop": {"viewport": {"width": 1280, "height": 860}},
    }
    async with chromium() as browser:
        for name, path in pages.items():
            address = where.address(path)
            for shape, options in shapes.items():
                for scheme in ("light", "dark"):
                    async with visit(browser, address, **options, **profile[name], color_scheme=scheme) as shown:
                        await shown.page.wait_for_load_state("networkidle")
                        file = SCREENSHOTS / f"{name}-{shape}-{scheme}.png"
                        await shown.page.screenshot(path=file, **await _area(shown.page, shape))
                        print(file.relative_to(ROOT))


async def _area(page: Page, shape: str) -> dict[str, Any]:
    """Return what a picture shows: of a phone its window, of a desktop the page down to a limit."""
    if shape == "phone":
        return {}
    size = await page.evaluate("[innerWidth, document.documentElement.scrollHeight]")
    return {"full_page": True, "clip": {"x": 0, "y": 0, "width": size[0], "height": min(size[1], TALLEST)}}


def _named(text: str) -> Mapping[str, str]:
    """Return the pages of names, by commas."""
    names = [each.strip() for each in text.split(",")]
    for name in names:
        if name not in PAGES:
            raise argparse.ArgumentTypeError(f"unknown page {name!r}; the pages are {_NAMES}")
    return {name: PAGES[name] for name in names}


def main() -> None:
    """Measure, check or photograph."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--check", action="store_true", help="fail when a page is over a budget")
    parser.add_argument("--screenshots", action="store_true", help="write pictures into docs/guides instead")
    parser.add_argument("--pages", type=_named, default=PAGES, metavar="NAME,...", help=f"only these: {_NAMES}")
    asked = parser.parse_args()
    if CHROMIUM is None:
        print("not measured: needs chromium (apt-get install chromium)")
        sys.exit(0 if asked.check else 1)
    with site() as where:
        if asked.screenshots:
            asyncio.run(photograph(where, asked.pages))
            return
        rows, faults = asyncio.run(bench(where, asked.rounds, asked.pages, until_kept=asked.check))
    write("pages", rows)
    if asked.check and faults:
        sys.exit("\n".join(faults))


if __name__ == "__main__":
    main()
