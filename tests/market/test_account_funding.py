"""On a public chain the account page says how money gets into a wallet: token, network, address; and when it did."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from playwright.async_api import expect

from tests.support.browser import NARROW, chromium, needs_chromium, visit
from tests.support.gateway_server import served
from usufruct.app import Installation
from usufruct.chain.keys import DEVNET_ADDRESSES
from usufruct.core import address
from usufruct.market.buyer import Buyer
from usufruct.web import Router
from usufruct_client.wire import Terms

pytestmark = pytest.mark.anvil

BASE = 8453
HTMX = {"hx-request": "true"}


def as_if_on_base(installation: Installation) -> Router:
    """Return the pages of an installation whose terms name a public chain; its node stays the local one."""
    buyer = installation.get(Buyer)
    buyer.terms = replace(installation.get(Terms), chain_id=BASE)
    return Router([route for component in installation.components for route in component.routes()])


@pytest.fixture
async def http(world: Any) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        served(as_if_on_base(world.gateway)) as (_, url, _),
        httpx.AsyncClient(base_url=url, timeout=60) as client,
    ):
        yield client


async def test_a_newcomer_is_told_what_to_send_where_and_on_which_chain(world, http, enter):
    account = await world.account(0)
    await enter(http, account)
    page = (await http.get("../account")).text
    token = world.dollar.address
    assert "on Base (chain id 8453)" in page
    assert f'data-copy="{account.address.lower()}"' in page.lower()
    assert token.lower() in page.lower()
    assert 'class="qr-code"' in page
    assert "Get 100 test dollars" not in page


async def test_the_page_changes_when_money_has_arrived(world, http, enter):
    account = await world.account(0)
    await enter(http, account)
    assert (await http.get("../account/money?seen=0", headers=HTMX)).status_code == 204
    await world.devnet.send_as(DEVNET_ADDRESSES[0], world.dollar.mint(address(account.address), 2_500_000))
    changed = await http.get("../account/money?seen=0", headers=HTMX)
    assert "2.5\N{NO-BREAK SPACE}tUSD arrived." in changed.text
    assert "every 10s" not in changed.text
    assert (await http.get("../account/money?seen=2500000", headers=HTMX)).status_code == 204


@needs_chromium
async def test_a_waiting_page_shows_it_by_itself_and_fits_a_narrow_screen(world, http, enter):
    account = await world.account(0)
    await enter(http, account)
    root = str(http.base_url).removesuffix("/v1/")
    cookies = [{"name": each.name, "value": each.value or "", "url": root} for each in http.cookies.jar]
    async with chromium() as browser, visit(browser, "about:blank", **NARROW, locale="de-DE") as shown:
        page = shown.page
        await page.context.add_cookies(cookies)
        await page.goto(f"{root}/account")
        await expect(page.get_by_text("auf Base (Chain-ID 8453)")).to_be_visible()
        assert await shown.too_wide() <= 0
        assert await shown.small_targets() == []
        assert await shown.accessibility_faults() == []
        await world.devnet.send_as(DEVNET_ADDRESSES[0], world.dollar.mint(address(account.address), 2_500_000))
        await expect(page.get_by_text("2,5\N{NO-BREAK SPACE}tUSD sind angekommen.")).to_be_visible()
        assert shown.problems == []
