"""A receipt's page in Debian's chromium: what a call cost in words, and what the browser finds when it checks it."""

import asyncio
import copy
import json
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Page, Route, expect

from tests.support.browser import DESKTOP, PHONE, chromium, needs_chromium, visit
from tests.support.page_budgets import check_page

pytestmark = needs_chromium

SHARED = json.loads((Path(__file__).parents[1] / "support" / "receipt_vectors.json").read_text())
NOT_CLAIMED = {"error": {"code": "not_anchored", "message": "a worker claims it by 1 Dec 2026"}}


@pytest.fixture
async def browser():
    async with chromium() as opened:
        yield opened


@pytest.fixture
def url(world):
    return world.url.removesuffix("/v1")


async def answer_with(page: Page, proof: dict, status: int = 200) -> None:
    """Let the gateway name the vectors' operator, and give this proof."""
    await page.unroute_all()
    await page.route("**/v1/terms", lambda route: route.fulfill(json=SHARED["terms"]))
    await page.route("**/v1/proofs/*", lambda route: route.fulfill(json=proof, status=status))


async def bring(page: Page, url: str, receipt: dict) -> None:
    await page.goto(f"{url}/r")
    await page.get_by_label("Receipt as JSON").fill(json.dumps(receipt))
    await page.get_by_role("button", name="Show it").click()
    await expect(page.get_by_role("heading", level=2).first).to_contain_text("charged")


async def verify(page: Page) -> dict[str, bool | None]:
    """Tap, and return what the reader sees of each check."""
    await page.get_by_role("button", name="Verify in this browser").click()
    await expect(page.locator("[data-verdict]:visible")).to_have_count(1)
    seen = {}
    for line in await page.locator("[data-check]:visible").all():
        kind = await line.locator(".status").get_attribute("class")
        seen[await line.get_attribute("data-check")] = {"status good": True, "status bad": False}.get(kind)
    return seen


async def test_every_fault_of_a_receipt_is_shown_and_no_other(browser, url):
    async with visit(browser, f"{url}/r", **PHONE) as shown:
        page = shown.page
        for vector in SHARED["vectors"]:
            await answer_with(page, vector["proof"])
            await bring(page, url, vector["receipt"])
            seen = await verify(page)
            seen.pop("root", None)  # it says only where to look
            assert seen == vector["expects"], vector["name"]
            wrong = page.get_by_text("Something is wrong with this receipt.")
            await expect(wrong).to_be_visible(visible=not all(seen.values()))
        assert shown.problems == []


async def test_a_tap_waits_for_the_script_that_answers_it(browser, url):
    async with visit(browser, f"{url}/r", **PHONE) as shown:
        page, vector = shown.page, SHARED["vectors"][0]
        await answer_with(page, vector["proof"])

        async def late(route: Route) -> None:
            await asyncio.sleep(1)
            await route.continue_()

        await page.route("**/receipt*.js", late)
        await bring(page, url, vector["receipt"])
        seen = await verify(page)
        seen.pop("root", None)
        assert seen == vector["expects"]


async def test_nothing_is_loaded_for_the_check_before_it_is_asked_for(browser, url):
    async with visit(browser, f"{url}/r", **PHONE) as shown:
        page = shown.page
        await answer_with(page, NOT_CLAIMED, 404)
        await bring(page, url, SHARED["vectors"][0]["receipt"])
        assert not [each for each in shown.requests if "noble" in each or "/v1/" in each]
        assert await verify(page) == {"charge": True, "signature": True, "operator": True, "proof": None}
        await expect(page.get_by_text(NOT_CLAIMED["error"]["message"])).to_be_visible()
        assert [each for each in shown.requests if "noble" in each]
        assert await shown.too_wide() <= 0
        assert await shown.small_targets() == []
        assert await shown.accessibility_faults() == []


async def test_a_call_has_a_page_with_its_lines_in_words(world, client_of, browser, upstream, url):
    asset = await world.asset("librarian", upstream.url("ok"))
    key = (await world.key()).text
    client = client_of(key)
    message = [{"role": "user", "content": "x"}]
    raw = await client.chat.completions.with_raw_response.create(model=asset.name, messages=message)
    call = raw.headers["x-usufruct-call"]
    async with httpx.AsyncClient(headers={"authorization": f"Bearer {key}"}, timeout=120) as http:
        kept = (await http.get(f"{world.url}/receipts/{call}")).json()["receipt"]
    await check_page(browser, f"{url}/r/{call}")
    async with visit(browser, f"{url}/r/{call}?language=de", **DESKTOP) as shown:
        page = shown.page
        await expect(page.get_by_role("rowheader", name="Text-Token Eingabe")).to_be_visible()
        await expect(page.get_by_text("librarian")).to_be_visible()
        terms = SHARED["terms"] | {"receiptSigner": kept["signer"], "till": kept["till"], "chainId": 31337}
        await page.route("**/v1/terms", lambda route: route.fulfill(json=terms))
        await page.get_by_role("button", name="In diesem Browser prüfen").click()
        await expect(page.locator("[data-verdict=good]")).to_be_visible()
        changed = copy.deepcopy(kept)
        changed["lines"][0]["quantity"] = str(int(changed["lines"][0]["quantity"]) + 1)
        await bring_changed(page, url, changed)
        await expect(page.locator("[data-verdict=bad]")).to_be_visible()


async def bring_changed(page: Page, url: str, receipt: dict) -> None:
    await page.get_by_label("Quittung als JSON").fill(json.dumps(receipt))
    await page.get_by_role("button", name="Anzeigen").click()
    await page.get_by_role("button", name="In diesem Browser prüfen").click()


@pytest.mark.parametrize("text", ["no JSON", "[]", '{"lines": []}', '"<script>alert(1)</script>"'])
async def test_what_is_no_receipt_is_refused_in_words(browser, url, text):
    async with visit(browser, f"{url}/r", **PHONE) as shown:
        await shown.page.get_by_label("Receipt as JSON").fill(text)
        await shown.page.get_by_role("button", name="Show it").click()
        await expect(shown.page.locator("#receipt-error")).not_to_be_empty()
        await expect(shown.page.get_by_label("Receipt as JSON")).to_have_value(text)
        assert [each for each in shown.problems if "422" not in each] == []
