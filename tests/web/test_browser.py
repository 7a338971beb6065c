"""The kit in Debian's chromium: budgets, and what its components do when they are pressed."""

import asyncio

import httpx
import pytest
from playwright.async_api import Route, expect

from tests.support.browser import DESKTOP, PHONE, chromium, needs_chromium, visit
from tests.support.confirm_sheet import yes
from tests.support.gateway_server import served
from tests.support.page_budgets import check_page
from usufruct.web import Router
from usufruct.web.ui import Pages, Site, gallery_routes

pytestmark = needs_chromium


@pytest.fixture
async def browser():
    async with chromium() as opened:
        yield opened


@pytest.fixture
async def gallery():
    pages = Pages(Site(), gallery=True)
    app = Router([*pages.static.routes, *gallery_routes(pages)], error_page=pages.error_page)
    async with served(app) as (server, url, stopped):
        yield server, url.removesuffix("/v1") + "/_gallery", stopped


async def test_the_gallery_keeps_every_budget(browser, gallery):
    await check_page(browser, gallery[1])


@pytest.mark.parametrize("late", ["htmx", "hx-csp", "hx-sse", "page"])
async def test_a_script_that_comes_late_changes_nothing(browser, gallery, late):
    async with visit(browser, "about:blank", **DESKTOP) as shown:
        page, last = shown.page, asyncio.Event()

        async def wait(route: Route) -> None:
            await asyncio.wait_for(last.wait(), 20)
            await asyncio.sleep(0.1)  # for what would run without it
            await route.continue_()

        await page.route(f"**/{late}.js", wait)
        page.on("requestfinished", lambda request: last.set() if request.url.endswith("style.css") else None)
        await page.goto(gallery[1])
        await expect(page.locator("#steps")).to_have_text("3/3")
        await expect(page.get_by_text("This came later.")).to_be_visible()


async def test_components_do_what_they_promise(browser, gallery):
    async with visit(browser, gallery[1], **DESKTOP, permissions=["clipboard-read", "clipboard-write"]) as shown:
        page = shown.page
        await expect(page.get_by_text("This came later.")).to_be_visible()
        await expect(page.locator("#steps")).to_have_text("3/3")

        await page.locator(".snippet button").click()
        await expect(page.locator(".snippet button")).to_have_text("Copied")
        assert (await page.evaluate("navigator.clipboard.readText()")).startswith("from openai import OpenAI\n")
        await expect(page.locator(".snippet button")).to_have_text("Copy")

        await page.get_by_role("button", name="Buy", exact=True).click()
        sheet = page.get_by_role("dialog", name="Buy 5 shares?")
        await expect(sheet).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(sheet).to_be_hidden()
        await page.get_by_role("button", name="Buy", exact=True).click()
        await sheet.get_by_role("button", name="Cancel").click()
        await expect(sheet).to_be_hidden()

        await page.get_by_label("Amount").fill("five")
        await page.get_by_role("button", name="Order").click()
        await expect(page.locator("#amount-error")).to_have_text("a whole number, such as 5")
        await expect(page.get_by_label("Amount")).to_have_attribute("aria-invalid", "true")
        await page.get_by_label("Amount").fill("5")
        await page.get_by_role("button", name="Order").click()
        await expect(page.locator("#amount-error")).to_have_count(0)
        assert shown.problems == []


async def test_a_refused_action_and_a_lost_connection_are_said_in_words(browser, gallery):
    server, url, stopped = gallery
    async with visit(browser, url, **PHONE) as shown:
        toasts = shown.page.locator("#toasts")
        await shown.page.get_by_role("button", name="Fail").click()
        await expect(toasts).to_contain_text("this button always fails; nothing was changed")
        await toasts.get_by_role("button", name="Close").click()
        await expect(toasts.locator(".toast")).to_have_count(0)
        server.drain()
        await stopped.wait()
        await shown.page.get_by_role("button", name="Fail").click()
        await expect(toasts).to_contain_text("The connection was lost.")


async def test_what_ends_something_asks_first_and_is_done_once(browser, gallery):
    asked = []
    async with visit(browser, gallery[1], **PHONE) as shown:
        page = shown.page
        page.on("request", lambda request: asked.append(request.url) if request.method == "POST" else None)
        await page.get_by_role("button", name="Stop it").click()
        sheet = page.get_by_role("dialog", name="Stop it?")
        await expect(sheet.get_by_text("It stops at once, and cannot be turned on again.")).to_be_visible()
        assert await shown.accessibility_faults() == []
        await sheet.get_by_role("button", name="Cancel").click()
        await expect(sheet).to_have_count(0)
        assert asked == []
        await page.get_by_role("button", name="Stop it").evaluate("button => { button.click(); button.click(); }")
        await yes(page).evaluate("button => { button.click(); button.click(); }")
        await expect(page.locator("#toasts")).to_contain_text("this button always fails")
        await page.locator("#toasts").get_by_role("button", name="Close").click()
        await page.get_by_role("button", name="Stop it").click()  # a second time it asks again
        await expect(sheet).to_be_visible()
        assert len(asked) == 1


async def test_without_scripts_what_ends_something_is_still_usable(browser, gallery):
    async with visit(browser, gallery[1], **PHONE, java_script_enabled=False) as shown:
        await shown.page.get_by_role("button", name="Stop it").click()
        await expect(shown.page.get_by_text("this button always fails; nothing was changed")).to_be_visible()


async def test_injected_markup_gets_no_htmx_and_no_script(browser, gallery):
    """A hole in a template must not be enough: the browser refuses what carries no nonce of this answer."""
    async with visit(browser, gallery[1], **DESKTOP) as shown:
        ran = await shown.page.evaluate(
            """async () => {
              let markup = "written";
              try { document.body.innerHTML = "<b>x</b>"; } catch { markup = "refused"; }
              const script = document.createElement("script");
              let text = "set";
              try { script.textContent = "window.injected = true"; } catch { text = "refused"; }
              const button = document.createElement("button");
              button.setAttribute("hx-post", "/_gallery/fail");
              button.id = "smuggled";
              document.body.append(button);
              window.htmx.process(button);
              button.click();
              await new Promise((resolve) => setTimeout(resolve, 200));
              return [markup, text, window.injected === undefined, button.hasAttribute("hx-post")];
            }"""
        )
    assert ran == ["refused", "refused", True, False]


async def test_it_cannot_be_framed(browser, gallery):
    async def page(scope, receive, send):
        body = f'<!doctype html><title>t</title><iframe src="{gallery[1]}"></iframe>'.encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
        await send({"type": "http.response.body", "body": body})

    async def app(scope, receive, send):
        await (page(scope, receive, send) if scope["type"] == "http" else Router([])(scope, receive, send))

    async with served(app) as (_, url, _), visit(browser, url.removesuffix("/v1"), **DESKTOP) as shown:
        await shown.page.wait_for_load_state("networkidle")
        frame = shown.page.frames[1]
        assert "Gallery" not in await frame.content()


async def test_works_without_scripts(browser, gallery):
    async with visit(browser, gallery[1], **PHONE, java_script_enabled=False) as shown:
        await shown.page.get_by_label("Amount").fill("five")
        await shown.page.get_by_role("button", name="Order").click()
        await expect(shown.page.locator("#amount-error")).to_have_text("a whole number, such as 5")
    async with httpx.AsyncClient(timeout=120) as client:
        assert (await client.get(gallery[1])).status_code == 200
