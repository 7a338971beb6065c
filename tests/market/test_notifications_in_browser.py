"""Notifications in Debian's chromium: choices, a webhook with its secret, a test, an e-mail's links, the budgets."""

import json
from dataclasses import replace

import pytest
from playwright.async_api import expect

from tests.support.browser import NARROW, PHONE, chromium, needs_chromium, visit
from tests.support.page_budgets import check_page
from tests.support.webhook_receiver import webhook_receiver
from usufruct.accounts import Sessions
from usufruct.accounts.notifications import Deliveries, EventKind, Notifications
from usufruct.accounts.notifications.model import DeliveryState, Way
from usufruct.accounts.notifications.outbox import Outbox
from usufruct.core import ChainId, Clock, address
from usufruct.store import Database

pytestmark = [needs_chromium, pytest.mark.anvil]


@pytest.fixture
async def browser():
    async with chromium() as opened:
        yield opened


@pytest.fixture
def url(world):
    return world.url.removesuffix("/v1")


async def sign_in(page, url: str) -> None:
    await page.goto(f"{url}/account")
    await page.get_by_role("button", name="Use the demo account").click()
    await page.get_by_role("link", name="Notifications").click()
    await expect(page.get_by_role("heading", name="Events")).to_be_visible()


async def test_a_webhook_is_set_tested_and_shown_with_its_last_error(world, browser, url):
    notifications = world.gateway.get(Notifications)
    notifications.offer = replace(notifications.offer, mail=True)
    async with webhook_receiver() as receiver, visit(browser, f"{url}/account", **PHONE) as shown:
        page = shown.page
        await sign_in(page, url)
        await page.get_by_label("A key's deposit is low").check()
        await page.get_by_label("A deposit is low under").fill("0,50")
        await page.get_by_role("button", name="Save", exact=True).click()
        await expect(page.get_by_label("A deposit is low under")).to_have_value("0.5")
        await expect(page.get_by_label("A key's deposit is low")).to_be_checked()

        await page.get_by_label("URL").fill(receiver.url())
        await page.get_by_role("button", name="Save the URL").click()
        await expect(page.locator("#webhook-secret")).to_contain_text("whsec_")
        receiver.refuse(500)
        await page.get_by_role("button", name="Send a test").click()
        await expect(page.get_by_text("waiting")).to_be_visible()
        assert await page.locator("#webhook-secret").count() == 0
        await world.installation.get(Deliveries).send_webhooks()
        await page.get_by_role("link", name="Look again").click()
        await expect(page.get_by_text("HTTP 500")).to_be_visible()
        assert json.loads(receiver.posted[0].body)["type"] == "test"

        await page.get_by_label("URL").fill("https://user:secret@example.org/")
        await page.get_by_role("button", name="Save the URL").click()
        await expect(page.locator("#toasts")).to_contain_text("Check the address, the URL")
        await page.locator("#toasts").get_by_role("button", name="Close").click()
        assert [each for each in shown.problems if "400" not in each] == []
        assert await shown.small_targets() == []
        assert await shown.too_wide() <= 0
        assert await shown.accessibility_faults() == []
        await page.set_viewport_size(NARROW["viewport"])
        await page.emulate_media(color_scheme="dark")
        await page.goto(f"{url}/account/notifications?language=de")
        assert await shown.too_wide() <= 0
        assert await shown.accessibility_faults() == []
        await expect(page.get_by_role("heading", level=1)).to_have_text("Benachrichtigungen")
        await page.get_by_role("button", name="Webhook entfernen").click()
        await expect(page.get_by_role("button", name="Webhook entfernen")).to_have_count(0)


async def test_a_message_that_was_given_up_is_sent_again_by_one_press(world, browser, url):
    outbox = Outbox(world.installation.get(Database))
    async with webhook_receiver() as receiver, visit(browser, f"{url}/account", **PHONE) as shown:
        page = shown.page
        await sign_in(page, url)
        await page.get_by_label("URL").fill(receiver.url())
        await page.get_by_role("button", name="Save the URL").click()
        await expect(page.locator("#webhook-secret")).to_contain_text("whsec_")
        await page.get_by_label("A refund was sent").check()
        await page.get_by_role("button", name="Save", exact=True).click()
        await expect(page.locator("#webhook-secret")).to_have_count(0)
        person = await page.evaluate("fetch('/v1/sessions/current').then((answer) => answer.json())")
        await world.gateway.get(Notifications).report([person["address"]], EventKind.REFUND, "one", {})
        [delivery] = await outbox.take(Way.WEBHOOK, Clock().now(), 300, 1)
        await outbox.note([delivery], DeliveryState.DEAD, at=Clock().now(), error="HTTP 500")
        await page.get_by_role("link", name="Look again").click()
        await expect(page.get_by_text("given up")).to_be_visible()
        assert await shown.small_targets() == []
        assert await shown.too_wide() <= 0
        assert await shown.accessibility_faults() == []
        await page.get_by_role("button", name="Send again").click()
        await expect(page.get_by_text("waiting")).to_be_visible()
        await expect(page.get_by_role("button", name="Send again")).to_have_count(0)
        await world.installation.get(Deliveries).send_webhooks()
        assert [each.headers["webhook-id"] for each in receiver.posted] == [delivery.event.id]
        assert shown.problems == []


async def test_an_e_mails_links_need_a_press_and_no_session(world, browser, url):
    notifications = world.gateway.get(Notifications)
    notifications.offer = replace(notifications.offer, mail=True)
    async with visit(browser, f"{url}/account", **PHONE) as shown:
        page = shown.page
        await sign_in(page, url)
        await page.get_by_label("E-mail address").fill("ada@example.org")
        await page.get_by_role("button", name="Send the link").click()
        await expect(page.get_by_text("not confirmed yet")).to_be_visible()
        assert shown.problems == []
        session = await page.evaluate("fetch('/v1/sessions/current').then((answer) => answer.json())")
    person = address(session["address"])
    contact = await notifications.contact(person)
    assert contact.site == url
    link = f"{url}/account/notifications/confirm?token={notifications.confirm_token(contact)}"
    await check_page(browser, link)
    assert (await notifications.contact(person)).email_confirmed_at is None, "loading it confirms nothing"
    async with visit(browser, link, **NARROW) as shown:
        await shown.page.get_by_role("button", name="Confirm").click()
        await expect(shown.page.get_by_role("heading", name="Your address is confirmed")).to_be_visible()
        assert shown.problems == []
    assert (await notifications.contact(person)).email_confirmed_at is not None
    link = f"{url}/account/notifications/unsubscribe?token={notifications.unsubscribe_token(contact)}"
    async with visit(browser, f"{link}&language=de", **NARROW) as shown:
        await shown.page.get_by_role("button", name="Meine Adresse entfernen").click()
        await expect(shown.page.get_by_role("heading", name="Es kommen keine E-Mails mehr")).to_be_visible()
        assert shown.problems == []
    assert (await notifications.contact(person)).email is None


async def test_one_click_of_a_mail_program_needs_nothing_else(world, http, url):
    notifications = world.gateway.get(Notifications)
    notifications.offer = replace(notifications.offer, mail=True)
    person = address("0x" + "ad" * 20)
    await notifications.set_email(person, "ada@example.org", "en", url)
    token = notifications.unsubscribe_token(await notifications.contact(person))
    link = f"{url}/account/notifications/unsubscribe?token={token}"
    assert (await http.get(link)).status_code == 200
    assert (await notifications.contact(person)).email
    for _ in range(2):
        answer = await http.post(link, data={"List-Unsubscribe": "One-Click"}, headers={"origin": "null"})
        assert answer.status_code == 200
    assert (await notifications.contact(person)).email is None
    for false in ("", "x" * 73, token[:-1] + "g"):
        confirming = f"{url}/account/notifications/confirm?token={false}"
        assert (await http.get(confirming)).status_code == 403
        assert (await http.post(confirming)).status_code == 403


async def test_no_e_mail_is_sent_with_a_link_to_a_site_that_only_its_asker_names(world, http, enter):
    await enter(http, await world.account())
    notifications, sessions = world.gateway.get(Notifications), world.gateway.get(Sessions)
    notifications.offer, sessions._chain_id = replace(notifications.offer, mail=True), ChainId(1)
    for path, wish in (("email", {"address": "ada@example.org"}), ("", {"events": [], "lowBalance": "0"})):
        url = f"/account/notifications/{path}".rstrip("/")
        refused = await http.post(url, json=wish, headers={"host": f"evil.example:{http.base_url.port}"})
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "sign_in_refused")
        assert (await http.post(url, json=wish)).is_success


async def test_no_one_else_sees_or_changes_it(http, url):
    paths = ("", "/webhook", "/email", "/test")
    for path in paths:
        assert (await http.post(f"/account/notifications{path}", json={})).status_code == 401
        assert (await http.post(f"{url}/account/notifications{path}")).status_code == 401
    assert (await http.get("/account/notifications")).status_code == 401
    page = await http.get(f"{url}/account/notifications")
    assert (page.status_code, "Sign in on the account page first" in page.text) == (200, True)
    crossed = await http.post("/account/notifications/test", headers={"sec-fetch-site": "cross-site"})
    assert crossed.json()["error"]["code"] == "cross_site_request"
