"""The gateway's pages in Debian's chromium: every budget, with names and prices that are long."""

import asyncio
from dataclasses import replace

import pytest
from playwright.async_api import expect

from tests.support.browser import PHONE, chromium, needs_chromium, visit
from tests.support.gateway_server import CARD
from tests.support.ledger_samples import bill
from tests.support.page_budgets import check_page
from usufruct.connectors.openai import UpstreamDown
from usufruct.gateway import Endpoint
from usufruct.gateway.quality.tally import Times

pytestmark = needs_chromium

UPSTREAM = "http://127.0.0.1:1/v1"
LONG = "a-very-long-name-of-a-model-that-somebody-tuned-and-named-after-everything-2026-11"


@pytest.fixture
async def browser():
    async with chromium() as opened:
        yield opened


@pytest.fixture
async def url(world):
    await world.asset("librarian", UPSTREAM)
    long = await world.asset(LONG, UPSTREAM, card=replace(CARD, per_call=123_456_789_012, input_per_million=10**17 + 1))
    await measure(world, long.id)
    await world.asset("team/vectors", UPSTREAM, endpoint=Endpoint.EMBEDDINGS)
    return world.url.removesuffix("/v1")


async def measure(world, asset) -> None:
    """Let calls have been measured: 1,999 streams, one in fifty of them broken."""
    for at in range(1_999):
        took = Times(0.0, 0.2 + at % 11, 20.0)
        world.gateway.quality.charged(asset, UpstreamDown("away") if at % 50 == 0 else None, took, bill(10**12 + at))
    await world.gateway.quality.flush()
    await world.gateway.quality.summarize()


@pytest.mark.parametrize("path", ["/", "/?q=a&context=8&sort=newest", "/?q=nothing", f"/s/{LONG}", "/s/team/vectors"])
async def test_every_page_keeps_every_budget(browser, url, path):
    await check_page(browser, url + path)


@pytest.fixture
async def many(world):
    for number in range(30):
        await world.asset(f"poet-{number:02}", UPSTREAM)
    await world.asset("librarian", UPSTREAM, card=replace(CARD, context_window=100_000))
    return world.url.removesuffix("/v1")


async def test_a_first_page_of_many_services_keeps_every_budget(browser, many):
    await check_page(browser, many)


async def test_a_reader_types_and_sees_what_fits(browser, many):
    async with visit(browser, f"{many}/?language=de", **PHONE) as shown:
        page = shown.page
        await page.get_by_role("searchbox", name="Dienste suchen").fill("libra")
        await expect(page.locator("#results").get_by_role("status")).to_have_text("1 Dienst")
        await expect(page.locator("#results h3")).to_have_text(["librarian"])
        assert "q=libra" in page.url
        await page.get_by_role("searchbox").fill("")
        await page.get_by_text("Filtern und sortieren").click()
        await page.get_by_label("Kontext, mindestens").select_option("32768")
        await expect(page.locator("#results h3")).to_have_text(["librarian"])
        await page.get_by_label("Kontext, mindestens").select_option("1048576")
        await expect(page.get_by_role("heading", name="Kein Dienst passt")).to_be_visible()
        await page.get_by_role("link", name="Alle Dienste zeigen").click()
        await expect(page.locator("#results").get_by_role("status")).to_have_text("31 Dienste")
        await page.get_by_role("link", name="Weiter").click()
        await expect(page.get_by_text("Seite 2 von 2")).to_be_visible()
        assert shown.problems == []


async def test_what_is_typed_before_the_scripts_are_there_is_looked_up(browser, many):
    arrived = asyncio.Event()

    async def late(route):
        await arrived.wait()
        await route.continue_()

    async with visit(browser, "about:blank", **PHONE) as shown:
        page = shown.page
        await page.route("**/htmx*.js", late)
        await page.goto(many, wait_until="commit")
        await page.get_by_role("searchbox", name="Search services").fill("libra")
        arrived.set()
        await expect(page.locator("#results h3")).to_have_text(["librarian"])
        assert "q=libra" in page.url


async def test_a_search_needs_no_scripts(browser, many):
    async with visit(browser, many, **PHONE, java_script_enabled=False) as shown:
        page = shown.page
        await page.get_by_role("searchbox", name="Search services").fill("poet 07")
        await page.get_by_role("button", name="Search").click()
        await expect(page.locator("#results h3")).to_have_text("poet-07")
        await expect(page.get_by_role("searchbox")).to_have_value("poet 07")


async def test_a_wrong_address_leads_back_to_the_start(browser, url):
    async with visit(browser, f"{url}/nothing", **PHONE) as shown:
        assert await shown.accessibility_faults() == []
        assert await shown.too_wide() <= 0
        await shown.page.get_by_role("link", name="Back to the start").click()
        await expect(shown.page).to_have_url(f"{url}/")


async def test_a_reader_finds_a_service_and_copies_how_to_call_it(browser, url):
    async with visit(browser, url, **PHONE, permissions=["clipboard-read", "clipboard-write"]) as shown:
        page = shown.page
        await page.get_by_role("link", name="team/vectors").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("team/vectors")
        await page.get_by_role("figure", name="OpenAI, Python").get_by_role("button").click()
        copied = await page.evaluate("navigator.clipboard.readText()")
        compile(copied, "snippet", "exec")
        assert f'base_url="{url}/v1"' in copied
        await page.get_by_role("link", name="Deutsch").click()
        await expect(page.get_by_role("heading", name="Aufrufen")).to_be_visible()
        await page.get_by_role("link", name="Dienste").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("KI nach Verbrauch")
        assert shown.problems == []
