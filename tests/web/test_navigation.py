"""The navigation: what packages declare, in order, in menus; on a phone, by keyboard, and without scripts."""

from contextlib import asynccontextmanager

import pytest
from playwright.async_api import expect

from tests.support.browser import NARROW, chromium, needs_chromium, visit
from tests.support.gateway_server import served
from usufruct.web import Router
from usufruct.web.ui import ECONOMY, NavigationLink, NavigationMenu, Pages, Site, gallery_routes
from usufruct.web.ui.navigation import navigation_entries

DECLARED = {
    "usufruct.console": [NavigationLink("/sell", "Sell", position=400)],
    "usufruct.governance": [NavigationLink("/_gallery", "Proposals", ECONOMY, 40)],
    "usufruct.market": [NavigationLink("/account", "Account", position=200)],
    "usufruct.staking": [
        NavigationLink("/airdrop", "Airdrop", ECONOMY, 20),
        NavigationLink("/stake", "Stake", ECONOMY),
    ],
    "usufruct.gateway": [NavigationLink("/", "Services", position=100)],
}
"""In an order that no reader should notice."""


def named(links):
    return [(each.label, [link.label for link in each.links]) for each in navigation_entries(links)]


def test_entries_come_by_position_and_links_of_a_menu_together():
    assert named(link for links in DECLARED.values() for link in links) == [
        ("Services", ["Services"]),
        ("Account", ["Account"]),
        ("Economy", ["Airdrop", "Proposals", "Stake"]),
        ("Sell", ["Sell"]),
    ]


def test_a_menu_of_one_page_is_that_page():
    data = NavigationMenu("Data", 150)
    assert named([NavigationLink("/data", "Sets", data), NavigationLink("/", "Services", position=100)]) == [
        ("Services", ["Services"]),
        ("Sets", ["Sets"]),
    ]


@pytest.mark.parametrize(
    ("path", "page", "menu"),
    [("/deals", "page", "true"), ("/deals/0x1", "true", "true"), ("/dealsman", "", ""), ("/", "", "")],
)
def test_the_current_page_is_marked_with_the_menu_it_is_in(path, page, menu):
    links = [NavigationLink("/stake", "Stake", ECONOMY), NavigationLink("/deals", "Deals", ECONOMY)]
    (entry,) = navigation_entries(links)
    assert (links[1].current(path), links[0].current(path), entry.current(path)) == (page, "", menu)


def test_the_first_page_is_current_only_there():
    first = NavigationLink("/", "Services")
    assert (first.current("/"), first.current("/r")) == ("page", "")


@asynccontextmanager
async def served_gallery(declared):
    pages = Pages(Site(), gallery=True)
    for package, links in declared.items():
        pages.add_package(package, links)
    app = Router([*pages.static.routes, *gallery_routes(pages)], error_page=pages.error_page)
    async with served(app) as (_, found, _):
        yield found.removesuffix("/v1") + "/_gallery?language=de"


@pytest.fixture
async def url():
    async with served_gallery(DECLARED) as found:
        yield found


@needs_chromium
async def test_a_phone_has_two_rows_and_a_menu_that_fits(url):
    async with chromium() as browser:
        async with visit(browser, url, **NARROW, java_script_enabled=False) as shown:
            page = shown.page
            row, menu = page.locator(".top nav > *"), page.locator(".menu summary")
            heights = {round((await each.bounding_box())["y"]) for each in await row.all()}
            assert len(heights) == 1
            await expect(menu).to_have_attribute("aria-current", "true")
            await expect(page.get_by_role("link", name="Anträge")).to_be_hidden()

            await menu.click()
            boxes = [await each.bounding_box() for each in await page.locator(".menu a").all()]
            assert len(boxes) == 3
            assert all(box["height"] >= 44 and box["x"] >= 0 and box["x"] + box["width"] <= 320 for box in boxes)
            assert await shown.too_wide() <= 0
            assert await page.locator(".menu [aria-current=page]").inner_text() == "Anträge"

        async with visit(browser, url, **NARROW) as shown:
            page, menu = shown.page, shown.page.locator(".menu summary")
            await menu.focus()
            await page.keyboard.press("Enter")
            await page.keyboard.press("Tab")
            await expect(page.get_by_role("link", name="Airdrop")).to_be_focused()
            assert await shown.accessibility_faults() == []
            await page.keyboard.press("Escape")
            await expect(menu).to_be_focused()
            await expect(page.get_by_role("link", name="Airdrop")).to_be_hidden()
            await menu.click()
            await page.mouse.click(310, 5)
            await expect(page.get_by_role("link", name="Airdrop")).to_be_hidden()
            assert shown.problems == []


@needs_chromium
async def test_a_single_link_keeps_clear_of_the_name_and_of_the_edge():
    single = {"usufruct.gateway": DECLARED["usufruct.gateway"]}
    async with served_gallery(single) as url, chromium() as browser, visit(browser, url, **NARROW) as shown:
        for width in (320, 390, 600):
            await shown.page.set_viewport_size({"width": width, "height": 640})
            name, link = [await shown.page.locator(each).bounding_box() for each in (".brand", ".top nav a")]
            assert link["x"] - (name["x"] + name["width"]) >= 8
            assert link["x"] + link["width"] <= width - 8
