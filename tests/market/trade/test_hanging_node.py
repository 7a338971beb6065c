"""While the chain's node hangs, a page of trade waits for it once, and is drawn with what is known."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace

import httpx
import pytest

from tests.support.gateway_server import served
from tests.support.hanging_node import HangingNode, hanging_node
from tests.support.trade_town import NAME, SHARE, TradeTown
from usufruct.app import open_installation
from usufruct.market.trade.offer_book import OfferBook
from usufruct.web import Router

pytestmark = pytest.mark.anvil

DOLLAR = 10**6
ANYTHING = b'"method"'
PATIENT = 60.0
NOTICE = "The chain's node does not answer now"


@dataclass
class Shop:
    """Another gateway of the installation, whose node hangs when it is told to, and a trader who is signed in there."""

    node: HangingNode
    http: httpx.AsyncClient
    book: OfferBook

    async def recover(self) -> None:
        """Have the node answer again, and the gateway ask it again."""
        self.node.hang_on()
        await self.book.client.probe()

    async def page(self, path: str, seconds: float) -> str:
        """Read a page, for which the node is waited for so long."""
        self.book.node_seconds = seconds
        shown = await self.http.get(path, headers={"accept": "text/html"})
        assert shown.status_code == 200, shown.text
        return shown.text


@pytest.fixture
async def shop(town: TradeTown) -> AsyncIterator[Shop]:
    """The service has an offer of another's and one of the trader's, both of shares, a sale, and a plan of credits."""
    town.world.gateway.get(OfferBook).node_seconds = PATIENT
    seller, trader = await town.trader(shares=1_000 * SHARE), await town.trader(shares=1_000 * SHARE)
    offer = await seller.offer(1_000 * SHARE, 100 * DOLLAR)
    assert offer.status_code == 201, offer.text
    own = await trader.offer(500 * SHARE, 70 * DOLLAR)
    assert own.status_code == 201, own.text
    bought = await trader.buy(offer.json()["offer"], 10 * SHARE)
    assert bought.status_code == 200, bought.text
    await town.plan(5 * DOLLAR, 10 * DOLLAR)
    config = town.world.gateway.config
    async with AsyncExitStack() as stack:
        node = await stack.enter_async_context(hanging_node(town.world.anvil.url))
        other = replace(config, chain=replace(config.chain, rpc_url=node.url))
        gateway = await stack.enter_async_context(open_installation(other))
        routes = [route for component in gateway.components for route in component.routes()]
        _, url, _ = await stack.enter_async_context(served(Router(routes)))  # without jobs, which ask the node too
        api = await stack.enter_async_context(httpx.AsyncClient(base_url=url, timeout=60))
        await town.enter(api, trader.account)
        http = httpx.AsyncClient(base_url=url.removesuffix("/v1"), cookies=api.cookies, timeout=60)
        yield Shop(node, await stack.enter_async_context(http), gateway.get(OfferBook))


async def test_a_page_waits_once_and_shows_what_is_known(town: TradeTown, shop: Shop):
    """`eth_getLogs`: the node answers what the goods are, and hangs when it is asked what was sold."""
    for path in (f"/shares/{NAME}", f"/passes/{NAME}"):
        for hangs_on, seconds in ((ANYTHING, 3.0), (b"eth_getLogs", 15.0)):
            await shop.recover()
            assert NOTICE not in await shop.page(path, PATIENT)
            await town.world.devnet.mine(1)
            shop.node.hang_on(hangs_on)
            page = await shop.page(path, seconds)
            assert (shop.node.hung > 0, shop.node.in_a_row, page.count(NOTICE)) == (True, 0, 1), (path, hangs_on)
            if path == f"/shares/{NAME}":
                check_shares(page)


def check_shares(page: str) -> None:
    assert page.count("not known now</span>") == 2, "of each offer it is not known whether it can be filled"
    assert 'data-trade="buy"' not in page, "what may be sold meanwhile is not offered"
    assert 'data-trade="cancel"' in page, "the maker can end the offer still"
    assert "No shares were sold yet" not in page


async def test_lists_of_offers_and_trades_wait_once(town: TradeTown, shop: Shop):
    shop.book.node_seconds = 3.0
    for what in ("shares", "passes"):
        for kind in ("offers", "trades"):
            shop.node.hang_on(ANYTHING)
            found = await shop.http.get(f"/v1/{what}/{town.asset_text}/{kind}")
            assert (found.status_code, shop.node.hung, shop.node.in_a_row) == (200, 1, 0), (what, kind)
            assert {each["state"] for each in found.json().get("offers", ())} <= {"unknown"}
