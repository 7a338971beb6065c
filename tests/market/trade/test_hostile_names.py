"""Hostile names of services, keys and reviews: every page of the market shows them as text, and nothing else."""

from urllib.parse import quote

import httpx
import pytest

from tests.market.test_payees import register
from tests.market.test_reviews import TERMS, filled
from tests.market.test_reviews import payer_of as payer_of
from tests.support.hostile_names import HOSTILE, check_names
from tests.support.trade_town import SHARE, trade_town
from usufruct.chain.contracts.shared import Parent
from usufruct.core import format_asset
from usufruct.gateway import Gateway

pytestmark = pytest.mark.anvil

DOLLAR = 10**6
CREDIT = 10**6
PARENT, UNSOLD = f"{HOSTILE}1", f"{HOSTILE}2"


async def check_page(http: httpx.AsyncClient, root: str, path: str, *names: str) -> None:
    """Check a page in both languages; each of the names is on it."""
    for language in ("en", "de"):
        shown = await http.get(root + path, headers={"accept": "text/html", "accept-language": language})
        assert shown.status_code == 200, (path, shown.text)
        check_names(shown.text, *names)


async def test_pages_of_trade_and_holdings_show_a_name_as_text(world, enter, root):
    sold, unsold = await register(world, PARENT), await register(world, UNSOLD, sell=False)
    parents = [Parent(sold.shares, 500), Parent(unsold.shares, 500)]
    async with trade_town(world, enter, HOSTILE, parents) as town:
        seller, buyer = await town.trader(1_000_000 * SHARE), await town.trader()
        plan = await town.plan(9 * DOLLAR, 10 * CREDIT)
        await town.give_credits(seller.address, plan, 2)
        await town.activate(seller.address, plan, CREDIT)
        await town.give_title(seller.address)
        await town.earn(500 * DOLLAR)
        for made in (
            await seller.offer(400_000 * SHARE, 20 * DOLLAR),
            await seller.offer(5 * CREDIT, 2 * DOLLAR, plan=plan),
            await seller.offer_title(30 * DOLLAR),
        ):
            assert made.status_code == 201, made.text
        for trader in (seller, buyer):
            for kind in ("s", "shares", "passes", "titles"):
                await check_page(trader.http, root, f"/{kind}/{quote(HOSTILE)}", HOSTILE)
        await check_page(buyer.http, root, f"/payees-of/{town.asset_text}", HOSTILE, PARENT, UNSOLD)
        await check_page(buyer.http, root, f"/plans-of/{town.asset_text}", HOSTILE)
        await check_page(buyer.http, root, f"/trusts/{town.asset_text}", HOSTILE)
        await check_page(seller.http, root, "/account/holdings", HOSTILE)
        await check_page(seller.http, root, "/account", HOSTILE)


async def test_spending_keys_and_reviews_show_a_name_as_text(world, http, payer_of, root):
    called = await world.sell(HOSTILE)
    payer, asset, label = await payer_of(), format_asset(called.id), f"{HOSTILE}k"
    path, body = filled(
        (await payer.http.post("/account/key-requests", json=TERMS | {"label": label})).json(), payer.account
    )
    assert (await payer.http.post(path, json=body)).status_code == 201
    call = await payer.call(HOSTILE)
    text = f"{HOSTILE}r"
    assert (await payer.review(asset, text=text)).status_code == 201
    await world.gateway.get(Gateway).search.refresh()
    await check_page(http, root, "/", HOSTILE)
    await check_page(http, root, f"/reviews-of/{asset}", HOSTILE, text)
    await check_page(http, root, f"/r/{call}", HOSTILE)
    await check_page(payer.http, root, "/account", HOSTILE, label)
    await check_page(payer.http, root, f"/account?service={quote(HOSTILE)}", HOSTILE, label)
    await check_page(http, root, f"/account?service={quote(HOSTILE)}", HOSTILE)
